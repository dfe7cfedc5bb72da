import { hash } from 'node:crypto';
import { type SpanContext, TraceFlags } from '@opentelemetry/api';

/**
 * A W3C trace id: the id itself where it is one or a UUID, else 32 digits of its SHA-256, which is what
 * Langfuse's `createTraceId(seed)` gives.
 */
export function toTraceId(traceId: string): string {
  const hex = traceId.replaceAll('-', '').toLowerCase();
  return isId(hex, 32) ? hex : digest(traceId, 32);
}

/** A W3C span id: the id itself where it is one, else 16 digits of the SHA-256 of both ids. */
export function toSpanId(traceId: string, spanId: string): string {
  const hex = spanId.toLowerCase();
  return isId(hex, 16) ? hex : digest(`${traceId}:${spanId}`, 16);
}

function isId(text: string, digits: number): boolean {
  return text.length === digits && /^[\da-f]*$/.test(text) && !/^0*$/.test(text);
}

function digest(text: string, digits: number): string {
  const hex = hash('sha256', text).slice(0, digits);
  return /^0*$/.test(hex) ? `${hex.slice(1)}1` : hex; // W3C: all zeros means "no id"
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT =
  /^(?!ff)(?<version>[\da-f]{2})-(?!0{32})(?<traceId>[\da-f]{32})-(?!0{16})(?<spanId>[\da-f]{16})-(?<flags>[\da-f]{2})(?<more>-.*)?$/;

/** The span that a W3C header names, or `undefined` where the header is none. */
export function remoteSpanContext(traceparent: string): SpanContext | undefined {
  const groups = TRACEPARENT.exec(traceparent.trim())?.groups;
  if (groups === undefined) return undefined;
  const { version, traceId, spanId, flags, more } = groups as Record<string, string>;
  // only a later version may have more fields
  if (traceId === undefined || spanId === undefined || (version === '00' && more !== undefined))
    return undefined;
  const traceFlags = Number.parseInt(flags ?? '', 16) & TraceFlags.SAMPLED;
  return { traceId, spanId, traceFlags, isRemote: true };
}
