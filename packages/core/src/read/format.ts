import type * as z from 'zod';
import { adoptTraceEvent, TRACE_EVENT_KEYS, type TraceEvent } from '../event.ts';
import { problemsOfPayload, TraceEventSchema } from '../schema/event.ts';

/** What a line of a file may hold. */
export interface JsonlFormat<T> {
  /** Other keys are reported, counted and left out. */
  readonly keys: ReadonlySet<string>;
  /**
   * What a value is, where that is found sooner than by the schema: nearly every line is right.
   * `undefined` leaves it to the schema, which says what is wrong, or fills in what is missing.
   */
  readonly adopt?: (value: unknown) => T | undefined;
  readonly schema: z.ZodType<T>;
  /** Why a line is refused that the schema refuses. */
  readonly reason: 'invalid_event' | 'invalid_entry';
}

/** The lines that `readTraceEvents` reads. */
export const TRACE_EVENT_FORMAT: JsonlFormat<TraceEvent> = {
  keys: TRACE_EVENT_KEYS,
  adopt: (value) => {
    const event = adoptTraceEvent(value);
    return event !== undefined && problemsOfPayload(event.event_type, event.payload).length === 0
      ? event
      : undefined;
  },
  schema: TraceEventSchema,
  reason: 'invalid_event',
};
