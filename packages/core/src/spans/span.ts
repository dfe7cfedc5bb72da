import type { TracePayload } from '../event.ts';

/** Which pair of events a span was made of. */
export type SpanKind = 'pattern' | 'agent' | 'llm' | 'tool';

/** What the end says; without a word of its own it is `ok`. */
export type SpanStatus = 'ok' | 'error' | 'cancelled';

/** An event that happened inside a span: a routing decision, a compression, an error, an unknown type. */
export interface SpanAnnotation {
  readonly timestamp: number;
  readonly event_type: string;
  /** The event's payload, whole. */
  readonly payload: TracePayload;
}

/** One operation, as data: what a start and an end event say together. */
export interface Span {
  readonly kind: SpanKind;
  readonly trace_id: string;
  readonly span_id: string;
  /** Absent on a root. */
  readonly parent_span_id?: string;
  /** The pattern's type, the agent's name, the model asked for or the tool's name. */
  readonly name: string;
  readonly agent_name: string;
  readonly pattern_type: string;
  /** Unix seconds. */
  readonly start_time: number;
  /** Unix seconds; absent while the span is open. */
  readonly end_time?: number;
  /** Absent while the span is open. Of an `incomplete` span: `error` if it saw one, else `ok`. */
  readonly status?: SpanStatus;
  /** Set on the root, inherited by its children. */
  readonly session_id?: string;
  readonly user_id?: string;
  readonly tags?: readonly string[];
  /** The payloads of start and end, merged, without the keys that are fields here; the end wins. */
  readonly attributes: TracePayload;
  /** In the order they came, 1,000 at most. */
  readonly annotations: readonly SpanAnnotation[];
  /** Annotations beyond the first 1,000: `onAnnotate` heard of them, they are not kept. */
  readonly dropped_annotations?: number;
  /** The end came without a start: `start_time` is `end_time` less the duration. */
  readonly synthetic_start?: true;
  /** The end never came: closed by its parent, a bound, or shutdown. */
  readonly incomplete?: true;
  /** It names a parent that nobody saw, kept in `attributes.parent_span_id`: a root of its trace. */
  readonly orphan?: true;
  /** The parent is in another process (`traceparent`). */
  readonly remote_parent?: true;
  /** The W3C header that names the remote parent. */
  readonly traceparent?: string;
  /** The end was before the start, and is set to it. */
  readonly clock_skew?: true;
}
