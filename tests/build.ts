import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Brings `dist` of every package up to date before the tests of what is published. */
export function setup(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  execFileSync(process.execPath, [tsc, '-b'], {
    cwd: new URL('..', import.meta.url),
    stdio: 'inherit',
  });
}
