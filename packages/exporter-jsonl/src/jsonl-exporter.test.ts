import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createTraceEvent, TraceError, type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { exporterContract, sampleRun } from '@pyagent-trace/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { JsonlExporter } from './jsonl-exporter.ts';

/** What the disk under `writeSync` does: how often it was asked, and whether it refuses. */
const disk = vi.hoisted(() => ({ writes: 0, full: false }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const writeSync = (fd: number, data: Uint8Array, offset: number): number => {
    disk.writes += 1;
    if (!disk.full) return fs.writeSync(fd, data, offset);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  return { ...fs, writeSync };
});

const ALL_WELL = { dropped: 0, failed: 0, pending: 0 };
const KIB = 1024;

let folder: string;
let path: string;
let exporters: JsonlExporter[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exporter-jsonl-'));
  path = join(folder, 'run.jsonl');
  exporters = [];
  disk.writes = 0;
  disk.full = false;
});

afterEach(async () => {
  disk.full = false;
  for (const exporter of exporters) await exporter.shutdown({ timeoutMs: 0 });
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

describe('JsonlExporter', () => {
  describe.each(['tick', 'line', 'fsync'] as const)('with durability %s', (durability) => {
    const cases = exporterContract(() => ({
      exporter: new JsonlExporter(path, { durability }),
      arrivedSpanIds: () => spanIds(path),
      refuse: () => void (disk.full = true),
      recover: () => void (disk.full = false),
      // to a file that takes nothing there is no other end: it looks the same from here
      hang: () => void (disk.full = true),
      dispose: () => rmSync(path, { force: true }),
    }));

    test.each(cases)('$name', async ({ run }) => run());
  });

  test('writes what encodeTraceEvent says, a line for each event', async () => {
    const bus = new TraceEventBus();
    bus.attach(create());
    for (const event of sampleRun()) bus.emit(event);

    const receipts = await bus.shutdown();

    expect(read().map((line) => JSON.parse(line) as TraceEvent)).toEqual(sampleRun());
    expect(receipts).toEqual([{ exporter: 'jsonl', delivered: 8, ...ALL_WELL }]);
  });

  test('touches no file before the first event', async () => {
    const exporter = create(join(folder, 'a', 'b', 'run.jsonl'));
    await exporter.flush();

    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')(
    'makes the directories, and lets nobody else read them or the file',
    async () => {
      path = join(folder, 'a', 'b', 'run.jsonl');
      const exporter = create();
      exporter.exportEvent(eventOf('1'));
      await exporter.flush();

      const modes = [path, join(folder, 'a', 'b'), join(folder, 'a')].map(
        (entry) => statSync(entry).mode & 0o777,
      );
      expect(modes).toEqual([0o600, 0o700, 0o700]);
    },
  );

  test('appends to what is there', async () => {
    writeFileSync(path, '{"line":"before"}\n');
    const exporter = create();
    exporter.exportEvent(eventOf('1'));
    await exporter.shutdown();

    expect(read()).toEqual(['{"line":"before"}', lineOf('1')]);
  });

  test('takes a file: URL', async () => {
    const exporter = create(pathToFileURL(path));
    exporter.exportEvent(eventOf('1'));
    await exporter.flush();

    expect(read()).toEqual([lineOf('1')]);
  });

  test('resolves a relative path when it is made', async () => {
    const cwd = vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const exporter = create('run.jsonl');
    cwd.mockReturnValue(join(folder, 'elsewhere'));
    exporter.exportEvent(eventOf('1'));
    await exporter.flush();
    cwd.mockRestore();

    expect(read()).toEqual([lineOf('1')]);
  });

  test('writes once for all events of a synchronous run, and then at once', async () => {
    const exporter = create();
    for (let i = 0; i < 100; i++) exporter.exportEvent(eventOf(String(i)));
    const during = disk.writes;
    await Promise.resolve();

    expect([during, disk.writes, read().length]).toEqual([0, 1, 100]);
    expect(exporter.stats()).toEqual({ accepted: 100, delivered: 100, ...ALL_WELL });
  });

  test('keeps at most 64 KiB of a synchronous run in memory', () => {
    const exporter = create();
    const length = `${lineOf('0000')}\n`.length;
    for (let i = 0; i < 1_000; i++) exporter.exportEvent(eventOf(String(i).padStart(4, '0')));

    const { pending } = exporter.stats();
    expect([disk.writes, pending * length < 64 * KIB, read().length + pending]).toEqual([
      Math.floor((1_000 * length) / (64 * KIB)),
      true,
      1_000,
    ]);
  });

  test('writes each event before exportEvent returns with durability line', () => {
    const exporter = create(path, { durability: 'line' });
    const written = ['1', '2', '3'].map((id) => {
      exporter.exportEvent(eventOf(id));
      return read();
    });

    expect(written).toEqual([
      ['1'].map(lineOf),
      ['1', '2'].map(lineOf),
      ['1', '2', '3'].map(lineOf),
    ]);
  });

  test('has whole lines in the file at every moment, however long', async () => {
    const exporter = create();
    const lengths = [1, 100 * KIB, 10 * KIB, 64 * KIB, 65 * KIB, 300 * KIB, 1, 2];
    const texts = lengths.map((length, i) => (i % 2 === 0 ? 'x' : '€').repeat(length));
    for (const text of texts) {
      exporter.exportEvent(eventOf(text));
      expectWholeLines();
      await Promise.resolve();
      expectWholeLines();
    }

    expect(spanIds(path)).toEqual(texts);
  });

  test.each([
    ['that is a directory', 'run.jsonl', 'EISDIR'],
    ['below a file', 'file/run.jsonl', 'ENOTDIR'],
  ])('writes all to a path %s, once it no longer is', async (_, name, code) => {
    path = join(folder, name);
    const obstacle = join(folder, name.split('/')[0] as string);
    if (obstacle === path) mkdirSync(path);
    else writeFileSync(obstacle, '');
    const exporter = create();
    const run = sampleRun();
    for (const event of run) exporter.exportEvent(event);
    await exporter.flush({ timeoutMs: 0 });
    const refused = exporter.stats();
    rmSync(obstacle, { recursive: true });
    await exporter.flush();

    expect(refused).toEqual({
      accepted: 8,
      delivered: 0,
      ...ALL_WELL,
      pending: 8,
      error: expect.stringContaining(code) as string,
    });
    expect(exporter.stats()).toEqual({ accepted: 8, delivered: 8, ...ALL_WELL });
    expect(read()).toHaveLength(8);
  });

  test('tries again by itself, at first after 10 ms and later every second', async () => {
    vi.useFakeTimers();
    const exporter = create();
    for (const outage of ['1', '2']) {
      disk.full = true;
      disk.writes = 0;
      exporter.exportEvent(eventOf(outage));
      await Promise.resolve();
      const attempts = [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000].map((delayMs) => {
        vi.advanceTimersByTime(delayMs - 1);
        const before = disk.writes;
        vi.advanceTimersByTime(1);
        return [before, disk.writes];
      });
      disk.full = false;
      vi.advanceTimersByTime(1_000);

      expect(attempts).toEqual(Array.from({ length: 10 }, (_, i) => [i + 1, i + 2]));
      expect(spanIds(path).at(-1)).toBe(outage);
      expect(vi.getTimerCount()).toBe(0);
    }

    expect(exporter.stats()).toEqual({ accepted: 2, delivered: 2, ...ALL_WELL });
  });

  test('asks a disk that refuses no more often because of new events', async () => {
    vi.useFakeTimers();
    disk.full = true;
    const exporter = create();
    for (let i = 0; i < 1_000; i++) {
      exporter.exportEvent(eventOf(String(i)));
      await Promise.resolve();
    }
    const asked = disk.writes;
    disk.full = false;
    vi.advanceTimersByTime(10);

    expect(asked).toBe(1);
    expect(spanIds(path)).toEqual(Array.from({ length: 1_000 }, (_, i) => String(i)));
  });

  test('ends a flush as soon as the disk takes the rest', async () => {
    vi.useFakeTimers();
    disk.full = true;
    const exporter = create();
    exporter.exportEvent(eventOf('1'));
    let flushed = false;
    const flush = exporter.flush({ timeoutMs: 60_000 }).then(() => (flushed = true));
    await vi.advanceTimersByTimeAsync(5_000);
    const before = flushed;
    disk.full = false;
    await vi.advanceTimersByTimeAsync(1_000);
    await flush;

    expect([before, flushed, spanIds(path)]).toEqual([false, true, ['1']]);
  });

  test('ends a flush whose timeout is no number', async () => {
    disk.full = true;
    const exporter = create();
    exporter.exportEvent(eventOf('1'));
    await exporter.flush({ timeoutMs: Number.NaN });

    expect(exporter.stats().pending).toBe(1);
  });

  test('keeps 8 MiB for a disk that refuses, and counts what is above', async () => {
    disk.full = true;
    const exporter = create();
    const length = `${lineOf('000000')}\n`.length;
    const total = Math.ceil((10 * KIB * KIB) / length);
    for (let i = 0; i < total; i++) {
      exporter.exportEvent(eventOf(String(i).padStart(6, '0')));
      if (i % 100 === 0) await Promise.resolve();
    }
    await exporter.flush({ timeoutMs: 0 });
    const { accepted, pending, dropped, error } = exporter.stats();
    disk.full = false;
    await exporter.flush();

    expect(accepted).toBe(Math.floor((8 * KIB * KIB) / length));
    expect([pending, accepted + dropped, error]).toEqual([
      accepted,
      total,
      'ENOSPC: no space left on device, write',
    ]);
    expect(exporter.stats()).toEqual({ accepted, delivered: accepted, ...ALL_WELL, dropped });
    expect(read()).toHaveLength(accepted + 1); // and a line that says what is missing

    disk.full = true;
    for (let i = 0; i < 1_000; i++) exporter.exportEvent(eventOf(String(i)));
    expect(exporter.stats().dropped).toBe(dropped);
  });

  test('gives up at shutdown what the disk refuses, and says why', async () => {
    vi.useFakeTimers();
    disk.full = true;
    const exporter = create();
    exporter.exportEvent(eventOf('1'));
    await exporter.shutdown({ timeoutMs: 0 });
    disk.full = false;
    exporter.exportEvent(eventOf('2'));
    await exporter.flush();

    expect(exporter.stats()).toEqual({
      accepted: 1,
      delivered: 0,
      ...ALL_WELL,
      failed: 1,
      dropped: 1,
      error: 'ENOSPC: no space left on device, write',
    });
    expect([read(), vi.getTimerCount()]).toEqual([[], 0]);
  });

  test('says why it drops an event after shutdown', async () => {
    const exporter = create();
    await exporter.shutdown();
    exporter.exportEvent(eventOf('1'));

    expect(exporter.stats()).toEqual({
      accepted: 0,
      delivered: 0,
      ...ALL_WELL,
      dropped: 1,
      error: 'an event came after shutdown',
    });
  });

  test.skipIf(!existsSync('/proc/self/fd'))('has no file open after shutdown', async () => {
    const exporter = create();
    exporter.exportEvent(eventOf('1'));
    await exporter.flush();
    const during = openFiles();
    await exporter.shutdown();

    expect([during, openFiles()]).toEqual([[path], []]);
  });

  test('a relative path in a working directory that is gone has that as its cause', () => {
    const cause = new Error('ENOENT: no such file or directory, uv_cwd');
    const cwd = vi.spyOn(process, 'cwd').mockImplementation(() => {
      throw cause;
    });

    expect(() => new JsonlExporter('run.jsonl')).toThrow(
      expect.objectContaining({ code: 'invalid_option', cause }) as Error,
    );
    cwd.mockRestore();
  });

  test('shuts down at the end of an await using block', async () => {
    {
      await using exporter = create();
      exporter.exportEvent(eventOf('1'));
      disk.writes = 0;
    }

    expect([disk.writes, exporters[0]?.stats().delivered]).toEqual([1, 1]);
  });

  test.each([
    [['', {}], "JsonlExporter: path: expected a path or file: URL, got ''"],
    [[undefined, {}], 'JsonlExporter: path: expected a path or file: URL, got undefined'],
    [['a\0b', {}], "JsonlExporter: path: expected a path or file: URL, got 'a\\x00b'"],
    [
      [new URL('https://example.com/run.jsonl'), {}],
      'JsonlExporter: path: expected a path or file: URL, got https://example.com/run.jsonl',
    ],
    [
      ['run.jsonl', { durable: true }],
      'JsonlExporter: unknown option "durable"; known are durability, rotate',
    ],
    [
      ['run.jsonl', { durability: 'sync' }],
      'JsonlExporter: durability: Invalid option: expected one of "fsync"|"line"|"tick", got "sync"',
    ],
  ])('refuses %j at once', (args, message) => {
    const construct = (): unknown =>
      new JsonlExporter(...(args as ConstructorParameters<typeof JsonlExporter>));

    expect(construct).toThrow(new TraceError('invalid_option', message));
  });
});

function create(...args: Partial<ConstructorParameters<typeof JsonlExporter>>): JsonlExporter {
  const [target = path, options] = args;
  const exporter = new JsonlExporter(target, options);
  exporters.push(exporter);
  return exporter;
}

function eventOf(span_id: string): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload: { span_id } });
}

function lineOf(span_id: string): string {
  return `{"timestamp":1,"event_type":"llm_call","agent_name":"","pattern_type":"","payload":{"span_id":"${span_id}"}}`;
}

function read(file = path): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

function spanIds(file: string): string[] {
  return read(file).map((line) => String((JSON.parse(line) as TraceEvent).payload['span_id']));
}

function expectWholeLines(): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  expect(text === '' || text.endsWith('}\n')).toBe(true);
}

function openFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ''; // the one that readdirSync itself had open
      }
    })
    .filter((target) => target.startsWith(folder));
}
