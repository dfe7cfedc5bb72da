import { isUtf8 } from 'node:buffer';
import * as z from 'zod';
import {
  createTraceEvent,
  isObject,
  problemOf,
  TRACE_EVENT_KEYS,
  type TraceEvent,
} from './event.ts';
import { parseOptions } from './schema/options.ts';
import { TraceReadError, type TraceReadErrorReason } from './read/error.ts';
import { isTooDeep, MAX_DEPTH, nullNonFinite } from './read/json.ts';
import { type Line, LineSplitter, MAX_LINE_BYTES } from './read/lines.ts';
import { openSource, type TraceSource, untilAborted } from './read/source.ts';
import { explain, problemsOfPayload, TraceEventSchema } from './schema/event.ts';

export { type LinePlace, TraceReadError, type TraceReadErrorReason } from './read/error.ts';
export type { TraceSource } from './read/source.ts';

export interface ReadOptions {
  /**
   * Hears of each line that cannot be read, or not whole; reading goes on. What it throws ends the
   * reading.
   *
   * @default the first line that gives no event is thrown, except a torn last line
   */
  readonly onError?: ((error: TraceReadError) => void) | undefined;
  /** Ends the reading with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Counted so far. `lines = events + errors`. */
export interface ReadStats {
  /** Lines that are not empty. */
  readonly lines: number;
  readonly events: number;
  /** Lines that gave no event. */
  readonly errors: number;
  /** `NaN`, `Infinity` and `-Infinity`, as Python writes them; read as null. */
  readonly nonFinite: number;
  /** Keys beside the five, left out. */
  readonly unknownKeys: number;
  /** The last line is half a line, as after a kill. It is one of `errors`. */
  readonly tornTail: boolean;
}

/** Events as they are read. Can be iterated once. */
export interface TraceEventReader extends AsyncIterable<TraceEvent> {
  stats(): ReadStats;
}

const OptionsSchema: z.ZodType<ReadOptions> = z.strictObject({
  onError: z
    .custom<ReadOptions['onError']>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  signal: z.instanceof(AbortSignal, { error: 'expected an AbortSignal' }).optional(),
});

/**
 * Reads a file of trace events, one JSON object per line, written by any of the languages.
 *
 * Holds one chunk and one line in memory, whatever the size of the file. Takes CRLF, a byte order mark,
 * empty lines and Python's NaN (as null). Each event is checked as `TraceEventSchema` does and is
 * frozen. A line may have 64 MiB and 200 levels of nesting.
 *
 * A torn last line and a sixth key are what a kill and another version leave behind: they are reported
 * to `onError` and counted, and never thrown.
 *
 * @throws {TraceError} `invalid_option`, at once
 * @throws {TraceError} `read_failed` while iterating, if the source cannot be read; names the path
 * @throws {TraceReadError} `invalid_line` while iterating, without `onError`
 *
 * @example
 * ```ts
 * const reader = readTraceEvents('run.jsonl', { onError: (error) => console.warn(error.message) });
 * for await (const event of reader) bus.emit(event);
 * console.log(reader.stats());
 * ```
 */
export function readTraceEvents(source: TraceSource, options: ReadOptions = {}): TraceEventReader {
  const { onError, signal } = parseOptions(OptionsSchema, options, 'readTraceEvents');
  const { name, chunks } = openSource(source);
  const lines = new LineReader(name, onError);
  const events = readAll(untilAborted(chunks, signal), lines, signal);
  return { [Symbol.asyncIterator]: () => events, stats: () => ({ ...lines.stats }) };
}

async function* readAll(
  chunks: AsyncIterable<Buffer>,
  lines: LineReader,
  signal: AbortSignal | undefined,
): AsyncGenerator<TraceEvent, void, void> {
  const splitter = new LineSplitter();
  for await (const chunk of chunks)
    for (const line of splitter.push(chunk)) {
      const event = lines.read(line);
      if (event === undefined) continue;
      yield event;
      signal?.throwIfAborted();
    }
  const last = splitter.end();
  const event = last && lines.read(last);
  if (event !== undefined) yield event;
}

class LineReader {
  readonly stats = {
    lines: 0,
    events: 0,
    errors: 0,
    nonFinite: 0,
    unknownKeys: 0,
    tornTail: false,
  };
  readonly #source: string;
  readonly #onError: ReadOptions['onError'];

  constructor(source: string, onError: ReadOptions['onError']) {
    this.#source = source;
    this.#onError = onError;
  }

  /** The event of a line, or `undefined` for an empty line and for one that was reported. */
  read(line: Line): TraceEvent | undefined {
    if (line.tooLong) return this.#refuse(line, 'too_long', `longer than ${MAX_LINE_BYTES} bytes`);
    let text = line.bytes.toString('utf8');
    if (line.number === 1 && text.startsWith('\ufeff')) text = text.slice(1);
    if (/^[ \t\r]*$/.test(text)) return undefined;
    if (text.includes('\ufffd') && !isUtf8(line.bytes))
      return line.terminated ? this.#refuse(line, 'not_utf8', 'not UTF-8') : this.#refuseTorn(line);
    if (isTooDeep(text))
      return this.#refuse(line, 'too_deep', `nested deeper than ${MAX_DEPTH} levels`);
    let value: unknown;
    try {
      value = this.#parse(text);
    } catch (cause) {
      return line.terminated
        ? this.#refuse(line, 'not_json', 'not JSON', cause)
        : this.#refuseTorn(line);
    }
    return this.#check(value, line);
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      const { text: readable, count } = nullNonFinite(text);
      if (count === 0) throw error;
      const value: unknown = JSON.parse(readable);
      this.stats.nonFinite += count;
      return value;
    }
  }

  #check(value: unknown, line: Line): TraceEvent | undefined {
    // what is right is found right by hand; zod says what is wrong
    if (problemOf(value) === undefined) {
      const event = createTraceEvent(value as TraceEvent);
      if (problemsOfPayload(event.event_type, event.payload).length === 0)
        return this.#count(event);
    }
    const { fiveKeys, more } = isObject(value) ? splitKeys(value) : { fiveKeys: value, more: [] };
    const { data, error } = TraceEventSchema.safeParse(fiveKeys);
    if (error !== undefined)
      return this.#refuse(line, 'invalid_event', explain(error.issues), error);
    this.stats.unknownKeys += more.length;
    this.#onError?.(this.#error(line, 'unknown_key', `${more.join(', ')}: unknown key, left out`));
    return this.#count(data);
  }

  #count(event: TraceEvent): TraceEvent {
    this.stats.lines += 1;
    this.stats.events += 1;
    return event;
  }

  #refuseTorn(line: Line): undefined {
    this.stats.tornTail = true;
    this.#refuse(line, 'torn', `half a line of ${line.bytes.length} bytes at the end`);
  }

  #refuse(line: Line, reason: TraceReadErrorReason, problem: string, cause?: unknown): undefined {
    this.stats.lines += 1;
    this.stats.errors += 1;
    const error = this.#error(line, reason, problem, cause);
    if (this.#onError !== undefined) this.#onError(error);
    else if (reason !== 'torn') throw error;
  }

  #error(
    { number, byteOffset }: Line,
    reason: TraceReadErrorReason,
    problem: string,
    cause?: unknown,
  ): TraceReadError {
    const place = { source: this.#source, line: number, byteOffset };
    return new TraceReadError(reason, problem, place, { cause });
  }
}

function splitKeys(value: Record<string, unknown>): { fiveKeys: unknown; more: string[] } {
  const entries = Object.entries(value);
  return {
    fiveKeys: Object.fromEntries(entries.filter(([key]) => TRACE_EVENT_KEYS.has(key))),
    more: entries.filter(([key]) => !TRACE_EVENT_KEYS.has(key)).map(([key]) => key),
  };
}
