// What one source file may look like.
import { posix } from 'node:path';
import { lineAt, walk } from '../lib/syntax.mjs';

const MAX_LINES = 300;
const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Tool configurations, whose tools ask for a default export. */
const CONFIG = /\.config\.(?:ts|mjs|js)$/;
const TEST_FUNCTIONS = new Set(['test', 'it', 'describe', 'suite', 'bench']);

export function isTest(path) {
  return path.startsWith('tests/') || /\.(?:test|test-d)\.tsx?$/.test(path);
}

export function sourceProblems(module) {
  const { path } = module;
  const problems = [...nameProblems(path), ...shapeProblems(module)];
  if (isTest(path)) problems.push(...testProblems(module));
  else problems.push(...lengthProblems(module));
  if (/^packages\/[^/]+\/src\//.test(path) && !isTest(path))
    problems.push(...signalProblems(module));
  if (path.startsWith('packages/core/src/') && !isTest(path) && !path.endsWith('/clock.ts'))
    problems.push(...clockProblems(module));
  return problems.map((problem) => `${path}${problem}`);
}

function* nameProblems(path) {
  const name = posix.basename(path).split('.')[0];
  if (!KEBAB.test(name)) yield ': file names are kebab-case';
}

function* lengthProblems({ text }) {
  const lines = text.trimEnd().split('\n').length;
  if (lines > MAX_LINES) yield `: ${lines} lines; split it at ${MAX_LINES}`;
}

function* shapeProblems({ path, text, program }) {
  const at = (node) => `:${lineAt(text, node.start)}`;
  for (const node of program.body) {
    if (node.type === 'ExportAllDeclaration')
      yield `${at(node)}: name what you export; no export *`;
    if (isDefaultExport(node) && !CONFIG.test(path)) yield `${at(node)}: no default exports`;
    if (/^packages\/.*\/index\.ts$/.test(path) && !isExportList(node))
      yield `${at(node)}: index.ts only lists exports`;
  }
  const found = [];
  const added = new Set();
  walk(program, (node) => {
    if (node.type === 'TSEnumDeclaration') found.push(`${at(node)}: no enums`);
    // a type of somebody else's namespace is added to where it stands, in `declare global`
    if (node.kind === 'global') walk(node.body, ({ start }) => added.add(start));
    if (node.type === 'TSModuleDeclaration' && node.kind === 'namespace' && !added.has(node.start))
      found.push(`${at(node)}: no namespaces`);
  });
  yield* found;
}

function isDefaultExport(node) {
  return (
    node.type === 'ExportDefaultDeclaration' ||
    node.type === 'TSExportAssignment' ||
    (node.type === 'ExportNamedDeclaration' &&
      node.specifiers.some(({ exported }) => exported.name === 'default'))
  );
}

function isExportList(node) {
  return (
    node.type === 'ExportAllDeclaration' ||
    (node.type === 'ExportNamedDeclaration' && node.source !== null)
  );
}

function testProblems({ text, program, comments }) {
  const reasons = new Set(
    comments.flatMap(({ start, end }) => [lineAt(text, start), lineAt(text, end) + 1]),
  );
  const problems = [];
  walk(program, (node) => {
    const property = node.type === 'MemberExpression' ? node.property.name : undefined;
    if (!['only', 'skip', 'todo'].includes(property)) return;
    let root = node.object;
    while (root.type === 'MemberExpression' || root.type === 'CallExpression')
      root = root.object ?? root.callee;
    if (!TEST_FUNCTIONS.has(root.name)) return;
    const line = lineAt(text, node.start);
    if (property === 'only')
      problems.push(`:${line}: ${root.name}.only leaves every other test unrun`);
    else if (!reasons.has(line))
      problems.push(`:${line}: ${root.name}.${property} needs a comment above it that says why`);
  });
  return problems;
}

/** A library that takes a signal takes it from the app: only opt-in exit hooks may. */
function signalProblems({ path, text, program }) {
  if (/\/(?:process|exit-hook)\.ts$/.test(path)) return [];
  const problems = [];
  walk(program, (node) => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return;
    const { object, property } = node.callee;
    if (object.name !== 'process') return;
    if (!/^(?:on|once|addListener|prepend(?:Once)?Listener)$/.test(property.name)) return;
    const [event] = node.arguments;
    // a name that is not written out may be a signal
    if (event?.type !== 'Literal' || String(event.value).startsWith('SIG'))
      problems.push(`:${lineAt(text, node.start)}: only process.ts may install signal handlers`);
  });
  return problems;
}

/** One caller of the clock, so that a test which replaces time replaces all of it. */
function clockProblems({ text, program }) {
  const problems = [];
  walk(program, (node) => {
    const isCall = node.type === 'CallExpression' || node.type === 'NewExpression';
    if (!isCall) return;
    const { callee } = node;
    const method =
      callee.type === 'MemberExpression' && `${callee.object.name}.${callee.property.name}`;
    if (
      (callee.name === 'Date' && node.arguments.length === 0) ||
      ['Date.now', 'performance.now', 'process.hrtime'].includes(method)
    )
      problems.push(`:${lineAt(text, node.start)}: only clock.ts reads the clock`);
  });
  return problems;
}
