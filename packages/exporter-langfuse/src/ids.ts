import { hash } from 'node:crypto';

const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/;

/** A trace id as W3C and Langfuse have it: the text itself if it is one, else 32 digits of its hash. */
export function toTraceId(text: string): string {
  return TRACE_ID.test(text) ? text : hash('sha256', text, 'hex').slice(0, 32);
}

/** The same for a span id, of 16 digits. A span id need not be unique across traces; its hash is. */
export function toSpanId(traceId: string, text: string): string {
  return SPAN_ID.test(text) ? text : hash('sha256', `${traceId}:${text}`, 'hex').slice(0, 16);
}
