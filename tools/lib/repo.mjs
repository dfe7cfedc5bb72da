// What every check needs of the repository: its files, its packages, and one way to report.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The scope of every package of this repository. */
export const SCOPE = '@pyagent-trace/';
export const CORE = `${SCOPE}core`;

/** `--root` is for the tests of the checks: it points a check at a tree with a planted fault. */
export function readArgs(options = {}) {
  const here = fileURLToPath(new URL('../..', import.meta.url));
  const { values } = parseArgs({
    options: { root: { type: 'string', default: here }, ...options },
  });
  return { ...values, root: resolve(values.root) };
}

/** Paths from the root, with `/`, of all files that are tracked or would be by `git add`. */
export function listFiles(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const output = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  return [...new Set(output.split('\0'))]
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .toSorted(byCodeUnit);
}

/** The order of `git ls-files`, the same on every machine. */
export function byCodeUnit(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function readText(root, path) {
  return readFileSync(join(root, path), 'utf8');
}

export function readJson(root, path) {
  return JSON.parse(readText(root, path));
}

/** The publishable packages, as `{ dir: 'packages/core', manifest }`. */
export function readPackages(root, files = listFiles(root)) {
  return files
    .filter((path) => /^packages\/[^/]+\/package\.json$/.test(path))
    .map((path) => ({
      dir: path.slice(0, -'/package.json'.length),
      manifest: readJson(root, path),
    }));
}

/** Prints one line per problem, or what was checked, and sets the exit code. */
export function report(check, problems, checked) {
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`${check}: ${checked}, nothing wrong`);
  else console.error(`${check}: ${checked}, ${problems.length} wrong`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
