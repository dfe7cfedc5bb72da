// The runtimes that the packages are tried on, where npm run test:runtimes has installed them.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TOOLCHAIN = new URL('toolchain/', import.meta.url);
/** A feature takes half a second; one that hangs is one that does not work. */
const TIMEOUT_MS = 15_000;

export interface Runtime {
  /** With its version: the head of a column of docs/runtimes.md. */
  readonly name: string;
  /** Absolute. */
  readonly command: string;
  readonly args: readonly string[];
}

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What everything else is compared with. */
export const THIS_NODE: Runtime = { name: 'this Node', command: process.execPath, args: [] };

const { platform, arch } = process;
const exe = platform === 'win32' ? '.exe' : '';
const bunArch = arch === 'arm64' ? 'aarch64' : arch;
const bunPlatform = platform === 'win32' ? 'windows' : platform;
const denoPlatform = `${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`;
const DENO_ARGS = ['run', '--allow-all', '--no-prompt', '--no-lock', '--node-modules-dir=manual'];

export const RUNTIMES: readonly Runtime[] = [
  runtime('Node', `node-22-${platform}-${arch}`, `bin/node${exe}`),
  runtime('Node', `node-24-${platform}-${arch}`, `bin/node${exe}`),
  runtime('Node', `node-26-${platform}-${arch}`, `bin/node${exe}`),
  runtime('Bun', `@oven/bun-${bunPlatform}-${bunArch}`, `bin/bun${exe}`, ['--no-install']),
  runtime('Deno', `@deno/${denoPlatform}`, `deno${exe}`, DENO_ARGS),
].filter((one) => one !== undefined);

/** Undefined where there is none for this system. */
function runtime(
  name: string,
  packageName: string,
  file: string,
  args: readonly string[] = [],
): Runtime | undefined {
  const manifest = readFileSync(new URL('package.json', TOOLCHAIN), 'utf8');
  const { optionalDependencies } = JSON.parse(manifest) as {
    optionalDependencies: Readonly<Record<string, string>>;
  };
  const version = optionalDependencies[packageName]?.split('@').at(-1);
  if (version === undefined) return undefined;
  const command = fileURLToPath(new URL(`node_modules/${packageName}/${file}`, TOOLCHAIN));
  return { name: `${name} ${version}`, command, args };
}

export function isInstalled({ command }: Runtime): boolean {
  return existsSync(command);
}

/** Runs a program of this folder, in the surroundings of an app and not of a test. */
export function run(
  { command, args }: Runtime,
  program: string,
  ...programArgs: readonly string[]
): Promise<Outcome> {
  const env: NodeJS.ProcessEnv = { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' };
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LOCALAPPDATA'])
    if (process.env[name] !== undefined) env[name] = process.env[name];
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(command, [...args, path, ...programArgs], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => (texts[name] += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, ...texts }));
  });
}
