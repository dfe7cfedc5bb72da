/**
 * What a `TraceError` is about. Codes are stable: test for them, never for message text. The listed ones
 * are this package's; other packages have codes of their own.
 */
export type TraceErrorCode =
  | 'invalid_option'
  | 'invalid_exporter'
  | 'invalid_event'
  | 'invalid_line'
  | 'read_failed'
  | 'subscriber_timeout'
  | (string & {});

const MARKER: unique symbol = Symbol.for('@pyagent-trace/error');

/**
 * The root of every error these packages throw or report. The message says place, problem and value:
 * `run.jsonl:7: expected Unix seconds, got milliseconds`.
 */
export class TraceError extends Error {
  override readonly name: string = 'TraceError';
  readonly code: TraceErrorCode;
  readonly [MARKER] = true;

  constructor(code: TraceErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Works across copies and versions of this package, where `instanceof` does not. */
  static isInstance(value: unknown): value is TraceError {
    try {
      return typeof value === 'object' && value !== null && MARKER in value;
    } catch {
      return false; // a revoked proxy
    }
  }
}

/** The message of anything that can be thrown. Never throws itself. */
export function messageOf(error: unknown): string {
  try {
    return typeof error === 'object' && error !== null && 'message' in error
      ? String(error.message)
      : String(error);
  } catch {
    return 'an error that cannot be printed';
  }
}
