import type { TraceEvent } from '../event.ts';

/** A value of the payload. Never throws. */
export function readValue({ payload }: TraceEvent, key: string): unknown {
  try {
    return payload[key];
  } catch {
    return undefined; // a getter or a proxy
  }
}

export function readText(event: TraceEvent, key: string): string {
  const value = readValue(event, key);
  return typeof value === 'string' ? value : '';
}

/** The trace of an event: its `trace_id`, else its pattern, as in the seed; empty when it has neither. */
export function traceOf(event: TraceEvent): string {
  return readText(event, 'trace_id') || event.pattern_type;
}
