// Packs every publishable package exactly as `pnpm publish` would, then lints the tarballs.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, '.artifacts');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const run = (cmd, args, stdio = 'inherit') => execFileSync(cmd, args, { cwd: root, stdio });
run('pnpm', ['-r', '--filter', './packages/*', 'pack', '--pack-destination', out], 'ignore');
for (const file of readdirSync(out)) {
  const tarball = join(out, file);
  run('publint', ['run', tarball, '--strict']);
  run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--quiet']);
}
