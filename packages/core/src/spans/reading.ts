import { nowSeconds } from '../clock.ts';
import { CONTEXT_KEYS } from '../context-keys.ts';
import type { TraceEvent, TracePayload } from '../event.ts';
import { define, toPlainData } from '../plain.ts';
import type { SpanContext } from './record.ts';
import type { SpanKind, SpanStatus } from './span.ts';

const STARTS: ReadonlyMap<string, SpanKind> = new Map([
  ['pattern_start', 'pattern'],
  ['agent_start', 'agent'],
  ['llm_call', 'llm'],
  ['tool_start', 'tool'],
]);

const ENDS: ReadonlyMap<string, SpanKind> = new Map([
  ['pattern_end', 'pattern'],
  ['agent_end', 'agent'],
  ['llm_response', 'llm'],
  ['tool_end', 'tool'],
]);

/** Keys of a payload that are fields of a span. */
const FIELDS: ReadonlySet<string> = new Set([...CONTEXT_KEYS, 'tags']);

const NO_CONTEXT: SpanContext = {};

/** An event, copied and taken apart. Ids are those it carries. */
export interface Reading {
  readonly timestamp: number;
  readonly event_type: string;
  readonly agent_name: string;
  readonly pattern_type: string;
  /** What it starts, if it starts something. */
  readonly starts: SpanKind | undefined;
  readonly ends: SpanKind | undefined;
  readonly trace_id: string | undefined;
  readonly span_id: string | undefined;
  readonly parent_span_id: string | undefined;
  /** The parent in another process. */
  readonly remote_span_id: string | undefined;
  readonly context: SpanContext;
  /** The whole payload. */
  readonly payload: TracePayload;
  /** The payload without the keys above. */
  readonly attributes: TracePayload;
}

/** Ids are strings with something in them; anything else is no id. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Reads an event once and keeps nothing of it: the caller may change it later. */
export function readEvent(event: TraceEvent): Reading {
  const plain = toPlainData(event.payload);
  const payload = (typeof plain === 'object' && plain !== null ? plain : {}) as TracePayload;
  const { trace_id, span_id, parent_span_id, traceparent, session_id, user_id, tags } = payload;
  const attributes: Record<string, unknown> = {};
  // a rest pattern takes twice as long
  for (const key in payload) if (!FIELDS.has(key)) define(attributes, key, payload[key]);
  const event_type = String(event.event_type);
  const { timestamp } = event;
  return {
    timestamp: Number.isFinite(timestamp) ? timestamp : nowSeconds(),
    event_type,
    agent_name: text(event.agent_name) ?? '',
    pattern_type:
      text(event.pattern_type) ??
      (event_type === 'pattern_start' ? text(attributes['pattern_type']) : undefined) ??
      '',
    starts: STARTS.get(event_type),
    ends: ENDS.get(event_type),
    trace_id: text(trace_id),
    span_id: text(span_id),
    parent_span_id: text(parent_span_id),
    remote_span_id: spanOf(traceparent),
    context:
      session_id === undefined && user_id === undefined && tags === undefined
        ? NO_CONTEXT
        : {
            ...(text(session_id) && { session_id: session_id as string }),
            ...(text(user_id) && { user_id: user_id as string }),
            ...(Array.isArray(tags) && { tags: tags.filter((tag) => typeof tag === 'string') }),
          },
    payload,
    attributes,
  };
}

/** The span id of a W3C `traceparent`. */
function spanOf(traceparent: unknown): string | undefined {
  if (typeof traceparent !== 'string') return undefined;
  return /^[\da-f]{2}-[\da-f]{32}-(?!0{16})([\da-f]{16})-[\da-f]{2}/.exec(traceparent)?.[1];
}

/** How long the event says its operation took, in seconds. */
export function durationOf({ duration_ms, duration_seconds }: TracePayload): number {
  if (isQuantity(duration_ms)) return duration_ms / 1000;
  return isQuantity(duration_seconds) ? duration_seconds : 0;
}

export function isQuantity(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** The status that an end states. */
export function statusOf({ status }: TracePayload): SpanStatus | undefined {
  return status === 'ok' || status === 'error' || status === 'cancelled' ? status : undefined;
}

/** What a span of this kind is called. */
export function nameOf(kind: SpanKind, reading: Reading): string {
  if (kind === 'pattern') return reading.pattern_type;
  if (kind === 'agent') return reading.agent_name;
  return text(reading.attributes[kind === 'llm' ? 'model' : 'tool_name']) ?? '';
}

/** Both payloads, where the second wins unless it says nothing: `null` is Python's "not given". */
export function merge(first: TracePayload, second: TracePayload): TracePayload {
  const merged: Record<string, unknown> = { ...first };
  for (const key of Object.keys(second)) {
    const value = second[key];
    if (value === undefined || (value === null && Object.hasOwn(first, key))) continue;
    define(merged, key, value);
  }
  return merged;
}
