// What does a line cost to read and check, beside JSON.parse of the same line?
import {
  createReadStream,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { encodeTraceEvent } from '@pyagent-trace/core';
import { readTraceEvents, type TraceSource } from '@pyagent-trace/core/read';
import { comparing, type Goal, type Running, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import { EVENTS_PER_TRIPLE, sampleTriples } from './samples.ts';

const ITERATIONS = 8_000 * EVENTS_PER_TRIPLE;
const GOAL: Goal = {
  ratio: 2,
  remains: 'The difference is the check of each line, and its place in the file for the report.',
};
const CHUNK_BYTES = 256 * 1024;

export const measurements: readonly Measurement[] = comparing(
  {
    title: 'reading a line of a file',
    per: 'line',
    iterations: ITERATIONS,
    rounds: 15,
    subjects: [
      ofFile('readTraceEvents', readAll, GOAL),
      ofFile('node:readline and JSON.parse', async (path) => {
        let read = 0;
        for await (const line of createInterface({ input: createReadStream(path) }))
          if (isEvent(JSON.parse(line))) read += 1;
        return read;
      }),
    ],
    peer: ofFile('fs.readFileSync, split and JSON.parse', (path) =>
      parseAll(readFileSync(path, 'utf8').trimEnd().split('\n')),
    ),
    note: 'The lines of traced triples. readTraceEvents checks the five keys and the known keys of each payload, and holds one chunk in memory; its peers check nothing.',
  },
  {
    title: 'reading a line in memory',
    per: 'line',
    iterations: ITERATIONS,
    rounds: 15,
    subjects: [ofLines('readTraceEvents, from chunks of bytes', toChunks, readAll, GOAL)],
    peer: ofLines('JSON.parse, of strings cut beforehand', (lines) => lines, parseAll),
  },
);

type Count = number | Promise<number>;

function ofFile(name: string, read: (path: string) => Count, goal?: Goal): Subject {
  return {
    name,
    goal,
    start(): Running {
      const folder = mkdtempSync(join(tmpdir(), 'pyagent-trace-bench-'));
      const path = join(folder, 'run.jsonl');
      return {
        prepare: (iterations) => writeFileSync(path, `${sampleLines(iterations).join('\n')}\n`),
        round: () => read(path),
        bytes: () => statSync(path).size,
        stop: () => rmSync(folder, { recursive: true }),
      };
    },
  };
}

function ofLines<T>(
  name: string,
  convert: (lines: string[]) => T,
  read: (subject: T) => Count,
  goal?: Goal,
): Subject {
  return {
    name,
    goal,
    start() {
      let subject: T;
      let bytes = 0;
      return {
        prepare(iterations) {
          const lines = sampleLines(iterations);
          bytes = Buffer.byteLength(lines.join('\n')) + 1;
          subject = convert(lines);
        },
        round: () => read(subject),
        bytes: () => bytes,
      };
    },
  };
}

function sampleLines(count: number): string[] {
  return sampleTriples(count / EVENTS_PER_TRIPLE).map((event) => encodeTraceEvent(event));
}

function toChunks(lines: readonly string[]): Buffer[] {
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES)
    chunks.push(bytes.subarray(start, start + CHUNK_BYTES));
  return chunks;
}

async function readAll(source: TraceSource): Promise<number> {
  let read = 0;
  for await (const event of readTraceEvents(source)) if (isEvent(event)) read += 1;
  return read;
}

function parseAll(lines: readonly string[]): number {
  let read = 0;
  for (const line of lines) if (isEvent(JSON.parse(line))) read += 1;
  return read;
}

function isEvent(value: unknown): boolean {
  return (value as { timestamp?: unknown }).timestamp !== undefined;
}
