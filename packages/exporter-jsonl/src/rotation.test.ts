import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { createTraceEvent, TraceError, type TraceEvent } from '@pyagent-trace/core';
import { exporterContract } from '@pyagent-trace/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { JsonlExporter } from './jsonl-exporter.ts';
import type { RotateOptions } from './options.ts';

const disk = vi.hoisted(() => ({ renames: true, room: Infinity }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const renameSync: typeof fs.renameSync = (...paths) => {
    if (!disk.renames) throw new Error('EBUSY: resource busy or locked, rename');
    fs.renameSync(...paths);
  };
  const writeSync = (fd: number, data: Uint8Array, offset: number): number => {
    const length = Math.min(disk.room, data.length - offset);
    if (length === 0) throw Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' });
    disk.room -= length;
    return fs.writeSync(fd, data, offset, length);
  };
  return { ...fs, renameSync, writeSync };
});

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const IS_WINDOWS = process.platform === 'win32';
const HOUR_MS = 3_600_000;
const TEN_OCLOCK = Date.UTC(2026, 0, 1, 10);
const LINE_BYTES = lineOf(0).length + 1;

let folder: string;
let path: string;
let exporters: JsonlExporter[];

beforeEach(() => {
  vi.useFakeTimers({ now: TEN_OCLOCK, toFake: ['Date', 'performance'] });
  folder = mkdtempSync(join(tmpdir(), 'rotation-'));
  path = join(folder, 'run.jsonl');
  exporters = [];
  Object.assign(disk, { renames: true, room: Infinity });
});

afterEach(async () => {
  disk.room = Infinity;
  for (const exporter of exporters) await exporter.shutdown({ timeoutMs: 0 });
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe('a JsonlExporter that rotates by size', () => {
  test('closes the file before a write that would make it larger than maxBytes', async () => {
    const exporter = create({ maxBytes: 3 * LINE_BYTES });
    for (let id = 1; id <= 8; id++) {
      vi.advanceTimersByTime(1_500);
      await give(exporter, [id]);
    }

    expect(ids()).toEqual({
      'run-2026-01-01T10-00-06.000Z.jsonl': [1, 2, 3],
      'run-2026-01-01T10-00-10.500Z.jsonl': [4, 5, 6],
      'run.jsonl': [7, 8],
    });
    expect(exporter.stats()).toEqual({
      accepted: 8,
      dropped: 0,
      delivered: 8,
      failed: 0,
      pending: 0,
      rotation: { closed: 2, removed: 0, failed: 0 },
    });
  });

  test('gives a write that is larger than maxBytes a file of its own', async () => {
    const exporter = create({ maxBytes: 3 * LINE_BYTES });
    await give(exporter, [1]);
    await give(exporter, [2, 3, 4, 5]);
    await give(exporter, [6]);

    expect(Object.values(ids())).toEqual([[1], [2, 3, 4, 5], [6]]);
    rmSync(folder, { recursive: true });
    await give(create({ maxBytes: 3 * LINE_BYTES }), [1, 2, 3, 4]);
    expect(Object.values(ids())).toEqual([[1, 2, 3, 4]]);
  });

  test('counts what an earlier process wrote', async () => {
    writeFileSync(path, `${lineOf(1)}\n${lineOf(2)}\n`);
    const exporter = create({ maxBytes: 3 * LINE_BYTES });
    await give(exporter, [3]);
    await give(exporter, [4]);

    expect(Object.values(ids())).toEqual([[1, 2, 3], [4]]);
  });

  test('gives names that sort by age, and overwrites none, however the clock is set', async () => {
    const exporter = create({ maxBytes: LINE_BYTES });
    for (let id = 1; id <= 3; id++) await give(exporter, [id]); // at one and the same moment
    vi.setSystemTime(TEN_OCLOCK - HOUR_MS);
    const successor = create({ maxBytes: LINE_BYTES });
    for (let id = 4; id <= 6; id++) await give(successor, [id]);

    expect(ids()).toEqual({
      'run-2026-01-01T10-00-00.000Z.jsonl': [1],
      'run-2026-01-01T10-00-00.001Z.jsonl': [2],
      'run-2026-01-01T10-00-00.002Z.jsonl': [3],
      'run-2026-01-01T10-00-00.003Z.jsonl': [4],
      'run-2026-01-01T10-00-00.004Z.jsonl': [5],
      'run.jsonl': [6],
    });
  });

  test('takes a name without an extension', async () => {
    path = join(folder, 'run');
    const exporter = create({ maxBytes: LINE_BYTES });
    await give(exporter, [1]);
    await give(exporter, [2]);

    expect(ids()).toEqual({ run: [2], 'run-2026-01-01T10-00-00.000Z': [1] });
  });

  test('goes on in the file it has when that cannot be renamed, and tries again after a second', async () => {
    const exporter = create({ maxBytes: LINE_BYTES });
    await give(exporter, [1]);
    disk.renames = false;
    await give(exporter, [2]);
    await give(exporter, [3]);
    const { rotation, ...counts } = exporter.stats();
    disk.renames = true;
    vi.advanceTimersByTime(999);
    await give(exporter, [4]);
    vi.advanceTimersByTime(1);
    await give(exporter, [5]);

    const error = 'EBUSY: resource busy or locked, rename';
    expect(rotation).toEqual({ closed: 0, removed: 0, failed: 1, error });
    expect(counts).toEqual({ accepted: 3, dropped: 0, delivered: 3, failed: 0, pending: 0 });
    expect(Object.values(ids())).toEqual([[1, 2, 3, 4], [5]]);
  });
});

describe('a JsonlExporter that rotates by time', () => {
  test('begins a file with the first event of each period, and has no timer for it', async () => {
    vi.useFakeTimers({ now: TEN_OCLOCK + 30 * 60_000 });
    const exporter = create({ everyMs: HOUR_MS });
    await give(exporter, [1]);
    vi.setSystemTime(TEN_OCLOCK + HOUR_MS - 1);
    await give(exporter, [2]);
    vi.setSystemTime(TEN_OCLOCK + HOUR_MS);
    expect(vi.getTimerCount()).toBe(0);
    await give(exporter, [3]);
    vi.setSystemTime(TEN_OCLOCK + 10 * HOUR_MS);
    await give(exporter, [4]);

    expect(ids()).toEqual({
      'run-2026-01-01T11-00-00.000Z.jsonl': [1, 2],
      'run-2026-01-01T20-00-00.000Z.jsonl': [3],
      'run.jsonl': [4],
    });
  });

  test.each([
    ['of this period', 1, [[1, 2]]],
    ['of an earlier period', -1, [[1], [2]]],
  ])('goes by the age of the file that is there: %s', async (_, offsetSeconds, expected) => {
    writeFileSync(path, `${lineOf(1)}\n`);
    const writtenAt = TEN_OCLOCK / 1_000 + offsetSeconds;
    utimesSync(path, writtenAt, writtenAt);
    vi.setSystemTime(TEN_OCLOCK + 5_000);
    await give(create({ everyMs: HOUR_MS }), [2]);

    expect(Object.values(ids())).toEqual(expected);
  });

  test('ends a line that a full disk cut in the file it is in', async () => {
    const exporter = create({ everyMs: HOUR_MS });
    await give(exporter, [1]);
    disk.room = 5;
    await give(exporter, [2]);
    await give(exporter, [3]);
    vi.setSystemTime(TEN_OCLOCK + HOUR_MS);
    disk.room = Infinity;
    await exporter.flush();

    expect(Object.values(ids())).toEqual([[1, 2], [3]]);
  });

  test('does not begin one because the clock was set back', async () => {
    const exporter = create({ everyMs: HOUR_MS });
    await give(exporter, [1]);
    vi.setSystemTime(TEN_OCLOCK - HOUR_MS);
    await give(exporter, [2]);

    expect(Object.values(ids())).toEqual([[1, 2]]);
  });
});

describe('maxFiles', () => {
  test('keeps so many closed files, removes the oldest, and counts them', async () => {
    const foreign = ['run-2020.jsonl', 'run-2020-01-01T00-00-00.000Z.txt', 'other.jsonl'];
    for (const name of foreign) writeFileSync(join(folder, name), '');
    writeFileSync(join(folder, 'run-2020-01-01T00-00-00.000Z.jsonl.gz'), '');
    const exporter = create({ maxBytes: LINE_BYTES, maxFiles: 2 });
    for (let id = 1; id <= 5; id++) await give(exporter, [id]);
    await vi.waitFor(() => expect(exporter.stats().rotation?.removed).toBe(3), { timeout: 20_000 });

    expect(exporter.stats().rotation).toEqual({ closed: 4, removed: 3, failed: 0 });
    for (const name of foreign) rmSync(join(folder, name));
    expect(Object.values(ids())).toEqual([[3], [4], [5]]);
  });

  test('is also kept by the next process', async () => {
    for (const second of [1, 2, 3, 4])
      writeFileSync(join(folder, `run-2026-01-01T09-00-0${second}.000Z.jsonl`), '');
    const exporter = create({ everyMs: HOUR_MS, maxFiles: 1 });
    await give(exporter, [1]);
    await vi.waitFor(() => expect(exporter.stats().rotation?.removed).toBe(3), { timeout: 20_000 });

    expect(readdirSync(folder)).toEqual(['run-2026-01-01T09-00-04.000Z.jsonl', 'run.jsonl']);
  });
});

describe('compress', { timeout: 30_000 }, () => {
  const CLOSED = 'run-2026-01-01T10-00-00.000Z.jsonl';

  test.each([
    ['gzip', '.gz', gunzipSync],
    ['zstd', '.zst', zstdDecompressSync],
  ] as const)(
    'replaces closed files by what %s makes of them',
    async (compress, suffix, unpack) => {
      const exporter = create({ maxBytes: 2_000 * LINE_BYTES, compress });
      await give(exporter, upTo(2_000));
      await give(exporter, [2_001]);
      await closedFilesToBe([CLOSED + suffix]);

      const file = join(folder, CLOSED + suffix);
      const lines = unpack(readFileSync(file)).toString().split('\n');
      expect(lines).toEqual([...upTo(2_000).map(lineOf), '']);
      expect(exporter.stats().rotation).toEqual({ closed: 1, removed: 0, failed: 0 });
      expect(IS_WINDOWS ? 0o600 : statSync(file).mode & 0o777).toBe(0o600);
    },
  );

  test('does all that were closed meanwhile, and keeps maxFiles of them', async () => {
    const exporter = create({ maxBytes: LINE_BYTES, compress: 'gzip', maxFiles: 3 });
    for (let id = 1; id <= 6; id++) await give(exporter, [id]);
    await closedFilesToBe([2, 3, 4].map((ms) => `run-2026-01-01T10-00-00.00${ms}Z.jsonl.gz`));
  });

  test('finishes what an earlier process left: a half file, one not begun, one not cleaned up', async () => {
    const [half, fresh, done] = [1, 2, 3].map((ms) => `run-2026-01-01T09-00-00.00${ms}Z.jsonl`);
    for (const name of [half, fresh, done]) writeFileSync(join(folder, `${name}`), 'a line\n');
    writeFileSync(join(folder, `${half}.gz.tmp`), 'half');
    writeFileSync(join(folder, `${done}.gz`), 'whole');
    writeFileSync(join(folder, 'run-2026-01-01T09-00-00.004Z.jsonl.zst.tmp'), 'no file to it');
    const exporter = create({ everyMs: HOUR_MS, compress: 'gzip' });
    await give(exporter, [1]);
    await closedFilesToBe([half, fresh, done].map((name) => `${name}.gz`));

    for (const name of [half, fresh, done])
      expect(gunzipSync(readFileSync(join(folder, `${name}.gz`))).toString()).toBe('a line\n');
    expect(exporter.stats().rotation).toEqual({ closed: 0, removed: 0, failed: 0 });
  });

  test('leaves a file as it is when that fails, counts it, and tries again with the next', async () => {
    const obstacle = join(folder, `${CLOSED}.gz`);
    mkdirSync(join(obstacle, 'not empty'), { recursive: true });
    const exporter = create({ maxBytes: LINE_BYTES, compress: 'gzip' });
    writeFileSync(join(folder, CLOSED), `${lineOf(0)}\n`);
    await give(exporter, [1]);
    await vi.waitFor(() => expect(exporter.stats().rotation?.failed).toBe(1), { timeout: 20_000 });
    const failed = exporter.stats();
    const names = readdirSync(folder);
    rmSync(obstacle, { recursive: true });
    vi.setSystemTime(TEN_OCLOCK + 1_000);
    await give(exporter, [2]);
    await closedFilesToBe([`${CLOSED}.gz`, 'run-2026-01-01T10-00-01.000Z.jsonl.gz']);

    expect(names).toEqual([CLOSED, `${CLOSED}.gz`, 'run.jsonl']);
    expect(failed).toMatchObject({ delivered: 1, rotation: { closed: 0, removed: 0, failed: 1 } });
    expect(failed.rotation?.error).toContain('rename');
    expect(failed).not.toHaveProperty('error');
  });

  test('does not keep the process alive; the next one finishes it', async () => {
    const program = `
      import { createTraceEvent } from '@pyagent-trace/core';
      import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
      const rotate = { maxBytes: 20e6, compress: 'gzip' };
      const exporter = new JsonlExporter(process.argv[1], { rotate });
      const payload = { text: 'x'.repeat(10_000) };
      for (let i = 0; i < 2_100; i++)
        exporter.exportEvent(createTraceEvent({ event_type: 'llm_call', payload }));
    `;
    const args = ['--conditions=@pyagent-trace/source', '--input-type=module', '-e', program, path];
    const child = spawn(process.execPath, args, { cwd: PACKAGE, stdio: 'ignore' });
    const code = await new Promise((resolve) => child.once('close', resolve));
    const left = readdirSync(folder).filter((name) => !name.endsWith('.tmp'));
    await give(create({ everyMs: 1_000 * 24 * HOUR_MS, compress: 'gzip' }), [1]);
    const closed = left.find((name) => name !== 'run.jsonl') ?? '';
    await closedFilesToBe([`${closed}.gz`]);

    expect([code, left]).toEqual([0, [closed, 'run.jsonl']]);
    expect(gunzipSync(readFileSync(join(folder, `${closed}.gz`))).length).toBeGreaterThan(19e6);
  });
});

describe('rotate', () => {
  test.each(['tick', 'fsync'] as const)(
    'loses and delays nothing with durability %s',
    async (durability) => {
      const exporter = create({ maxBytes: 5 * LINE_BYTES }, durability);
      for (let id = 1; id <= 100; id++) await give(exporter, [id]);
      await exporter.shutdown();

      expect(Object.values(ids()).flat()).toEqual(upTo(100));
      expect(exporter.stats()).toMatchObject({
        delivered: 100,
        rotation: { closed: 19, failed: 0 },
      });
    },
  );

  test.skipIf(!existsSync('/proc/self/fd'))('leaves no closed file open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (const durability of ['tick', 'fsync'] as const) {
      const exporter = create({ maxBytes: LINE_BYTES }, durability);
      await give(exporter, [1]);
      for (let id = 2; id <= 20; id++) await give(exporter, [id]);
      await exporter.shutdown();
    }

    await vi.waitFor(() => expect(readdirSync('/proc/self/fd').length).toBe(before), {
      timeout: 20_000,
    });
  });

  describe('under the exporter contract', () => {
    beforeEach(() => vi.useRealTimers());

    const cases = exporterContract(() => ({
      exporter: create({ maxBytes: 1_000, everyMs: 10, maxFiles: 100_000 }),
      arrivedSpanIds: () => allLines().map(({ payload }) => String(payload['span_id'])),
      refuse: () => void (disk.room = 0),
      recover: () => void (disk.room = Infinity),
      hang: () => void (disk.room = 0),
    }));

    test.each(cases)('$name', { timeout: 30_000 }, async ({ run }) => run());
  });

  test.each([
    [{}, 'rotate: expected maxBytes, everyMs or both, got an object'],
    [{ maxFiles: 3 }, 'rotate: expected maxBytes, everyMs or both, got an object'],
    [{ maxBytes: 0 }, 'rotate.maxBytes: Too small: expected number to be >0, got 0'],
    [{ everyMs: 0.5 }, 'rotate.everyMs: expected int, got 0.5'],
    [
      { maxBytes: 1, compress: 'brotli' },
      'rotate.compress: Invalid option: expected one of "gzip"|"zstd", got "brotli"',
    ],
    [
      { maxBytes: 1, keep: 3 },
      'rotate: unknown option "keep"; known are maxBytes, everyMs, maxFiles, compress',
    ],
  ])('refuses %j at once', (rotate, message) => {
    const construct = (): unknown => new JsonlExporter(path, { rotate: rotate as RotateOptions });

    expect(construct).toThrow(new TraceError('invalid_option', `JsonlExporter: ${message}`));
  });
});

/** Waits for what goes on in the background. */
async function closedFilesToBe(names: readonly string[]): Promise<void> {
  await vi.waitFor(
    () => expect(readdirSync(folder).filter((name) => name !== 'run.jsonl')).toEqual(names),
    { timeout: 20_000 },
  );
}

function create(rotate: RotateOptions, durability: 'fsync' | 'tick' = 'tick'): JsonlExporter {
  const exporter = new JsonlExporter(path, { durability, rotate });
  exporters.push(exporter);
  return exporter;
}

async function give(exporter: JsonlExporter, eventIds: readonly number[]): Promise<void> {
  for (const id of eventIds) exporter.exportEvent(eventOf(id));
  await Promise.resolve();
}

/** The ids of the events in each file, oldest first. */
function ids(): Record<string, unknown[]> {
  const names = readdirSync(folder).toSorted((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(
    names.map((name) => [name, linesOf(name).map(({ payload }) => payload['id'])]),
  );
}

function allLines(): TraceEvent[] {
  return readdirSync(folder)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .flatMap(linesOf);
}

function linesOf(name: string): TraceEvent[] {
  const lines = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as TraceEvent);
}

function eventOf(id: number): TraceEvent {
  const text = 'x'.repeat(6 - String(id).length);
  return createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload: { id, text } });
}

function lineOf(id: number): string {
  return JSON.stringify(eventOf(id));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
