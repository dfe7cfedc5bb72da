import { execFile } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { sampleRun } from '@pyagent-trace/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReadReport } from '../fixtures/read-file.ts';
import { encodeEntry } from './entry-of.ts';
import { Recorder } from './recorder.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/read-file.ts', import.meta.url));
/** `READ_MIB=1024` takes half a minute. */
const MIB = Number(process.env['READ_MIB'] ?? 200);
/** A young heap before it is collected, a chunk, and the window of an unpacker. */
const MAX_GROWTH = 48 * 1024 * 1024;
const BLOCK_ENTRIES = 2_004;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('readRecording', () => {
  test.each([
    ['as it is', () => new PassThrough()],
    ['packed by gzip', () => createGzip({ level: 1 })],
  ] as const)(
    `reads ${MIB} MiB, %s, in as much memory as a small file`,
    { timeout: 180_000 },
    async (_, createPacker) => {
      const path = join(folder, 'run');
      const block = createBlock();
      const blocks = Math.ceil((MIB * 1024 * 1024) / block.length);
      await pipeline(repeated(block, blocks), createPacker(), createWriteStream(path));

      const { entries, rssBytes } = await read(path);

      expect(entries).toBe(blocks * BLOCK_ENTRIES);
      expect(rssBytes[1] - rssBytes[0]).toBeLessThan(MAX_GROWTH);
    },
  );
});

function createBlock(): Buffer {
  const recorder = new Recorder();
  for (const event of sampleRun({ calls: BLOCK_ENTRIES - 4 })) recorder.exportEvent(event);
  return Buffer.from(recorder.entries.map((entry) => `${encodeEntry(entry)}\n`).join(''));
}

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
