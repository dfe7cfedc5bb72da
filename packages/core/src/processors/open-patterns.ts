import type { TraceEvent } from '../event.ts';
import { readText, traceOf } from './read-payload.ts';

interface OpenPattern {
  readonly trace: string;
  readonly span: string;
  readonly patternType: string;
}

/** More are a leak: the oldest is forgotten. */
const MAX_PATTERNS = 1_000;

/** The patterns that have not ended: what names no trace happened in the newest of them. */
export class OpenPatterns {
  #patterns: readonly OpenPattern[] = [];

  /** The trace of an event, as `SpanAssembler` finds it; empty when it has none. */
  traceOf(event: TraceEvent): string {
    const { event_type, pattern_type } = event;
    const named = traceOf(event);
    // a trace_gap is about the writer
    if (named !== pattern_type || ['pattern_start', 'trace_gap'].includes(event_type)) return named;
    const newest = this.#patterns.findLast(
      ({ patternType }) => named === '' || patternType === named,
    );
    return newest?.trace ?? named;
  }

  start(trace: string, event: TraceEvent): void {
    const pattern = { trace, span: readText(event, 'span_id'), patternType: event.pattern_type };
    this.#patterns = [...this.#patterns, pattern].slice(-MAX_PATTERNS);
  }

  /** The span of the pattern that an event ends; empty when it is not known. */
  end(trace: string, event: TraceEvent): string {
    const span = readText(event, 'span_id');
    const ended = this.#patterns.findLast(
      (pattern) => pattern.trace === trace && (span === '' || pattern.span === span),
    );
    this.#patterns = this.#patterns.filter((pattern) => pattern !== ended);
    return ended?.span ?? span;
  }

  /** A trace is over, whether its patterns have ended or not. */
  forget(trace: string): void {
    this.#patterns = this.#patterns.filter((pattern) => pattern.trace !== trace);
  }
}
