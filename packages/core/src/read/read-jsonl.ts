import * as z from 'zod';
import { TraceError } from '../errors.ts';
import { parseOptions } from '../schema/options.ts';
import type { LinePlace, TraceReadError } from './error.ts';
import { Flattened } from './flattened.ts';
import type { JsonlFormat } from './format.ts';
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

/** Events or entries as they are read. Can be iterated once: a second time throws `read_failed` at once. */
export interface JsonlReader<T> extends AsyncIterable<T> {
  stats(): ReadStats;
  /** The line that was read last: of what the iteration gave last, unless it was asked for more already. */
  place(): LinePlace;
}

const OptionsSchema: z.ZodType<ReadOptions> = z.strictObject({
  onError: z
    .custom<ReadOptions['onError']>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  signal: z.instanceof(AbortSignal, { error: 'expected an AbortSignal' }).optional(),
});

/**
 * Reads a file of one JSON object per line. `readTraceEvents` says what it takes, which errors it
 * reports and what it throws.
 *
 * @param formatOf the format of a line, by the value that it holds; called once for each
 * @param place what the options are for, such as `readTraceEvents`; the message of an error starts with it
 */
export function readJsonl<T>(
  source: TraceSource,
  formatOf: (value: unknown) => JsonlFormat<T>,
  options: ReadOptions,
  place: string,
): JsonlReader<T> {
  const { onError, signal } = parseOptions(OptionsSchema, options, place);
  const open = openSource(source, place, signal);
  const reader = new LineReader(open.name, formatOf, onError);
  const lines = new LineSplitter();
  let isRead = false;
  const iterate = (): AsyncIterator<T> => {
    if (isRead)
      throw new TraceError('read_failed', `${open.name}: the reader can be iterated once`);
    isRead = true;
    return new Flattened(readChunks(open, lines, reader, signal));
  };
  return {
    [Symbol.asyncIterator]: iterate,
    stats: () => ({ ...reader.stats }),
    place: () => reader.placeOf(lines),
  };
}

/** What each chunk holds, each line read when it is asked for. */
async function* readChunks<T>(
  { chunks, isCutOff }: OpenSource,
  lines: LineSplitter,
  reader: LineReader<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Iterable<T>, void, void> {
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

function* readLines<T>(
  lines: LineSplitter,
  reader: LineReader<T>,
  signal: AbortSignal | undefined,
): Generator<T, void, void> {
  while (lines.nextLine()) {
    const item = reader.read(lines);
    if (item === undefined) continue;
    yield item;
    signal?.throwIfAborted();
  }
}
