import type { Identity } from './identity.ts';
import { durationOf, isQuantity, merge, nameOf, type Reading } from './reading.ts';
import type { Span, SpanAnnotation, SpanKind } from './span.ts';

/** What a root hands down. */
export type SpanContext = Pick<Span, 'session_id' | 'user_id' | 'tags'>;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A span under construction: open while it has no `end_time`, then waiting for its cost. */
export interface SpanRecord {
  /** Without what it inherits. Its attributes are replaced, never changed: snapshots share them. */
  readonly span: Mutable<Span> & { readonly annotations: SpanAnnotation[] };
  context: SpanContext;
  /** Saw an `error`. */
  failed: boolean;
  /** Has its end event: a call that an error ended waits for it. */
  answered: boolean;
  /** Has a cost: the next one is late. */
  priced: boolean;
  handedOn: boolean;
  /** What it was made of so far. */
  events: number;
  /** Names a parent in this process that nobody saw yet. */
  waiting: boolean;
  /** The nearest ancestor that is still open. */
  parent: SpanRecord | undefined;
  children: Set<SpanRecord> | undefined;
  /** For the idle bound, by the clock that never jumps: after a sleep of the machine a run goes on. */
  activeAtMs: number;
  /** The newest timestamp of its own events and its descendants': where an unended span ends. */
  lastTime: number;
  /** Another open one with the same span id, in another trace. */
  namesake: SpanRecord | undefined;
  // a list in order of activity
  previous: SpanRecord | undefined;
  next: SpanRecord | undefined;
}

/** @param complete the event says how the operation ended too: it began a duration earlier */
export function newRecord(
  kind: SpanKind,
  reading: Reading,
  { trace_id, parent_span_id }: Identity,
  span_id: string,
  complete: boolean,
): SpanRecord {
  const { timestamp, agent_name, pattern_type, attributes, context } = reading;
  const span: SpanRecord['span'] = {
    kind,
    trace_id,
    span_id,
    name: nameOf(kind, reading),
    agent_name,
    pattern_type,
    start_time: complete ? toMicroseconds(timestamp - durationOf(attributes)) : timestamp,
    attributes,
    annotations: [],
  };
  if (parent_span_id !== undefined) {
    span.parent_span_id = parent_span_id;
    if (parent_span_id === reading.remote_span_id) {
      span.remote_parent = true;
      span.traceparent = reading.payload['traceparent'] as string;
    }
  }
  if (reading.starts === undefined) span.synthetic_start = true;
  return {
    span,
    context,
    failed: false,
    answered: false,
    priced: false,
    handedOn: false,
    events: 1,
    waiting: false,
    parent: undefined,
    children: undefined,
    activeAtMs: 0,
    lastTime: timestamp,
    namesake: undefined,
    previous: undefined,
    next: undefined,
  };
}

/** Adds what an end event says. */
export function addEnd(record: SpanRecord, reading: Reading): void {
  const { span } = record;
  span.attributes = merge(span.attributes, reading.attributes);
  span.name ||= nameOf(span.kind, reading);
  span.agent_name ||= reading.agent_name;
  span.pattern_type ||= reading.pattern_type;
  record.context = { ...record.context, ...reading.context };
  record.answered = true;
  record.priced ||= isQuantity(span.attributes['cost_usd']);
}

/** Its own context, and what it lacks from its ancestors. */
export function contextOf({ context, parent }: SpanRecord): SpanContext {
  for (let above = parent; above !== undefined; above = above.parent)
    context = { ...above.context, ...context };
  return context;
}

/** The record as it stands. Nothing of it changes later. */
export function toSpan(record: SpanRecord): Span {
  const { span } = record;
  return { ...span, ...contextOf(record), annotations: [...span.annotations] };
}

/** Not before 1970, and without the noise of a subtraction of floating-point numbers. */
function toMicroseconds(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1e6) / 1e6);
}
