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
  readonly #patterns: OpenPattern[] = [];

  /** The trace of an event, as `SpanAssembler` finds it; empty when it has none. */
  traceOf(event: TraceEvent): string {
    const { event_type, pattern_type } = event;
    if (readText(event, 'trace_id') !== '' || event_type === 'pattern_start') return traceOf(event);
    if (event_type === 'trace_gap') return pattern_type; // about the writer
    const newest = this.#patterns.findLast(
      ({ patternType }) => pattern_type === '' || patternType === pattern_type,
    );
    return newest?.trace ?? pattern_type;
  }

  start(trace: string, event: TraceEvent): void {
    this.#patterns.push({
      trace,
      span: readText(event, 'span_id'),
      patternType: event.pattern_type,
    });
    if (this.#patterns.length > MAX_PATTERNS) this.#patterns.shift();
  }

  /** The span of the pattern that an event ends; empty when it is not known. */
  end(trace: string, event: TraceEvent): string {
    const span = readText(event, 'span_id');
    const index = this.#patterns.findLastIndex(
      (pattern) => pattern.trace === trace && (span === '' || pattern.span === span),
    );
    if (index === -1) return span;
    const [ended] = this.#patterns.splice(index, 1);
    return ended?.span ?? span;
  }

  /** A trace is over, whether its patterns have ended or not. */
  forget(trace: string): void {
    for (let i = this.#patterns.length - 1; i >= 0; i--)
      if (this.#patterns[i]?.trace === trace) this.#patterns.splice(i, 1);
  }
}
