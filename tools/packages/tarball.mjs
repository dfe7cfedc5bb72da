// What an unpacked tarball holds.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const REQUIRED = ['package.json', 'README.md', 'LICENSE'];
const UNPUBLISHED = /\.(?:test|test-d|bench)\.|\.tsbuildinfo$|^api\.d\.ts$/;
/** An install runs these on the machine of whoever installs. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

export function* tarballProblems(dir) {
  const text = readFileSync(join(dir, 'package.json'), 'utf8');
  const { name, scripts = {}, exports } = JSON.parse(text);
  for (const file of REQUIRED)
    if (!existsSync(join(dir, file))) yield `${name}: the tarball has no ${file}`;
  for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' }))
    if (UNPUBLISHED.test(file) && !file.startsWith('node_modules'))
      yield `${name}: the tarball has ${file}`;
  for (const script of INSTALL_SCRIPTS)
    if (script in scripts) yield `${name}: the tarball has a script "${script}"`;
  for (const protocol of ['workspace:', 'catalog:'])
    if (text.includes(`"${protocol}`)) yield `${name}: package.json still says "${protocol}`;
  for (const [entry, target] of Object.entries(exports))
    for (const path of typeof target === 'string' ? [target] : Object.values(target))
      if (!existsSync(join(dir, path)))
        yield `${name}: "${entry}" leads to ${path}, which is missing`;
}

/** The entries that can be imported, as `['@pyagent-trace/core/schema', './dist/schema.js']`. */
export function entriesOf(dir) {
  const { name, exports } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'object' ? [[`${name}${entry.slice(1)}`, target.default]] : [],
  );
}

/**
 * The entries that an app loads by itself. What registers with a test runner as it is loaded, which
 * `sideEffects` names, is loaded by the runner: the tests of its package do that.
 */
export function loadableEntriesOf(dir) {
  const { sideEffects } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return entriesOf(dir).filter(([, file]) => !(sideEffects || []).includes(file));
}
