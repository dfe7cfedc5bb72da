import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export const README = resolve(ROOT, 'apps', 'demo', 'README.md');

/** Where the command was typed: pnpm runs the demo in its own folder and keeps the place here. */
const HOME = process.env['INIT_CWD'] ?? process.cwd();

/** A new file in `traces/`, which git ignores. The time in its name has no colons: Windows forbids them. */
export function newTraceFile(name: string): string {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  return resolve(ROOT, 'traces', `${name}-${time}.jsonl`);
}

/** A path as the person would type it. */
export function shown(path: string): string {
  return relative(HOME, path);
}

/** A path that the person typed. */
export function typed(path: string): string {
  return resolve(HOME, path);
}
