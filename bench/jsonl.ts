// What does a line in a file cost, beside the least that code can do for it, and beside loggers?
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { comparing, type Goal, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import {
  buffered,
  BUFFERED,
  exported,
  type Open,
  pinoLogger,
  sonicBoom,
  streamed,
  SYNC,
  SYNC_BUFFERED,
  unbuffered,
  type Writer,
} from './jsonl/writers.ts';
import { LINE_BYTES, sampleEvents } from './samples.ts';

const LINES_PER_TURN = 1_000;
const ITERATIONS = 20 * LINES_PER_TURN;
const ROUNDS = 11;
/** Then it is not coming any more. */
const MAX_TURNS = 100_000;

const events = sampleEvents(LINES_PER_TURN);

const OURS = "bus and JsonlExporter, durability: 'tick'";
const PINO_SYNC = 'pino, sync';
const PINO_BUFFERED = 'pino, asynchronous, minLength 4096';

const NOTE =
  'Time runs until the file has all lines; closing it is not timed. Each round writes a new file, with a ' +
  'turn of the event loop after a thousand lines. pino runs without process id, host and time and writes ' +
  '11 bytes more, the level.';

const REMAINS =
  'About half of the difference is the look at each event for what JSON cannot say (see the text of a ' +
  'line), the rest is delivering and counting.';

export const measurements: readonly Measurement[] = comparing(
  {
    title: "a line of 312 bytes, in the file when the call returns: durability: 'line'",
    per: 'line',
    iterations: ITERATIONS,
    rounds: ROUNDS,
    subjects: [
      written("bus and JsonlExporter, durability: 'line'", exported({ durability: 'line' }), {
        goal: { ratio: 1.25, ahead: [PINO_SYNC], remains: REMAINS },
      }),
      written(PINO_SYNC, pinoLogger(SYNC)),
      written('JSON.stringify, sonic-boom, sync', sonicBoom(SYNC)),
    ],
    peer: written('JSON.stringify, fs.writeSync per line', unbuffered),
    note: `${NOTE} What writes later, such as fs.createWriteStream, is not in this table.`,
  },
  {
    title: 'a line of 312 bytes, one await per event',
    per: 'line',
    iterations: ITERATIONS,
    rounds: ROUNDS,
    subjects: [
      written(OURS, exported({}), {
        goal: { ratio: 1.25, ahead: [PINO_SYNC, PINO_BUFFERED], remains: REMAINS },
        awaiting: true,
      }),
      written(PINO_SYNC, pinoLogger(SYNC), { awaiting: true }),
      written(PINO_BUFFERED, pinoLogger(BUFFERED), { awaiting: true }),
      written('JSON.stringify, sonic-boom, sync', sonicBoom(SYNC), { awaiting: true }),
      written('JSON.stringify, sonic-boom, asynchronous, minLength 4096', sonicBoom(BUFFERED), {
        awaiting: true,
      }),
      written('JSON.stringify, fs.createWriteStream', streamed, { awaiting: true }),
    ],
    peer: written('JSON.stringify, fs.writeSync per line', unbuffered, { awaiting: true }),
    note: `${NOTE} After each event a promise is awaited, and 'tick' writes its line by then, as the synchronous ones do at once; the others still hold theirs in memory.`,
  },
  {
    title: 'a line of 312 bytes, in bursts',
    per: 'line',
    iterations: 50 * LINES_PER_TURN,
    rounds: ROUNDS,
    subjects: [
      written(OURS, exported({}), {
        goal: { ratio: 1.25, ahead: [PINO_SYNC, PINO_BUFFERED], remains: REMAINS },
      }),
      written(PINO_SYNC, pinoLogger(SYNC)),
      written(PINO_BUFFERED, pinoLogger(BUFFERED)),
      written('JSON.stringify, sonic-boom, sync, minLength 4096', sonicBoom(SYNC_BUFFERED)),
      written('JSON.stringify, sonic-boom, asynchronous, minLength 4096', sonicBoom(BUFFERED)),
      written('JSON.stringify, fs.createWriteStream', streamed),
      written('JSON.stringify, fs.writeSync per line', unbuffered),
    ],
    peer: written('JSON.stringify, a string of 64 KiB, fs.writeSync', buffered),
    note: `${NOTE} A burst is a thousand lines without an await.`,
  },
  {
    title: 'the text of a line',
    per: 'line',
    iterations: 200_000,
    rounds: 15,
    subjects: [encoded('encodeTraceEvent', encodeTraceEvent)],
    peer: encoded('JSON.stringify', JSON.stringify),
  },
);

function written(
  name: string,
  open: Open,
  { goal, awaiting = false }: { readonly goal?: Goal; readonly awaiting?: boolean } = {},
): Subject {
  const writeAll = awaiting ? writeAwaiting : writeBursts;
  return {
    name,
    goal,
    start() {
      const folder = mkdtempSync(join(tmpdir(), 'pyagent-trace-bench-'));
      const path = join(folder, 'run.jsonl');
      let elapsedMs = 0;
      return {
        prepare: () => rmSync(path, { force: true }),
        async round(iterations) {
          const start = performance.now();
          const writer = open(path);
          await writeAll(writer, iterations);
          await writer.end();
          const lineBytes = LINE_BYTES + (writer.extra?.length ?? 0);
          await arrival(path, iterations * lineBytes);
          elapsedMs = performance.now() - start;
          await writer.closed?.();
          return statSync(path).size / lineBytes;
        },
        elapsedMs: () => elapsedMs,
        bytes: () => statSync(path).size,
        stop: () => rmSync(folder, { recursive: true }),
      };
    },
  };
}

async function writeBursts({ write, ready }: Writer, iterations: number): Promise<void> {
  for (let i = 0; i < iterations; i++) {
    if (i % LINES_PER_TURN === 0) {
      await nextTurn();
      await ready?.();
    }
    write(events[i % LINES_PER_TURN] as TraceEvent);
  }
}

async function writeAwaiting({ write, ready }: Writer, iterations: number): Promise<void> {
  for (let i = 0; i < iterations; i++) {
    if (i % LINES_PER_TURN === 0) {
      await nextTurn();
      await ready?.();
    }
    write(events[i % LINES_PER_TURN] as TraceEvent);
    await Promise.resolve();
  }
}

/** Not what a stream says about itself: some report the end only after a sync to the disk. */
async function arrival(path: string, bytes: number): Promise<void> {
  const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  for (let turn = 0; size() < bytes && turn < MAX_TURNS; turn++) await nextTurn();
}

function encoded(name: string, encode: (event: TraceEvent) => string): Subject {
  return {
    name,
    start: () => ({
      round(iterations) {
        let bytes = 0;
        for (let i = 0; i < iterations; i++)
          bytes += encode(events[i % LINES_PER_TURN] as TraceEvent).length + 1;
        return bytes / LINE_BYTES;
      },
    }),
  };
}
