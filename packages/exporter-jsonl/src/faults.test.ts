import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import {
  afterAll,
  afterEach,
  beforeEach,
  describe,
  expect,
  test,
  vi,
  type MockInstance,
} from 'vitest';
import { JsonlExporter, type JsonlExporterStats } from './jsonl-exporter.ts';
import type { JsonlExporterOptions } from './options.ts';

type Fault = string | undefined;

/** While it is on, every call to the file system is counted, and fails if `fault` names an error. */
const disk = vi.hoisted(() => ({
  on: false,
  calls: 0,
  syncFailed: false,
  fault: (_call: number, _name: string): string | undefined => undefined,
}));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  type Call = (...args: unknown[]) => unknown;
  const failing = (name: keyof typeof fs): Call => {
    const real = fs[name] as Call;
    return (...args) => {
      if (!disk.on) return real(...args);
      disk.calls += 1;
      const code = disk.fault(disk.calls, name);
      const error = code && Object.assign(new Error(`${code}: injected, ${name}`), { code });
      if (name === 'fdatasync') {
        // without the disk, whose time is real and the other is not
        if (error !== undefined) disk.syncFailed = true;
        return setImmediate(args[1] as Call, error ?? null);
      }
      if (error === undefined) return real(...args);
      if (name === 'closeSync') real(...args); // its number is free again, error or not
      if (code === 'short') return real(args[0], args[1], args[2], 5);
      throw error as Error;
    };
  };
  const names = [
    'closeSync',
    'fdatasync',
    'fdatasyncSync',
    'fstatSync',
    'lstatSync',
    'mkdirSync',
    'openSync',
    'readdirSync',
    'readSync',
    'renameSync',
    'writeSync',
  ] as const;
  return { ...fs, ...Object.fromEntries(names.map((name) => [name, failing(name)])) };
});

const KIB = 1024;
const ERRORS = [
  'EACCES',
  'EAGAIN',
  'EDQUOT',
  'EIO',
  'EISDIR',
  'EMFILE',
  'ENOENT',
  'ENOSPC',
  'EPERM',
  'EROFS',
];
const RETRY_MS = 1_000;
const TORN = '{"torn';

let folder: string;
let path: string;
let exporter: JsonlExporter;
let given: number;

beforeEach(() => {
  vi.useFakeTimers({
    now: 1_735_689_600_000,
    toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
  });
  folder = mkdtempSync(join(tmpdir(), 'faults-'));
  path = join(folder, 'run.jsonl');
  given = 0;
  disk.on = false;
});

afterEach(async () => {
  disk.on = false;
  await exporter.shutdown({ timeoutMs: 0 });
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

describe('a JsonlExporter whose file is taken from under it', () => {
  beforeEach(() => create());

  test('goes on in a new file within a second after a rename, and loses nothing', async () => {
    await give(2);
    renameSync(path, join(folder, 'run.1.jsonl'));
    await give(2);
    vi.advanceTimersByTime(1_000);
    await give(2);
    vi.advanceTimersByTime(1_000);
    await give(2);

    expect([written('run.1.jsonl'), written()]).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expectSums({ delivered: 8 });
  });

  test('goes on in a new file within a second after it was deleted', async () => {
    await give(2);
    rmSync(path);
    await give(2);
    vi.advanceTimersByTime(1_000);
    await give(2);

    expect(written()).toEqual([5, 6]);
  });

  test('makes the directory again that was deleted', async () => {
    rmSync(folder, { recursive: true });
    await give(2);
    rmSync(folder, { recursive: true });
    vi.advanceTimersByTime(1_000);
    await give(2);

    expect(written()).toEqual([3, 4]);
  });

  test('goes on at the start of a file that was copied and truncated', async () => {
    await give(2);
    copyFileSync(path, join(folder, 'copy.jsonl'));
    truncateSync(path);
    await give(2);

    expect([written('copy.jsonl'), written()]).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('looks at the path at most once a second', async () => {
    await give(1);
    let looks = 0;
    watch((name) => {
      if (name === 'lstatSync') looks += 1;
    });
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 10; i++) {
        vi.advanceTimersByTime(100);
        await give(1);
      }
    }

    expect([looks, written().length]).toEqual([5, 51]);
  });

  test('goes on in the file it has where the path can no longer be looked at', async () => {
    await give(1);
    fail((_, name) => (name === 'lstatSync' ? 'EACCES' : undefined));
    vi.advanceTimersByTime(1_000);
    await give(1);

    expect(written()).toEqual([1, 2]);
    expectSums({ delivered: 2 });
  });

  test('asks for a new file where the path has come to be below a file', async () => {
    await give(1);
    fail((_, name) => (name === 'lstatSync' ? 'ENOTDIR' : undefined));
    vi.advanceTimersByTime(1_000);
    await give(1);
    disk.on = false;
    expect(exporter.stats().error).toBe('ENOTDIR: injected, lstatSync');
    vi.advanceTimersByTime(RETRY_MS);

    expect(written()).toEqual([1, 2]);
  });
});

describe('a JsonlExporter whose disk refuses', () => {
  beforeEach(() => create());

  test.each(ERRORS)(
    'throws nothing, keeps and says it, and goes on by itself: %s',
    async (code) => {
      await give(1);
      fail(() => code);
      vi.advanceTimersByTime(1_000);
      await give(100);
      const { error } = expectSums({ pending: 100 });
      vi.advanceTimersByTime(10_000);
      expectSums({ pending: 100 });
      disk.on = false;
      vi.advanceTimersByTime(RETRY_MS);

      expect(error).toMatch(`${code}: injected`);
      expectSums({ delivered: 101, error: undefined });
      expect(written()).toEqual(upTo(101));
    },
  );

  test('writes the rest of a line that a full disk cut, and tears none', async () => {
    let room = 0;
    fail((_, name) => {
      if (name !== 'writeSync') return undefined;
      room -= 1;
      return room < 0 ? 'ENOSPC' : 'short';
    });
    for (let i = 0; i < 50; i++) {
      await give(1);
      room = 3;
      vi.advanceTimersByTime(RETRY_MS);
      expectSums({});
    }
    disk.on = false;
    vi.advanceTimersByTime(RETRY_MS);

    expect(written()).toEqual(upTo(50));
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(51);
  });

  test('keeps no more than 8 MiB in bytes, whatever the script', async () => {
    fail(() => 'ENOSPC');
    const text = '€'.repeat(10 * KIB);
    for (let i = 0; i < 400; i++) await give(1, { text });

    const bytes = Buffer.byteLength(`${lineOf(100, { text })}\n`);
    expectSums({ pending: Math.floor((8 * KIB * KIB) / bytes) });
  });
});

describe('trace_gap', () => {
  const MIB_OF_TEXT = { text: 'x'.repeat(KIB * KIB - 200) };

  beforeEach(() => create());

  test('says in the file what had no room, once there is some', async () => {
    fail(() => 'ENOSPC');
    await give(9, MIB_OF_TEXT); // eight fit
    vi.advanceTimersByTime(1_500);
    await give(2, MIB_OF_TEXT);
    fail(() => 'EIO');
    vi.advanceTimersByTime(1_000);
    await give(1, MIB_OF_TEXT);
    disk.on = false;
    vi.advanceTimersByTime(RETRY_MS);
    await give(1);

    expect(events().map((event) => event.payload['id'] ?? event)).toEqual([
      ...upTo(8),
      {
        timestamp: 1_735_689_603.27, // when the disk was asked for the tenth time
        event_type: 'trace_gap',
        agent_name: '',
        pattern_type: '',
        payload: {
          dropped: 4,
          reasons: { ENOSPC: 3, EIO: 1 },
          from: 1_735_689_600,
          to: 1_735_689_602.5,
        },
      },
      13,
    ]);
    expectSums({ accepted: 9, dropped: 4, delivered: 9 });
  });

  test('is not one of the events of the app, and each outage has one of its own', async () => {
    for (const [dropped, code] of [
      [1, 'ENOSPC'],
      [2, 'EROFS'],
    ] as const) {
      fail(() => code);
      await give(8 + dropped, MIB_OF_TEXT);
      expectSums({ pending: 8 });
      disk.on = false;
      vi.advanceTimersByTime(RETRY_MS);
    }
    await give(1);

    expect(gaps()).toEqual([
      { dropped: 1, reasons: { ENOSPC: 1 } },
      { dropped: 2, reasons: { EROFS: 2 } },
    ]);
    expectSums({ accepted: 17, dropped: 3, delivered: 17, error: undefined });
  });

  test('is not lost when the disk refuses it, and counts nothing twice', async () => {
    fail(() => 'ENOSPC');
    await give(9, MIB_OF_TEXT);
    let writes = 0;
    fail((_, name) => (name === 'writeSync' && (writes += 1) > 8 ? 'ENOSPC' : undefined));
    vi.advanceTimersByTime(RETRY_MS);
    expectSums({ delivered: 8, dropped: 1, pending: 0, error: 'ENOSPC: injected, writeSync' });
    const asked = writes;
    await give(9, MIB_OF_TEXT);
    expectSums({ pending: 8, dropped: 2 });
    expect(writes).toBe(asked); // new events do not ask the disk again
    disk.on = false;
    await exporter.shutdown();

    expect(gaps()).toEqual([
      { dropped: 1, reasons: { ENOSPC: 1 } },
      { dropped: 1, reasons: { ENOSPC: 1 } },
    ]);
    expectSums({ delivered: 16, dropped: 2 });
  });

  test('is not written for a torn tail, which costs no line', async () => {
    writeFileSync(path, `${lineOf(0)}\n{"torn`);
    await give(2);

    expect(readFileSync(path, 'utf8').split('\n')).toEqual([
      lineOf(0),
      '{"torn',
      lineOf(1),
      lineOf(2),
      '',
    ]);
  });
});

describe('a JsonlExporter whose process ends', () => {
  const sleep = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
  let said: MockInstance<typeof console.error>;

  beforeEach(() => {
    sleep.mockClear();
    said = vi.spyOn(console, 'error').mockReturnValue();
    create();
  });

  afterEach(() => said.mockRestore());

  afterAll(() => sleep.mockRestore());

  test('waits for a disk that is busy, 10 ms at a time, and in all no longer than a second', () => {
    let refusals = 5;
    fail((_, name) => (name === 'writeSync' && (refusals -= 1) >= 0 ? 'EAGAIN' : undefined));
    giveAtOnce(3);
    exit();
    expect([sleep.mock.calls.length, written()]).toEqual([5, [1, 2, 3]]);
    expect(sleep.mock.calls[0]?.slice(1)).toEqual([0, 0, 10]);

    fail(() => 'EAGAIN');
    giveAtOnce(1);
    exit();
    expect(sleep.mock.calls.length).toBe(100);
    expectSums({ delivered: 3, pending: 1 });

    exit();
    expect(sleep.mock.calls.length).toBe(100);
    const sentence = expect.stringMatching(
      /^JsonlExporter: events lost at exit: 1 \(EAGAIN: injected, \w+\)$/,
    ) as string;
    expect(said.mock.calls).toEqual([[sentence], [sentence]]);
  });

  test('does not wait for a disk that is full', () => {
    fail(() => 'ENOSPC');
    giveAtOnce(1);
    exit();

    expect(sleep).not.toHaveBeenCalled();
    expectSums({ pending: 1 });
  });

  test('writes the gap with the rest', async () => {
    fail(() => 'ENOSPC');
    await give(10, { text: 'x'.repeat(KIB * KIB) });
    disk.on = false;
    exit();

    expect(gaps()).toEqual([{ dropped: 3, reasons: { ENOSPC: 3 } }]);
    expectSums({ delivered: 7, dropped: 3 });
    expect(said).not.toHaveBeenCalled();
  });
});

describe('the k-th call to the file system', { timeout: 60_000 }, () => {
  const PLANS: readonly (readonly [string, JsonlExporterOptions])[] = [
    ['', {}],
    [' with durability line', { durability: 'line' }],
    [' with durability fsync', { durability: 'fsync' }],
    [' with rotation', { rotate: { maxBytes: 300 } }],
  ];
  const FAULTS: readonly (readonly [string, (k: number, code: string) => typeof disk.fault])[] = [
    ['', (k, code) => (call) => (call === k ? code : undefined)],
    [
      ' and the four after it',
      (k, code) => (call) => (call >= k && call < k + 5 ? code : undefined),
    ],
    [
      ', a write cut short, and the one after it',
      (k, code) => (call, name) => {
        if (call === k && name === 'writeSync') return 'short';
        return call === k + 1 ? code : undefined;
      },
    ],
  ];

  for (const [plan, options] of PLANS)
    for (const [which, faultAt] of FAULTS)
      test(`may fail${which}${plan}: nothing is thrown, lost, torn or counted wrong`, async () => {
        const right = await outcome(options, () => undefined);
        const calls = disk.calls;
        const places: Record<string, string[]> = {};
        for (const code of ERRORS)
          for (let k = 1; k <= calls; k++)
            (places[await outcome(options, faultAt(k, code))] ??= []).push(`${code} at call ${k}`);

        expect(right).toBe(
          JSON.stringify({
            accepted: 12,
            dropped: 0,
            failed: 0,
            pending: 0,
            ids: upTo(12),
            torn: [],
          }),
        );
        expect(places).toEqual({ [right]: expect.any(Array) as string[] });
      });
});

/** What comes of twelve events, and between them a torn tail, a rename and time. */
async function outcome(options: JsonlExporterOptions, fault: typeof disk.fault): Promise<string> {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  writeFileSync(path, TORN);
  given = 0;
  create(options);
  disk.calls = 0;
  disk.syncFailed = false;
  fail(fault);
  for (let step = 0; step < 3; step++) {
    await give(2);
    await give(2);
    disk.on = false;
    if (step === 0 && existsSync(path)) renameSync(path, join(folder, 'old.jsonl'));
    disk.on = true;
    vi.advanceTimersByTime(RETRY_MS);
    if (options.durability === 'fsync') await settled(exporter.flush());
    expectSums({});
  }
  await settled(exporter.shutdown());
  disk.on = false;
  const { accepted, dropped, pending, ...stats } = expectSums({});
  // when a sync fails, the lines are in the file, but nobody knows of the disk
  const failed = disk.syncFailed ? 0 : stats.failed;
  return JSON.stringify({ accepted, dropped, failed, pending, ...readAll() });
}

/** The ids in all files, in order within each, and what is no line. */
function readAll(): { ids: number[]; torn: string[] } {
  const torn: string[] = [];
  const ids = readdirSync(folder).flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    const rest = lines.pop();
    // a file that was taken away within a line ends within it; the line is whole in the next
    if (rest !== undefined && rest !== '' && name !== 'old.jsonl') torn.push(rest);
    const here = lines.flatMap((line) => {
      if (line === '' || line === TORN) return [];
      try {
        return [Number((JSON.parse(line) as TraceEvent).payload['id'])];
      } catch {
        torn.push(line);
        return [];
      }
    });
    expect(here).toEqual(here.toSorted((a, b) => a - b));
    return here;
  });
  return { ids: ids.toSorted((a, b) => a - b), torn };
}

/** What the process does at its end, for this package. */
function exit(): void {
  const shared = globalThis as unknown as Record<symbol, { listener: () => void }>;
  shared[Symbol.for('@pyagent-trace/exit')]?.listener();
}

function create(options?: JsonlExporterOptions): void {
  exporter = new JsonlExporter(path, options);
}

/** Waits for real input and output, and lets the time that is not real pass. */
async function settled(promise: Promise<void>): Promise<void> {
  const state = { done: false };
  void promise.then(() => (state.done = true));
  while (!state.done) {
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(100);
  }
}

/** From now on the disk fails as it is told to. */
function fail(fault: (call: number, name: string) => Fault): void {
  disk.fault = fault;
  disk.on = true;
}

function watch(see: (name: string) => void): void {
  fail((_, name) => {
    see(name);
    return undefined;
  });
}

/** Gives events to the exporter, with ids from 1 on, and lets it write. */
async function give(count: number, payload?: Record<string, unknown>): Promise<void> {
  giveAtOnce(count, payload);
  await Promise.resolve();
}

function giveAtOnce(count: number, payload: Record<string, unknown> = {}): void {
  for (let i = 0; i < count; i++) {
    given += 1;
    exporter.exportEvent(eventOf(given, payload));
  }
}

/** The counts, once their sums are found right and they are what is expected. */
function expectSums(
  expected: Partial<Record<keyof JsonlExporterStats, unknown>>,
): JsonlExporterStats {
  const stats = exporter.stats();
  const { accepted, dropped, delivered, failed, pending } = stats;
  expect([accepted + dropped, delivered + failed + pending]).toEqual([given, accepted]);
  expect({ error: undefined, ...stats }).toMatchObject(expected);
  return stats;
}

function eventOf(id: number, payload: Record<string, unknown>): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload: { id, ...payload } });
}

function lineOf(id: number, payload: Record<string, unknown> = {}): string {
  return JSON.stringify(eventOf(id, payload));
}

function events(name = 'run.jsonl'): TraceEvent[] {
  const lines = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as TraceEvent);
}

function written(name?: string): unknown[] {
  return events(name).map(({ payload }) => payload['id']);
}

function gaps(): unknown[] {
  return events()
    .filter(({ event_type }) => event_type === 'trace_gap')
    .map(({ payload: { dropped, reasons } }) => ({ dropped, reasons }));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
