// Starting other programs, the same way on every system.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
/** npm and pnpm are `.cmd` files there, which only a shell can start. */
const WINDOWS = process.platform === 'win32';

/** Plain text whatever is set here: a colour in the middle of a message hides it from a search. */
const { FORCE_COLOR: _, ...inherited } = process.env;
export const PLAIN_ENV = { ...inherited, NO_COLOR: '1' };

/** @returns `{ status, output }`, both streams in `output`. Rejects when it cannot be started. */
export function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const shell = WINDOWS && command !== process.execPath;
    const quoted = shell ? args.map((arg) => `"${arg}"`) : args;
    const child = spawn(command, quoted, {
      cwd,
      shell,
      env: PLAIN_ENV,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk) => (output += chunk));
    child.on('error', reject).on('close', (status) => resolve({ status, output }));
  });
}

/** @throws {Error} with what it printed, where it fails */
export async function must(command, args, cwd) {
  const { status, output } = await run(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed:\n${output}`);
}

/** Runs the command `name` of a development dependency of the root. */
export function runTool(packageName, name, args, cwd) {
  const { bin } = JSON.parse(readFileSync(join(NODE_MODULES, packageName, 'package.json'), 'utf8'));
  const script = typeof bin === 'string' ? bin : bin[name];
  return run(process.execPath, [join(NODE_MODULES, packageName, script), ...args], cwd);
}
