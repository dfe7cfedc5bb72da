import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

/** Writes lines of about 330 bytes, a hundred to a turn, then says so and waits for room. */
const WRITER = `
  import { createTraceEvent } from '@pyagent-trace/core';
  import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
  const [path, writer, count, timeoutMs] = process.argv.slice(1);
  const exporter = new JsonlExporter(path);
  const text = 'x'.repeat(230);
  for (let id = 0; id < Number(count); id++) {
    const event = { event_type: 'llm_call', agent_name: writer, payload: { id, text } };
    exporter.exportEvent(createTraceEvent(event));
    if (id % 100 === 99) await new Promise((resume) => setImmediate(resume));
  }
  console.log(JSON.stringify(exporter.stats()));
  await exporter.shutdown({ timeoutMs: Number(timeoutMs) });
  console.log(JSON.stringify(exporter.stats()));
`;
const FLAGS = ['--conditions=@pyagent-trace/source', '--input-type=module'];
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

interface Counts {
  readonly accepted: number;
  readonly dropped: number;
  readonly delivered: number;
  readonly failed: number;
  readonly pending: number;
  readonly error?: string;
}

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disk-'));
  path = join(folder, 'run.jsonl');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a full disk', { timeout: 60_000 }, () => {
  test.skipIf(!canMount()).each([[['a']], [['a', 'b', 'c']]])(
    'loses no line of the writers %j, once there is room again (needs the right to mount)',
    async (writers) => {
      mount('size=1m');
      try {
        const children = writers.map((name) => start(path, name, 10_000));
        const refused = await Promise.all(children.map(({ first }) => first));
        mount('remount,size=64m');
        const ends = await Promise.all(children.map(({ end }) => end));

        for (const { error, pending } of refused)
          expect([error, pending > 0]).toEqual(['ENOSPC: no space left on device, write', true]);
        for (const end of ends)
          expect(end).toEqual({
            accepted: 10_000,
            dropped: 0,
            delivered: 10_000,
            failed: 0,
            pending: 0,
          });
        const { torn, ids } = read(path);
        for (const name of writers)
          expect(ids.get(name)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
        // half a line that one left may be ended by another; alone it goes on with it
        expect(writers.length > 1 ? [] : torn).toEqual([]);
      } finally {
        await unmount();
      }
    },
  );
});

describe('a file of somebody else', { timeout: 60_000 }, () => {
  const name = 'is refused, keeps the app going, and is counted (needs root)';

  test.skipIf(!isRoot).each([
    ['in a directory one may not enter', 0o700, 0o600],
    ['in a directory one may not write to', 0o755, undefined],
    ['that one may only read', 0o777, 0o644],
  ])(`${name}: %s`, async (_, folderMode, fileMode) => {
    chmodSync(folder, folderMode);
    if (fileMode !== undefined) writeFileSync(path, '', { mode: fileMode });
    const { end, exitCode } = start(path, 'a', 100, { uid: NOBODY, timeoutMs: 50 });

    expect(await end).toEqual({
      accepted: 100,
      dropped: 0,
      delivered: 0,
      failed: 100,
      pending: 0,
      error: expect.stringMatching(/^EACCES: permission denied/) as string,
    });
    expect(await exitCode).toBe(0);
  });

  test.skipIf(!isRoot)('that one may write and not read is written (needs root)', async () => {
    chmodSync(folder, 0o755);
    writeFileSync(path, '{"torn');
    chmodSync(path, 0o622);
    const { end } = start(path, 'a', 100, { uid: NOBODY, timeoutMs: 5_000 });

    expect(await end).toMatchObject({ delivered: 100, failed: 0 });
    expect(read(path).torn).toEqual(['{"torn']);
  });
});

function canMount(): boolean {
  if (!isRoot) return false;
  folder = mkdtempSync(join(tmpdir(), 'disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0;
  if (mounted) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return mounted;
}

/** A file system in memory, in the place of the folder. */
function mount(options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
}

async function unmount(): Promise<void> {
  await vi.waitFor(() => execFileSync('umount', [folder], { stdio: 'ignore' }), {
    timeout: 20_000,
  }); // the writers end
}

/** A process that writes. `first` are its counts when all is emitted, `end` those after shutdown. */
function start(
  file: string,
  writer: string,
  count: number,
  { uid, timeoutMs = 30_000 }: { uid?: number; timeoutMs?: number } = {},
): { first: Promise<Counts>; end: Promise<Counts>; exitCode: Promise<unknown> } {
  const args = [...FLAGS, '-e', WRITER, file, writer, String(count), String(timeoutMs)];
  const child = spawn(process.execPath, args, {
    cwd: PACKAGE,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid }),
  });
  const exitCode = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  const lines = [1, 2].map(
    async (nth) =>
      new Promise<Counts>((resolve, reject) => {
        child.stdout.on('data', () => {
          const parts = output.split('\n');
          if (parts.length > nth) resolve(JSON.parse(parts[nth - 1] ?? '') as Counts);
        });
        child.once('close', (code) => reject(new Error(`ended with ${String(code)}: ${output}`)));
      }),
  );
  child.stdout.prependListener('data', (data: Buffer) => (output += data.toString()));
  const [first, end] = lines as [Promise<Counts>, Promise<Counts>];
  return { first, end, exitCode };
}

function read(file: string): { torn: string[]; ids: Map<string, number[]> } {
  const torn: string[] = [];
  const ids = new Map<string, number[]>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    try {
      const event = JSON.parse(line) as { agent_name: string; payload: { id: number } };
      const of = ids.get(event.agent_name) ?? [];
      ids.set(event.agent_name, of);
      of.push(event.payload.id);
    } catch {
      torn.push(line);
    }
  }
  return { torn, ids };
}
