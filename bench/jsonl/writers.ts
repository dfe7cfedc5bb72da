import { once } from 'node:events';
import { closeSync, createWriteStream, openSync, writeSync } from 'node:fs';
import { type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { JsonlExporter, type JsonlExporterOptions } from '@pyagent-trace/exporter-jsonl';
import { pino } from 'pino';
import sonicBoomModule, { type SonicBoomOpts } from 'sonic-boom';

/** Something that writes events into a file as lines of JSON. */
export interface Writer {
  readonly write: (event: TraceEvent) => void;
  /** Waits, once per turn, until it takes more. */
  readonly ready?: () => Promise<unknown> | undefined;
  /** Asks for the rest to be written. */
  readonly end: () => unknown;
  /** Waits until the file is closed. Not timed: some sync it to the disk first. */
  readonly closed?: () => Promise<unknown>;
  /** What its line has more than `JSON.stringify(event)`. */
  readonly extra?: string;
}

export type Open = (path: string) => Writer;

export function exported(options: JsonlExporterOptions): Open {
  return (path) => {
    const bus = new TraceEventBus();
    bus.attach(new JsonlExporter(path, options));
    return { write: bus.emit, end: () => bus.shutdown() };
  };
}

const BUFFER_CHARACTERS = 64 * 1024;

/** The least that can be done for a burst: a write for every 64 KiB. */
export function buffered(path: string): Writer {
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

/** The least that can be done for a line that must be in the file at once. */
export function unbuffered(path: string): Writer {
  const file = openSync(path, 'a');
  return {
    write: (event) => void writeSync(file, `${JSON.stringify(event)}\n`),
    end: () => closeSync(file),
  };
}

export function streamed(path: string): Writer {
  const stream = createWriteStream(path);
  return {
    write: (event) => void stream.write(`${JSON.stringify(event)}\n`),
    ready: () => (stream.writableNeedDrain ? once(stream, 'drain') : undefined),
    end: () => stream.end(),
    closed: () => once(stream, 'close'),
  };
}

/** What its documentation advises for asynchronous logging. */
const PINO_MIN_LENGTH = 4096;

export const SYNC: SonicBoomOpts = { sync: true };
export const BUFFERED: SonicBoomOpts = { sync: false, minLength: PINO_MIN_LENGTH };
export const SYNC_BUFFERED: SonicBoomOpts = { sync: true, minLength: PINO_MIN_LENGTH };

export function sonicBoom(options: SonicBoomOpts): Open {
  return (path) => {
    const stream = new sonicBoomModule.SonicBoom({ dest: path, ...options });
    let full = false;
    return {
      write: (event) => void (full = !stream.write(`${JSON.stringify(event)}\n`)),
      ready: () => (full && !options.sync ? once(stream, 'drain') : undefined),
      end: () => stream.end(),
      closed: () => once(stream, 'close'),
    };
  };
}

/** Without process id, host and time, which the event does not ask for; the level cannot be left out. */
export function pinoLogger(options: SonicBoomOpts): Open {
  return (path) => {
    const destination = pino.destination({ dest: path, ...options });
    const logger = pino({ base: null, timestamp: false }, destination);
    return {
      write: (event) => logger.info(event),
      end: () => destination.end(),
      closed: () => once(destination, 'close'),
      extra: '"level":30,',
    };
  };
}
