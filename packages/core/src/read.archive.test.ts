import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ReadStats, readTraceEvents, type TraceReadError, type TraceSource } from './read.ts';

/** Hard to pack, so that an archive of some lines has several chunks and blocks. */
function lineOf(index: number): string {
  const noise = Array.from({ length: 8 }, (_, i) => Math.sin(index * 8 + i)).join();
  return `{"timestamp":${index},"event_type":"llm_call","agent_name":"","pattern_type":"","payload":{"response":"${noise}"}}\n`;
}

const LINES = 5_000;
const text = Array.from({ length: LINES }, (_, index) => lineOf(index)).join('');
const half = text.indexOf('\n', text.length / 2) + 1;

interface Outcome {
  readonly timestamps: number[];
  readonly errors: { message: string; line: number; byteOffset: number; reason: string }[];
  readonly stats: ReadStats;
}

async function readAll(source: TraceSource): Promise<Outcome> {
  const timestamps: number[] = [];
  const errors: Outcome['errors'] = [];
  const onError = ({ message, line, byteOffset, reason }: TraceReadError): void =>
    void errors.push({ message, line, byteOffset, reason });
  const reader = readTraceEvents(source, { onError });
  for await (const { timestamp } of reader) timestamps.push(timestamp);
  return { timestamps, errors, stats: reader.stats() };
}

/** As many events as there are, in order, and nothing else. */
function whole(count: number = LINES): Outcome {
  return {
    timestamps: Array.from({ length: count }, (_, index) => index),
    errors: [],
    stats: {
      lines: count,
      events: count,
      errors: 0,
      nonFinite: 0,
      unknownKeys: 0,
      tornTail: false,
    },
  };
}

function chunksOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

function zstdWithChecksum(data: string): Buffer {
  return zstdCompressSync(data, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-archive-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['gzip', gzipSync, 'incorrect header check'],
  ['zstd', zstdCompressSync, 'Unknown frame descriptor'],
] as const)('readTraceEvents: %s', (name, pack, unknown) => {
  const packed = pack(text);

  test.each(['run.jsonl.gz', 'run.jsonl.zst', 'run.jsonl'])(
    'is known by its first bytes, though the file is called %s',
    async (fileName) => {
      const path = join(folder, fileName);
      writeFileSync(path, packed);

      expect(await readAll(path)).toEqual(whole());
    },
  );

  test('is read from chunks of any size', async () => {
    for (const size of [5_000, 16_384, packed.length - 1])
      expect(await readAll(chunksOf(packed, size))).toEqual(whole());
    const small = pack(lineOf(0) + lineOf(1));
    for (const size of [1, 2, 3, 7]) expect(await readAll(chunksOf(small, size))).toEqual(whole(2));
  });

  test('archives put one after the other are read as one, wherever the chunks are cut', async () => {
    const first = pack(text.slice(0, half));
    const both = Buffer.concat([first, pack(text.slice(half))]);

    for (const chunks of [
      [both],
      [first, both.subarray(first.length)],
      [both.subarray(0, first.length + 2), both.subarray(first.length + 2)],
      chunksOf(both, 10_000),
    ])
      expect(await readAll(chunks)).toEqual(whole());
  });

  test('of an archive that is cut off, what could be read is delivered and half a line is reported', async () => {
    const { timestamps, errors, stats } = await readAll([packed.subarray(0, -9_000)]);

    // zstd unpacks whole blocks of 128 KiB only
    expect(timestamps.length).toBeGreaterThan(3_000);
    expect(timestamps).toEqual(whole(timestamps.length).timestamps);
    const line = timestamps.length + 1;
    const byteOffset = text.indexOf(lineOf(timestamps.length));
    expect(errors).toEqual([
      {
        message: expect.stringMatching(`^stream:${line}: half a line of \\d+ bytes at the end$`),
        line,
        byteOffset,
        reason: 'torn',
      },
    ]);
    expect(stats).toEqual({
      ...whole(timestamps.length).stats,
      lines: line,
      errors: 1,
      tornTail: true,
    });
  });

  test('an archive that is cut off between two lines is reported too', async () => {
    const checksum = pack(text.slice(half));
    const cut = Buffer.concat([pack(text.slice(0, half)), checksum.subarray(0, 10)]);

    const { errors, stats } = await readAll(chunksOf(cut, 5_000));

    const line = text.slice(0, half).split('\n').length;
    expect(errors).toEqual([
      {
        message: `stream:${line}: the archive is cut off here`,
        line,
        byteOffset: half,
        reason: 'torn',
      },
    ]);
    expect(stats).toMatchObject({ lines: line, events: line - 1, errors: 1, tornTail: true });
  });

  test('an archive of nothing is whole', async () => {
    const empty = pack('');
    const nothing = { events: 0, errors: 0, tornTail: false };

    for (const chunks of [[empty], chunksOf(empty, 1)])
      expect((await readAll(chunks)).stats).toMatchObject(nothing);
    const { stats } = await readAll([empty.subarray(0, -2)]);
    expect(stats).toMatchObject({ events: 0, errors: 1, tornTail: true });
  });

  test.each([4, 6])('of an archive of %i bytes nothing can be read', async (length) => {
    const { errors, stats } = await readAll([packed.subarray(0, length)]);

    expect(errors).toEqual([
      { message: 'stream:1: the archive is cut off here', line: 1, byteOffset: 0, reason: 'torn' },
    ]);
    expect(stats).toMatchObject({ lines: 1, events: 0, errors: 1 });
  });

  test('a corrupt archive is a read_failed that says where, after what could be read', async () => {
    const bytes = Buffer.from(packed);
    const middle = Math.floor(bytes.length * 0.75);
    bytes.fill(0xff, middle, middle + 200);
    const path = join(folder, 'corrupt');
    writeFileSync(path, bytes);

    // what gzip makes of broken bytes, until it finds out, are broken lines
    const reader = readTraceEvents(path, { onError: () => {} });
    let read = 0;
    const reading = (async () => {
      for await (const { timestamp } of reader) expect(timestamp).toBe(read++);
    })();

    await expect(reading).rejects.toMatchObject({
      code: 'read_failed',
      message: expect.stringMatching(`^${path}: corrupt ${name} archive near byte \\d+: `),
    });
    expect(read).toBeGreaterThan(1_000);
  });

  test('what follows an archive and is none is a read_failed', async () => {
    for (const chunks of [
      [Buffer.concat([packed, Buffer.from(lineOf(1))])],
      [packed, Buffer.from(lineOf(1))],
    ])
      await expect(readAll(chunks)).rejects.toMatchObject({
        message: expect.stringMatching(
          `^stream: corrupt ${name} archive near byte \\d+: ${unknown}$`,
        ),
      });
  });

  test('a wrong checksum at the end costs no more than the bytes that were unpacked with it', async () => {
    const bytes = name === 'gzip' ? Buffer.from(packed) : zstdWithChecksum(text);
    const last = bytes.length - (name === 'gzip' ? 5 : 1); // gzip's is followed by its length
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    const reader = readTraceEvents([bytes]);

    await expect(async () => {
      for await (const event of reader) {
        expect(event.event_type).toBe('llm_call');
        await new Promise((resolve) => setImmediate(resolve)); // the error comes before its turn
      }
    }).rejects.toMatchObject({ code: 'read_failed' });
    const lost = (1 - reader.stats().events / LINES) * text.length;
    expect(lost).toBeLessThan(64 * 1024);
  });

  test('a bomb is unpacked as it is read', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const bomb = pack(lineOf(0).repeat(200_000));
    let kept = 0;

    for await (const event of readTraceEvents([bomb])) {
      expect(event.timestamp).toBe(0);
      gc();
      const before = process.memoryUsage().arrayBuffers;
      for (let turn = 0; turn < 5_000; turn++)
        await new Promise((resolve) => setImmediate(resolve));
      gc();
      kept = process.memoryUsage().arrayBuffers - before;
      break;
    }

    expect(kept).toBeLessThan(1024 * 1024);
  });

  test('a bomb without a line feed is a line that is too long', async () => {
    const bomb = pack(Buffer.alloc(65 * 1024 * 1024));

    const { errors, stats } = await readAll([bomb, pack(`\n${lineOf(0)}`)]);

    expect(errors.map(({ reason, line }) => ({ reason, line }))).toEqual([
      { reason: 'too_long', line: 1 },
    ]);
    expect(stats).toMatchObject({ lines: 2, events: 1, tornTail: false });
  });

  test('a break closes what unpacks and the source', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield* chunksOf(packed, 10_000);
      } finally {
        closed = true;
      }
    }

    for await (const { timestamp } of readTraceEvents(source())) if (timestamp === 10) break;

    expect(closed).toBe(true);
  });

  test('a signal ends the wait for a chunk that never comes', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    async function* stuck(): AsyncGenerator<Buffer> {
      yield packed.subarray(0, 1_000);
      controller.abort(reason);
      await new Promise(() => {});
    }

    await expect(async () => {
      for await (const event of readTraceEvents(stuck(), { signal: controller.signal }))
        expect(event.event_type).toBe('llm_call');
    }).rejects.toBe(reason);
  });
});

describe('readTraceEvents: archives', () => {
  test('zeros that fill up the last block of a disk or a tape after gzip are nothing', async () => {
    const [packed, padding] = [gzipSync(text), Buffer.alloc(700)];
    const first = Buffer.concat([gzipSync(text.slice(0, half)), padding]);

    expect(await readAll([packed, padding])).toEqual(whole());
    expect(await readAll([Buffer.concat([packed, padding])])).toEqual(whole());
    expect(await readAll([Buffer.concat([first, gzipSync(text.slice(half)), padding])])).toEqual(
      whole(),
    );
  });

  test('zstd may begin with a frame that is to be skipped, as pzstd writes it', async () => {
    const frame = Buffer.from('502a4d1804000000aabbccdd', 'hex');
    const packed = Buffer.concat([frame, zstdCompressSync(lineOf(0)), frame]);

    for (const size of [1, 5, packed.length])
      expect(await readAll(chunksOf(packed, size))).toEqual(whole(1));
    expect(await readAll([frame])).toEqual(whole(0));
  });

  test('a text that begins like one is a text', async () => {
    const { errors, stats } = await readAll([`(node:1) Warning\n${lineOf(0)}`]);

    expect(errors.map(({ reason, line }) => ({ reason, line }))).toEqual([
      { reason: 'not_json', line: 1 },
    ]);
    expect(stats).toMatchObject({ lines: 2, events: 1 });
  });

  test('a source of fewer bytes than a format is known by is a text', async () => {
    for (const bytes of ['', '\n', '{}', '(']) {
      const { stats } = await readAll([bytes]);
      expect(stats.lines).toBe(bytes.trim() === '' ? 0 : 1);
    }
  });
});
