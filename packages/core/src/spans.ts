import type { TraceEvent, TracePayload } from './event.ts';

/** Which pair of events a span was made of. */
export type SpanKind = 'pattern' | 'agent' | 'llm' | 'tool';

export type SpanStatus = 'ok' | 'error' | 'cancelled';

/** An event that happened inside a span: a routing decision, a compression, an error, an unknown type. */
export interface SpanAnnotation {
  readonly timestamp: number;
  readonly event_type: string;
  readonly payload: TracePayload;
}

/** One operation, as data: what a start and an end event say together. */
export interface Span {
  readonly kind: SpanKind;
  readonly trace_id: string;
  readonly span_id: string;
  /** Absent on a root. */
  readonly parent_span_id?: string;
  /** The pattern's type, the agent's name, the model or the tool's name. */
  readonly name: string;
  readonly agent_name: string;
  readonly pattern_type: string;
  /** Unix seconds. */
  readonly start_time: number;
  /** Unix seconds; absent while the span is open. */
  readonly end_time?: number;
  /** Absent while the span is open. */
  readonly status?: SpanStatus;
  /** Set on the root, inherited by its children. */
  readonly session_id?: string;
  readonly user_id?: string;
  readonly tags?: readonly string[];
  /** The payloads of start and end, merged, without the keys that are fields here; the end wins. */
  readonly attributes: TracePayload;
  readonly annotations: readonly SpanAnnotation[];
  /** The end came without a start: `start_time` is `end_time` less the duration. */
  readonly synthetic_start?: true;
  /** The end never came: closed by its parent, a bound, or shutdown. */
  readonly incomplete?: true;
  /** It names a parent that nobody saw: a root of its trace. */
  readonly orphan?: true;
  /** The parent is in another process (`traceparent`). */
  readonly remote_parent?: true;
  /** The end was before the start, and is set to it. */
  readonly clock_skew?: true;
}

export interface SpanAssemblerOptions {
  /** A span opened. Its `end_time` and `status` are absent. */
  readonly onStart?: (span: Span) => void;
  /** Something happened inside an open span. */
  readonly onAnnotate?: (span: Span, annotation: SpanAnnotation) => void;
  /** A span is complete. Children come before their parents; each span once. */
  readonly onEnd?: (span: Span) => void;
}

/** Every event ends in exactly one of these counts; their sum is `events`. */
export interface SpanAssemblerStats {
  readonly events: number;
  readonly started: number;
  readonly ended: number;
  readonly annotated: number;
  /** A second start or end of one span, or one that came after the span was handed on. */
  readonly late: number;
  /** About no span that is known: a `trace_gap`, an unknown type, a cost without its call. */
  readonly unmatched: number;
  /** Spans that are open or wait for their cost. Not an event count. */
  readonly open: number;
}

export class SpanAssembler {
  constructor(_options: SpanAssemblerOptions) {}
  readonly add = (_event: TraceEvent): void => {};
  flush(): void {}
  shutdown(): void {}
  stats(): SpanAssemblerStats {
    return { events: 0, started: 0, ended: 0, annotated: 0, late: 0, unmatched: 0, open: 0 };
  }
}
