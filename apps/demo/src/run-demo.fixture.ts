// For tests: the demo as a person starts it, in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const APP = fileURLToPath(new URL('../', import.meta.url));
const ROOT = resolve(APP, '../..');

export interface DemoRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The trace, absolute, when the demo named one. */
  readonly file: string;
  /** Removes the trace. */
  [Symbol.dispose](): void;
}

export interface DemoOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Closes the output after its first piece, as `| head -1` does. */
  readonly closeOutput?: boolean;
}

export async function runDemo(
  args: readonly string[],
  { env = {}, closeOutput = false }: DemoOptions = {},
): Promise<DemoRun> {
  const child = spawn(
    process.execPath,
    ['--conditions=@pyagent-trace/source', 'src/main.ts', ...args],
    { cwd: APP, env: { PATH: process.env['PATH'], INIT_CWD: ROOT, ...env }, stdio: 'pipe' },
  );
  const exit = once(child, 'exit');
  const output = closeOutput ? firstOf(child.stdout) : text(child.stdout);
  const [stdout, stderr, [code]] = await Promise.all([output, text(child.stderr), exit]);
  const name = /traces\/\S+\.jsonl/.exec(stdout)?.[0];
  const file = name === undefined ? '' : resolve(ROOT, name);
  return {
    code: code as number,
    stdout,
    stderr,
    file,
    [Symbol.dispose]: () => rmSync(file, { force: true }),
  };
}

async function firstOf(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const chunk of stream) return String(chunk); // leaving the loop closes the stream
  return '';
}
