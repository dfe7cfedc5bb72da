import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeTraceEvent } from '@pyagent-trace/core';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { sampleRun } from '@pyagent-trace/core/testing';
import { inFolder } from '../folder.mjs';

const text = Array.from({ length: 500 }, (_, run) => sampleRun({ run: run + 1 }))
  .flat()
  .map((event) => `${encodeTraceEvent(event)}\n`)
  .join('');

async function read(source) {
  const errors = [];
  let last;
  const reader = readTraceEvents(source, {
    onError: ({ reason }) => errors.push(reason),
  });
  try {
    for await (const event of reader) last = event.event_type;
  } catch (error) {
    errors.push(error.code);
  }
  const { events, tornTail } = reader.stats();
  // how much of a damaged archive can be read, and into what it unpacks, is the decompressor's matter
  return errors.length > 0 ? { lastError: errors.at(-1) } : { events, last, tornTail };
}

const damaged = (bytes) => {
  const copy = Buffer.from(bytes);
  copy.fill(0x55, copy.length >> 1, (copy.length >> 1) + 64);
  return copy;
};
const cut = (bytes) => bytes.subarray(0, bytes.length >> 1);
/** Too short to give a single byte, so that no torn line tells of it. */
const HEAD_BYTES = 6;

export const features = {
  'a file': inFolder((folder) => {
    const path = join(folder, 'run.jsonl');
    writeFileSync(path, `${text}{"timestamp":1,"event_type":NaN}\n{"timest`);
    return read(path);
  }),
  'a stream': () => read([text.slice(0, 1000), Buffer.from(text.slice(1000))]),
  gzip: () => read([gzipSync(text)]),
  'a cut off gzip archive': () => read([cut(gzipSync(text))]),
  'a damaged gzip archive': () => read([damaged(gzipSync(text))]),
  zstd: () => read([zstdCompressSync(text)]),
  'a cut off zstd archive': () => read([cut(zstdCompressSync(text))]),
  'a zstd archive that is cut off before its first byte': () =>
    read([zstdCompressSync(text).subarray(0, HEAD_BYTES)]),
  'a damaged zstd archive': () => read([damaged(zstdCompressSync(text))]),
  'a named pipe': inFolder((folder) => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reading = read(path);
    const line = text.slice(0, text.indexOf('\n'));
    spawn('sh', ['-c', 'echo "$1" > "$0"', path, line]);
    return reading;
  }),
};
