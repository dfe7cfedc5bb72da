import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTraceEvent, encodeTraceEvent } from '@pyagent-trace/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { JsonlExporter } from './jsonl-exporter.ts';

type Answer = (error?: Error | null) => void;

/** Answers to the syncs under way are held back; `order` is what the disk was asked for. */
const disk = vi.hoisted(() => ({
  waiting: [] as Answer[],
  order: [] as string[],
  broken: false,
  /** How much of the next write is taken before the disk breaks. */
  part: 0,
}));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    fdatasync: (fd: number, callback: Answer) => {
      disk.order.push('sync');
      disk.waiting.push((error = null) => {
        fs.fdatasyncSync(fd); // throws if it was closed meanwhile
        callback(error);
      });
    },
    fdatasyncSync: () => {
      disk.order.push('sync now');
      if (disk.broken) throw new Error('EIO: i/o error, fdatasync');
    },
    writeSync: (fd: number, data: Uint8Array, offset: number) => {
      disk.order.push('write');
      const { part } = disk;
      disk.part = part > 0 ? -1 : 0;
      if (part < 0) throw new Error('EIO: i/o error, write');
      return part > 0 ? fs.writeSync(fd, data, offset, part) : fs.writeSync(fd, data, offset);
    },
  };
});

const EVENT = createTraceEvent({ event_type: 'llm_call' });
const LINE = `${encodeTraceEvent(EVENT)}\n`;

let folder: string;
let path: string;
let exporter: JsonlExporter;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  folder = mkdtempSync(join(tmpdir(), 'syncer-'));
  path = join(folder, 'run.jsonl');
  exporter = new JsonlExporter(path, { durability: 'fsync' });
  Object.assign(disk, { waiting: [], order: [], broken: false, part: 0 });
});

afterEach(async () => {
  await exporter.shutdown({ timeoutMs: 0 });
  for (const callback of disk.waiting) callback();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

describe("durability: 'fsync'", () => {
  test('asks the disk to sync a second after the first write, and counts from then', async () => {
    await give(1);
    vi.advanceTimersByTime(999);
    await give(1);
    const before = [...disk.order];
    vi.advanceTimersByTime(1);
    const asked = [counts(), [...disk.order]];
    await answer();

    expect(before).toEqual(['write', 'write']);
    expect(asked).toEqual([{ delivered: 0, failed: 0, pending: 2 }, ['write', 'write', 'sync']]);
    expect(counts()).toEqual({ delivered: 2, failed: 0, pending: 0 });
    vi.advanceTimersByTime(10_000);
    expect([disk.order.length, vi.getTimerCount()]).toEqual([3, 0]);
  });

  test('does not keep the process alive while a sync is to come', async () => {
    vi.useRealTimers();
    const timers = activeTimers();
    await give(1);

    expect([counts().pending, activeTimers()]).toEqual([1, timers]);
  });

  test('asks once at a time, and at most once a second', async () => {
    for (let i = 0; i < 50; i++) {
      await give(1);
      vi.advanceTimersByTime(100);
    }
    expect(syncs()).toBe(1); // no answer yet
    await answer();
    expect(counts()).toEqual({ delivered: 10, failed: 0, pending: 40 });
    vi.advanceTimersByTime(999);
    expect(syncs()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(syncs()).toBe(2);
    await answer();

    expect(counts()).toEqual({ delivered: 50, failed: 0, pending: 0 });
  });

  test('resolves flush only after the sync, also after one that was under way', async () => {
    await give(1);
    vi.advanceTimersByTime(1_000);
    await give(1);
    const flushed = vi.fn<() => void>();
    const flushes = [1, 2].map(async () => exporter.flush().then(flushed));
    await answer();
    expect([flushed.mock.calls.length, syncs(), counts().pending]).toEqual([0, 2, 1]);
    await answer();
    await Promise.all(flushes);

    expect([flushed.mock.calls.length, syncs(), counts().pending]).toEqual([2, 2, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ends a flush within its timeout when the disk does not answer', async () => {
    await give(1);
    const flush = exporter.flush({ timeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(100);
    await flush;

    expect(counts()).toEqual({ delivered: 0, failed: 0, pending: 1 });
  });

  test('waits for the disk as long as it is told to, however long that is', async () => {
    await give(1);
    const flushed = vi.fn<() => void>();
    const flush = exporter.flush({ timeoutMs: Infinity }).then(flushed);
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(flushed).not.toHaveBeenCalled();
    await answer();
    await flush;

    expect(counts().delivered).toBe(1);
  });

  test('counts as failed what was written when a sync fails, and says why until one succeeds', async () => {
    await give(2);
    vi.advanceTimersByTime(1_000);
    await answer(new Error('EIO: i/o error, fdatasync'));
    await give(1);
    const failed = exporter.stats();
    vi.advanceTimersByTime(1_000);
    await answer();

    expect(failed).toEqual({
      accepted: 3,
      dropped: 0,
      delivered: 0,
      failed: 2,
      pending: 1,
      error: 'EIO: i/o error, fdatasync',
    });
    expect(exporter.stats()).toEqual({
      accepted: 3,
      dropped: 0,
      delivered: 1,
      failed: 2,
      pending: 0,
    });
  });

  test('syncs before shutdown resolves', async () => {
    await give(1);
    const shutdown = exporter.shutdown();
    await Promise.resolve();
    expect(disk.order).toEqual(['write', 'sync']);
    await answer();
    await shutdown;

    expect(counts()).toEqual({ delivered: 1, failed: 0, pending: 0 });
  });

  test.skipIf(!existsSync('/proc/self/fd'))(
    'gives up at shutdown a sync without an answer, and closes the file when it comes',
    async () => {
      const before = openFiles();
      await give(1);
      const shutdown = exporter.shutdown({ timeoutMs: 100 });
      await vi.advanceTimersByTimeAsync(100);
      await shutdown;
      const during = openFiles();
      await answer();

      expect([during - before, openFiles() - before]).toEqual([1, 0]);
      expect(counts()).toEqual({ delivered: 0, failed: 1, pending: 0 });
    },
  );

  test('syncs a file that was deleted before it lets go of it', async () => {
    await give(1);
    vi.advanceTimersByTime(1_000); // a sync of the first file is under way
    await give(1);
    rmSync(path);
    vi.advanceTimersByTime(1_000);
    await give(1);
    for (let i = 0; i < 3; i++) await answer(); // the one under way, and one for each file

    expect(syncs()).toBe(3);
    expect(counts()).toEqual({ delivered: 3, failed: 0, pending: 0 });
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(2);
  });

  test('syncs a file in which a part of the lines is, when it goes on in another', async () => {
    disk.part = LINE.length;
    await give(2);
    rmSync(path);
    vi.advanceTimersByTime(10); // it goes on in a new file
    await answer();
    vi.advanceTimersByTime(1_000);
    await answer();

    expect([syncs(), counts()]).toEqual([2, { delivered: 2, failed: 0, pending: 0 }]);
  });

  test('syncs at exit, and waits for it', async () => {
    exporter.exportEvent(EVENT);
    exit();

    expect(disk.order).toEqual(['write', 'sync now']);
    expect(counts()).toEqual({ delivered: 1, failed: 0, pending: 0 });
  });

  test('survives a sync at exit that fails', async () => {
    exporter.exportEvent(EVENT);
    disk.broken = true;
    exit();

    expect(counts()).toEqual({ delivered: 0, failed: 1, pending: 0 });
  });
});

/** What the process does at its end, for this package. */
function exit(): void {
  const shared = globalThis as unknown as Record<symbol, { listener: () => void }>;
  shared[Symbol.for('@pyagent-trace/exit')]?.listener();
}

async function give(count: number): Promise<void> {
  for (let i = 0; i < count; i++) exporter.exportEvent(EVENT);
  await Promise.resolve();
}

/** The disk answers the oldest request. */
async function answer(error: Error | null = null): Promise<void> {
  disk.waiting.shift()?.(error);
  await vi.advanceTimersByTimeAsync(0);
}

function syncs(): number {
  return disk.order.filter((call) => call === 'sync').length;
}

function counts(): { delivered: number; failed: number; pending: number } {
  const { delivered, failed, pending } = exporter.stats();
  return { delivered, failed, pending };
}

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}
