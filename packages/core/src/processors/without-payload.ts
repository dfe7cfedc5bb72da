import { createTraceEvent, readable, type TraceEvent } from '../event.ts';
import { readText } from './read-payload.ts';
import { marker } from './text-rules.ts';

/** A W3C id or a UUID. */
const PLAIN_ID = /^[0-9a-f-]{1,36}$/i;
const STATUS = /^(?:ok|error|cancelled)$/;
/** What pairs an event with others and says how it ended. */
const KEPT: Readonly<Record<string, RegExp>> = {
  trace_id: PLAIN_ID,
  span_id: PLAIN_ID,
  parent_span_id: PLAIN_ID,
  status: STATUS,
};

/**
 * The event with nothing of its payload but plain ids and a plain status, so that spans stay whole. A name
 * that cannot be cleaned becomes a marker too. Never throws.
 */
export function withoutPayload(event: TraceEvent, clean: (name: string) => string): TraceEvent {
  const nameOf = (value: unknown): string => {
    try {
      return typeof value === 'string' ? clean(value) : '';
    } catch {
      return marker('failed');
    }
  };
  const { timestamp, event_type, agent_name, pattern_type } = readable(event);
  const kept: Record<string, unknown> = {};
  for (const [key, shape] of Object.entries(KEPT)) {
    const value = readText(event, key);
    if (shape.test(value)) kept[key] = value;
  }
  return createTraceEvent({
    timestamp: timestamp as number,
    event_type: nameOf(event_type),
    agent_name: nameOf(agent_name),
    pattern_type: nameOf(pattern_type),
    payload: { ...kept, redacted: marker('failed') },
  });
}
