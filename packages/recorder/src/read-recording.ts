import {
  type JsonlReader,
  readJsonl,
  type ReadOptions,
  type TraceSource,
} from '@pyagent-trace/core/read';
import { RECORD_ENTRY_FORMAT, type RecordEntry } from './record-entry.ts';

/** Entries as they are read. */
export type RecordingReader = JsonlReader<RecordEntry>;

/**
 * Reads a recording, one entry per line, written by any of the languages. Takes, reports and throws what
 * `readTraceEvents` of `@pyagent-trace/core/read` does: gzip and zstd, CRLF, a byte order mark, Python's
 * NaN, half a line at the end. Holds one chunk and one line in memory.
 *
 * @throws {TraceError} `invalid_option`, at once
 * @throws {TraceError} `read_failed` while iterating, if the source cannot be read
 * @throws {TraceReadError} `invalid_line` while iterating, without `onError`
 *
 * @example
 * ```ts
 * for await (const entry of readRecording('debate.jsonl')) console.log(entry.response);
 * ```
 */
export function readRecording(source: TraceSource, options: ReadOptions = {}): RecordingReader {
  return readJsonl(source, () => RECORD_ENTRY_FORMAT, options, 'readRecording');
}
