import { encodeTraceEvent, TraceError, type TraceEvent } from '@pyagent-trace/core';
import {
  type JsonlFormat,
  type JsonlReader,
  readJsonl,
  type ReadOptions,
  TRACE_EVENT_FORMAT,
  TraceReadError,
  type TraceSource,
} from '@pyagent-trace/core/read';
import { encodeEntry } from '../entry-of.ts';
import { RECORD_ENTRY_FORMAT, type RecordEntry } from '../record-entry.ts';
import { exchangeOfEntry } from './entry-exchange.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeIndex } from './exchange-index.ts';
import { type IgnoredPath, isRecord } from './question.ts';
import { TraceExchanges } from './trace-exchanges.ts';

/** A path or file URL, chunks of a file, or what such a file holds, already read. */
export type ReplaySource =
  | TraceSource
  | AsyncIterable<TraceEvent | RecordEntry>
  | Iterable<TraceEvent | RecordEntry>;

/**
 * Puts what a source holds into an index.
 *
 * @returns whether it has half a line, as after a kill
 * @throws {TraceReadError} `invalid_line`
 * @throws {TraceError} `read_failed`, or `not_replayable` where no call of the source can be
 */
export async function load(
  source: ReplaySource,
  index: ExchangeIndex,
  ignored: readonly IgnoredPath[],
): Promise<boolean> {
  let isTorn = false;
  const onError = (error: TraceReadError): void => {
    // what a kill leaves, at the end or where the next process went on
    if (error.reason === 'torn' || error.reason === 'half') isTorn = true;
    else if (error.reason !== 'unknown_key') throw error;
  };
  const reader = openRun(source, { onError }, 'createReplayer');
  let format: 'trace' | 'recording' | undefined;
  let problem: { readonly line: number; readonly text: string } | undefined;
  const add = (exchange: Exchange | undefined): void => {
    if (exchange === undefined) return;
    if (exchange.answer.problem === undefined) problem = undefined;
    else if (index.size === 0) problem = { line: exchange.line, text: exchange.answer.problem };
    index.add(exchange);
  };
  const trace = new TraceExchanges(add, ignored);
  for await (const item of reader) {
    const place = reader.place();
    const found = 'payload' in item ? 'trace' : 'recording';
    format ??= found;
    if (found !== format)
      throw new TraceReadError(
        found === 'trace' ? 'invalid_event' : 'invalid_entry',
        `${WHAT[found]} in ${WHAT[format === 'trace' ? 'traceFile' : 'recordingFile']}`,
        place,
      );
    if ('payload' in item) trace.add(item, place.line);
    else add(exchangeOfEntry(item, place.line, ignored));
  }
  trace.finish();
  if (problem !== undefined)
    throw new TraceError(
      'not_replayable',
      `${reader.place().source}: no call can be replayed: that of line ${problem.line}, as an example: ${problem.text}`,
    );
  return isTorn;
}

const WHAT = {
  trace: 'an event of a trace',
  recording: 'an entry of a recording',
  traceFile: 'a trace',
  recordingFile: 'a recording',
};

/**
 * Reads a run of either format, line by line.
 *
 * @param place whose source it is; the message of an error starts with it
 */
export function openRun(
  source: ReplaySource,
  options: ReadOptions,
  place: string,
): JsonlReader<TraceEvent | RecordEntry> {
  const chunks =
    typeof source === 'string' || source instanceof URL || !isIterable(source)
      ? (source as TraceSource)
      : toChunks(source);
  return readJsonl<TraceEvent | RecordEntry>(
    chunks,
    (value): JsonlFormat<TraceEvent | RecordEntry> =>
      isRecord(value) && 'messages_in' in value && !('payload' in value)
        ? RECORD_ENTRY_FORMAT
        : TRACE_EVENT_FORMAT,
    options,
    place,
  );
}

/** What is read already becomes lines again, so that it is checked as a file is. */
async function* toChunks(
  source: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<Uint8Array | string, void, undefined> {
  for await (const item of source) {
    if (!isRecord(item) || ArrayBuffer.isView(item)) yield item as Uint8Array | string;
    else if ('messages_in' in item) yield `${encodeEntry(item as never)}\n`;
    else yield `${encodeTraceEvent(item as never)}\n`;
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}
