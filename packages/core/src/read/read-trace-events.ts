import * as z from 'zod';
import { TraceError } from '../errors.ts';
import type { TraceEvent } from '../event.ts';
import { parseOptions } from '../schema/options.ts';
import type { TraceReadError } from './error.ts';
import { Flattened } from './flattened.ts';
import { LineReader, type ReadStats } from './line-reader.ts';
import { LineSplitter } from './lines.ts';
import {
  openSource,
  type OpenSource,
  orAborted,
  type TraceSource,
  untilAborted,
} from './source.ts';

export interface ReadOptions {
  /**
   * Hears of each line that cannot be read, or not whole; reading goes on. What it throws ends the
   * reading. A promise that it returns is awaited before the next chunk is read, and its rejection ends
   * the reading then; one that never settles holds the reading until `signal` ends it.
   *
   * @default the first line that gives no event is thrown, except a torn last line
   */
  readonly onError?: ((error: TraceReadError) => unknown) | undefined;
  /** Ends the reading with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Events as they are read. Can be iterated once: a second time throws `read_failed` at once. */
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
 * @throws {TraceError} `read_failed` while iterating, if the source cannot be read, is a corrupt archive,
 *   or was read by this reader already; names the path
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
  const open = openSource(source, signal);
  const lines = new LineReader(open.name, onError);
  let isRead = false;
  const iterate = (): AsyncIterator<TraceEvent> => {
    if (isRead)
      throw new TraceError('read_failed', `${open.name}: the reader can be iterated once`);
    isRead = true;
    return new Flattened(readChunks(open, lines, signal));
  };
  return { [Symbol.asyncIterator]: iterate, stats: () => ({ ...lines.stats }) };
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
    await orAborted(() => reader.answered(), signal);
  }
  lines.lastLine();
  const last = reader.read(lines);
  if (last !== undefined) yield [last];
  if (isCutOff()) reader.cutOff(lines);
  await orAborted(() => reader.answered(), signal);
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
