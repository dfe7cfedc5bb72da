import * as z from 'zod';
import type { TraceEvent } from '../event.ts';
import { parseOptions } from '../schema/options.ts';
import type { TraceReadError } from './error.ts';
import { Flattened } from './flattened.ts';
import { LineReader, type ReadStats } from './line-reader.ts';
import { LineSplitter } from './lines.ts';
import { openSource, type OpenSource, type TraceSource, untilAborted } from './source.ts';

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
 * Reads a file of trace events, one JSON object per line, written by any of the languages. The file may
 * be packed by gzip or zstd, whatever its name.
 *
 * Holds one chunk and one line in memory, whatever the size of the file. Takes CRLF, a byte order mark,
 * empty lines and Python's NaN (as null). Each event is checked as `TraceEventSchema` does and is
 * frozen. A line may have 64 MiB and 200 levels of nesting.
 *
 * A torn last line, an archive that is cut off and a sixth key are what a kill and another version leave
 * behind: they are reported to `onError` and counted, and never thrown.
 *
 * @throws {TraceError} `invalid_option`, at once
 * @throws {TraceError} `read_failed` while iterating, if the source cannot be read or is a corrupt
 *   archive; names the path
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
  const open = openSource(source);
  const lines = new LineReader(open.name, onError);
  const events = new Flattened(readChunks(open, lines, signal));
  return { [Symbol.asyncIterator]: () => events, stats: () => ({ ...lines.stats }) };
}

/** The events of each chunk, each read when it is asked for. */
async function* readChunks(
  { chunks, isCutOff }: OpenSource,
  reader: LineReader,
  signal: AbortSignal | undefined,
): AsyncGenerator<Iterable<TraceEvent>, void, void> {
  const lines = new LineSplitter();
  for await (const chunk of untilAborted(chunks, signal)) {
    lines.push(chunk);
    yield readLines(lines, reader, signal);
  }
  lines.lastLine();
  const last = reader.read(lines);
  if (last !== undefined) yield [last];
  if (isCutOff()) reader.cutOff(lines);
}

function* readLines(
  lines: LineSplitter,
  reader: LineReader,
  signal: AbortSignal | undefined,
): Generator<TraceEvent, void, void> {
  while (lines.nextLine()) {
    const event = reader.read(lines);
    if (event === undefined) continue;
    yield event;
    signal?.throwIfAborted();
  }
}
