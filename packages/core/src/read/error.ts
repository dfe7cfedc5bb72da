import { TraceError } from '../errors.ts';

/**
 * What is wrong with a line. `torn`: the last line ends without a line feed and is no JSON, as after a
 * kill; where it is the only line, it begins as an event. `half`: the same further up, where another process
 * went on with the file. `unknown_key`: a sixth key, which is left out;
 * the event is read. With any other, the line gives no event (`invalid_entry`: no entry of a recording).
 */
export type TraceReadErrorReason =
  | 'torn'
  | 'half'
  | 'not_json'
  | 'not_utf8'
  | 'too_long'
  | 'too_deep'
  | 'invalid_event'
  | 'invalid_entry'
  | 'unknown_key';

/** Where a line is. */
export interface LinePlace {
  /** The path as it was given, or `stream`. */
  readonly source: string;
  /** From 1. */
  readonly line: number;
  /** Of the line's first byte, from 0; after decompression, if there is any. */
  readonly byteOffset: number;
}

/** One line that could not be read, or not whole: `run.jsonl:7: expected Unix seconds, got milliseconds`. */
export class TraceReadError extends TraceError implements LinePlace {
  override readonly name = 'TraceReadError';
  readonly reason: TraceReadErrorReason;
  readonly source: string;
  readonly line: number;
  readonly byteOffset: number;

  constructor(
    reason: TraceReadErrorReason,
    problem: string,
    { source, line, byteOffset }: LinePlace,
    options?: { readonly cause?: unknown },
  ) {
    super('invalid_line', `${source}:${line}: ${problem}`, options);
    this.reason = reason;
    this.source = source;
    this.line = line;
    this.byteOffset = byteOffset;
  }
}
