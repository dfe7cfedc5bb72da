#!/usr/bin/env node
// `node tools/dev.mjs <script> [args]`: installs whatever is missing, then runs a root package.json script.
// Needs only Node >= 20, npm and git. A Node and a pnpm that are already good enough are used as they are;
// otherwise the pinned ones from tools/toolchain are installed beside the repository, never globally.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const toolchain = join(root, 'tools', 'toolchain');
const bin = join(toolchain, 'node_modules', '.bin');
const windows = process.platform === 'win32';
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [, wantedPnpm] = /^pnpm@([^+]+)/.exec(packageManager);

// 22.18 runs TypeScript without a flag, 24.11 is the first long-term 24; the tools refuse odd lines.
const [major, minor] = process.versions.node.split('.').map(Number);
const nodeIsFit =
  (major === 22 && minor >= 18) ||
  (major === 24 && minor >= 11) ||
  (major >= 26 && major % 2 === 0);

const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
// Windows spells it Path, and a copy of process.env is no longer blind to case
const pathKey = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';

function start(command, args, options) {
  // npm and pnpm are .cmd files there, which only a shell can start
  if (!windows) return spawnSync(command, args, { env, ...options });
  const line = [command, ...args].map((part) => `"${part}"`).join(' ');
  return spawnSync(line, { env, shell: true, ...options });
}

function versionOf(command) {
  const { status, stdout } = start(command, ['--version'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function must(command, args, cwd = root) {
  const { status, error } = start(command, args, { cwd, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (!nodeIsFit || versionOf('pnpm')?.split('.')[0] !== wantedPnpm.split('.')[0]) {
  const isReady =
    versionOf(join(bin, 'pnpm')) === wantedPnpm &&
    (nodeIsFit || existsSync(join(bin, windows ? 'node.cmd' : 'node')));
  if (!isReady) {
    const missing = nodeIsFit ? `pnpm ${wantedPnpm}` : `pnpm ${wantedPnpm} and Node.js`;
    console.log(`[dev] Node ${process.versions.node}: installing ${missing} into tools/toolchain`);
    must('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], toolchain);
  }
  const own = nodeIsFit ? [dirname(process.execPath), bin] : [bin];
  env[pathKey] = [...own, env[pathKey]].join(delimiter);
}

const [script = 'demo:run', ...args] = process.argv.slice(2);
must('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn']);
must('pnpm', ['--silent', 'run', script, ...args]);
