import { execFile } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createGzip, createZstdCompress } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReadReport } from '../fixtures/read-file.ts';
import { encodeTraceEvent } from './encode.ts';
import { sampleRun } from './testing/index.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/read-file.ts', import.meta.url));
/** `READ_MIB=1024` takes half a minute. */
const MIB = Number(process.env['READ_MIB'] ?? 128);
/** A young heap before it is collected, a chunk, and the window of an unpacker. */
const MAX_GROWTH = 48 * 1024 * 1024;

const BLOCK_EVENTS = 3_000;
const BLOCK = Buffer.from(
  sampleRun({ calls: (BLOCK_EVENTS - 4) / 2 })
    .map((event) => `${encodeTraceEvent(event)}\n`)
    .join(''),
);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('readTraceEvents', () => {
  test.each([
    ['as it is', () => new PassThrough()],
    ['packed by gzip', () => createGzip({ level: 1 })],
    ['packed by zstd', () => createZstdCompress()],
  ] as const)(
    `reads ${MIB} MiB, %s, in as much memory as a small file`,
    { timeout: 180_000 },
    async (_, createPacker) => {
      const path = join(folder, 'run');
      const blocks = Math.ceil((MIB * 1024 * 1024) / BLOCK.length);
      await pipeline(repeated(BLOCK, blocks), createPacker(), createWriteStream(path));

      const { events, rssBytes } = await read(path);

      expect(events).toBe(blocks * BLOCK_EVENTS);
      expect(rssBytes[1] - rssBytes[0]).toBeLessThan(MAX_GROWTH);
    },
  );
});

function* repeated(block: Buffer, times: number): Generator<Buffer> {
  for (let i = 0; i < times; i++) yield block;
}

async function read(path: string): Promise<ReadReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@pyagent-trace/source',
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    path,
  ]);
  return JSON.parse(stdout) as ReadReport;
}
