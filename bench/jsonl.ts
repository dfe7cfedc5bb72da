// What does a line in a file cost, beside the least that code can do for it?
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeTraceEvent, type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { JsonlExporter, type JsonlExporterOptions } from '@pyagent-trace/exporter-jsonl';
import type { Comparison, Subject } from './harness.ts';
import { LINE_BYTES, sampleEvents } from './samples.ts';

const LINES_PER_TURN = 1_000;
const BUFFER_CHARACTERS = 64 * 1024;

const events = sampleEvents(LINES_PER_TURN);

const NOTE =
  'A thousand lines per turn of the event loop. Each round writes and closes a new file.';

interface Writer {
  readonly write: (event: TraceEvent) => void;
  readonly end: () => void | Promise<void>;
}

export const comparisons: readonly Comparison[] = [
  {
    title: 'a line of 312 bytes in a file',
    per: 'line',
    iterations: 50_000,
    rounds: 20,
    subjects: [
      written('bus and JsonlExporter', exported({}), 1.25),
      written('JSON.stringify, fs.writeSync per line', unbuffered),
    ],
    peer: written('JSON.stringify, a string of 64 KiB, fs.writeSync', buffered),
    note: NOTE,
  },
  {
    title: "a line of 312 bytes in a file, durability: 'line'",
    per: 'line',
    iterations: 50_000,
    rounds: 20,
    subjects: [written('bus and JsonlExporter', exported({ durability: 'line' }))],
    peer: written('JSON.stringify, fs.writeSync per line', unbuffered),
    note: NOTE,
  },
  {
    title: 'the text of a line',
    per: 'line',
    iterations: 200_000,
    rounds: 15,
    subjects: [encoded('encodeTraceEvent', encodeTraceEvent)],
    peer: encoded('JSON.stringify', JSON.stringify),
  },
];

function written(name: string, open: (path: string) => Writer, goal?: number): Subject {
  return {
    name,
    ...(goal !== undefined && { goal }),
    start() {
      const folder = mkdtempSync(join(tmpdir(), 'pyagent-trace-bench-'));
      const path = join(folder, 'run.jsonl');
      return {
        prepare: () => rmSync(path, { force: true }),
        async round(iterations) {
          const { write, end } = open(path);
          for (let i = 0; i < iterations; i++) {
            if (i % LINES_PER_TURN === 0) await nextTurn();
            write(events[i % LINES_PER_TURN] as TraceEvent);
          }
          await end();
          return statSync(path).size / LINE_BYTES;
        },
        stop: () => rmSync(folder, { recursive: true }),
      };
    },
  };
}

function exported(options: JsonlExporterOptions): (path: string) => Writer {
  return (path) => {
    const bus = new TraceEventBus();
    bus.attach(new JsonlExporter(path, options));
    return {
      write: bus.emit,
      end: async () => void (await bus.shutdown()),
    };
  };
}

function buffered(path: string): Writer {
  const file = openSync(path, 'a');
  let text = '';
  return {
    write(event) {
      text += `${JSON.stringify(event)}\n`;
      if (text.length < BUFFER_CHARACTERS) return;
      writeSync(file, text);
      text = '';
    },
    end() {
      writeSync(file, text);
      closeSync(file);
    },
  };
}

function unbuffered(path: string): Writer {
  const file = openSync(path, 'a');
  return {
    write: (event) => void writeSync(file, `${JSON.stringify(event)}\n`),
    end: () => closeSync(file),
  };
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
