import type { TraceEvent } from '../event.ts';
import { TRACE_EVENT_FORMAT } from './format.ts';
import { type JsonlReader, readJsonl, type ReadOptions } from './read-jsonl.ts';
import type { TraceSource } from './source.ts';

/** Events as they are read. */
export type TraceEventReader = JsonlReader<TraceEvent>;

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
  return readJsonl(source, () => TRACE_EVENT_FORMAT, options, 'readTraceEvents');
}
