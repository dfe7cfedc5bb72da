// Reading source as a syntax tree, so that a rule does not trip over strings and comments.
import { parseSync } from 'rolldown/utils';

/** @returns `{ program, comments, errors }`, the ESTree of a TypeScript or JavaScript file */
export function parse(path, text) {
  return parseSync(path, text, { sourceType: 'module' });
}

/** Calls `visit` with each node of a tree, parents first. */
export function walk(node, visit) {
  if (Array.isArray(node)) {
    for (const child of node) walk(child, visit);
  } else if (typeof node === 'object' && node !== null) {
    if (typeof node.type === 'string') visit(node);
    for (const child of Object.values(node)) walk(child, visit);
  }
}

/**
 * What a module imports, as `{ specifier, static, value }`. `value` is false for `import type`, which
 * leaves nothing behind; `import { type X }` leaves `import {}`, which loads the module.
 */
export function importsOf(program) {
  const imports = [];
  walk(program, (node) => {
    const specifier = node.source?.value;
    if (typeof specifier !== 'string') return;
    const kind = node.importKind ?? node.exportKind ?? 'value';
    imports.push({ specifier, static: node.type !== 'ImportExpression', value: kind !== 'type' });
  });
  return imports;
}

/** The package that a bare specifier names: `@scope/name` or `name`. */
export function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

export function lineAt(text, offset) {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}
