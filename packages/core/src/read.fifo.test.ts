import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readTraceEvents } from './read.ts';

const LINE = '{"timestamp":1,"event_type":"custom"}\n';
const READ = new URL('./read.ts', import.meta.url).href;

describe.skipIf(process.platform === 'win32')('readTraceEvents, from a named pipe', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fifo-'));
    path = join(folder, 'events');
    execFileSync('mkfifo', [path]);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('waits for a writer, and reads until the last one closes it', async () => {
    const reader = readTraceEvents(path)[Symbol.asyncIterator]();
    const first = reader.next();
    await run(`fs.appendFileSync(path, ${JSON.stringify(LINE + LINE)})`, path);

    expect(await first).toMatchObject({ value: { event_type: 'custom' } });
    expect(await reader.next()).toMatchObject({ done: false });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  test('a process that waits for a writer ends when it is told to', async () => {
    const wait = `
      const { readTraceEvents } = await import(${JSON.stringify(READ)});
      readTraceEvents(path)[Symbol.asyncIterator]().next();
      setTimeout(() => process.exit(), 100);
    `;

    await expect(run(wait, path)).resolves.toMatchObject({ stderr: '' });
  });

  test('a process whose reading was aborted while it waits for a writer ends by itself', async () => {
    const wait = `
      const { readTraceEvents } = await import(${JSON.stringify(READ)});
      const signal = AbortSignal.timeout(100);
      setTimeout(() => {}, 200); // an AbortSignal's timer keeps no process alive
      await readTraceEvents(path, { signal })[Symbol.asyncIterator]().next().catch(({ name }) => console.log(name));
    `;

    await expect(run(wait, path)).resolves.toEqual({ stdout: 'TimeoutError\n', stderr: '' });
  });
});

/** Runs a program on a path: in a process of its own, which has to end by itself. */
function run(code: string, pipe: string): Promise<{ stderr: string }> {
  const source = `import fs from 'node:fs'; const path = process.argv[1]; ${code}`;
  const args = ['--conditions=@pyagent-trace/source', '--input-type=module', '-e', source, pipe];
  return promisify(execFile)(process.execPath, args, { timeout: 10_000, killSignal: 'SIGKILL' });
}
