import type { TraceEvent } from '@pyagent-trace/core';
import { type CallError, read } from './entry-of.ts';

/** More are a leak: of operations that never ended. */
const MAX_FAILURES = 10_000;
const ENDS: ReadonlySet<string> = new Set(['pattern_end', 'agent_end', 'llm_response', 'tool_end']);

/**
 * What each operation threw. An error is told once, where it was first thrown; the operations around it
 * that failed with it say no more than that they failed.
 */
export class FailureTrail {
  readonly #failures = new Map<string, CallError>();

  of(spanId: string): CallError | undefined {
    return this.#failures.get(spanId);
  }

  /** To be told of every event, after what `of` is asked for. */
  saw({ event_type, payload }: TraceEvent): void {
    const isError = event_type === 'error';
    if (!isError && !ENDS.has(event_type)) return;
    const span_id = read(payload, 'span_id');
    if (typeof span_id !== 'string') return;
    if (isError) {
      this.#set(span_id, toCallError(payload));
      return;
    }
    const failure = this.#failures.get(span_id);
    this.#failures.delete(span_id);
    if (failure === undefined) return;
    const parent_span_id = read(payload, 'parent_span_id');
    const status = read(payload, 'status');
    const failed = status === 'error' || status === 'cancelled';
    if (failed && typeof parent_span_id === 'string') this.#set(parent_span_id, failure);
  }

  #set(spanId: string, failure: CallError): void {
    this.#failures.delete(spanId); // the newest last
    this.#failures.set(spanId, failure);
    if (this.#failures.size <= MAX_FAILURES) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      return;
    }
  }
}

/** The payload of an `error` event, as it is kept with a call. */
export function toCallError(payload: TraceEvent['payload']): CallError {
  const message = read(payload, 'message');
  const error_type = read(payload, 'error_type');
  const code = read(payload, 'code');
  return {
    message: typeof message === 'string' ? message : '',
    error_type: typeof error_type === 'string' ? error_type : 'Error',
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
  };
}
