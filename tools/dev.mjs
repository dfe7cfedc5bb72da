#!/usr/bin/env node
// `node tools/dev.mjs <script> [args]`: installs whatever is missing, then runs a root package.json script.
// Needs only Node >= 18, npm and git. A Node and a pnpm that are already good enough are used as they are;
// otherwise the pinned ones from tools/toolchain are installed beside the repository, never globally.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const toolchain = join(root, 'tools', 'toolchain');
const bin = join(toolchain, 'node_modules', '.bin');
const windows = process.platform === 'win32';
const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.match(
  /^pnpm@([^+]+)/,
)[1];
const [major, minor] = process.versions.node.split('.').map(Number);
const nodeOk = major > 24 || (major === 24 && minor >= 11) || (major === 22 && minor >= 18);

const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
const pnpmVersion = (command) => {
  const r = spawnSync(command, ['--version'], { cwd: root, env, encoding: 'utf8', shell: windows });
  return r.status === 0 ? r.stdout.trim() : undefined;
};
const must = (command, args, cwd = root) => {
  const r = spawnSync(command, args, { cwd, env, stdio: 'inherit', shell: windows });
  if (r.error) throw r.error;
  if (r.status !== 0) process.exit(r.status ?? 1);
};

if (!nodeOk || pnpmVersion('pnpm')?.split('.')[0] !== wanted.split('.')[0]) {
  const ready =
    pnpmVersion(join(bin, 'pnpm')) === wanted &&
    (nodeOk || existsSync(join(bin, windows ? 'node.cmd' : 'node')));
  if (!ready) {
    console.log(
      `[dev] Node ${process.versions.node}: installing pinned pnpm ${wanted}${nodeOk ? '' : ' and Node 24'} into tools/toolchain`,
    );
    must('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], toolchain);
  }
  env.PATH = [...(nodeOk ? [dirname(process.execPath)] : []), bin, env.PATH].join(delimiter);
}

const [script = 'demo:run', ...args] = process.argv.slice(2);
must('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn']);
must('pnpm', ['run', script, ...args]);
