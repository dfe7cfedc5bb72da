/** Payload keys that say where an event belongs: its run, its operation, its conversation and user. */
export const CONTEXT_KEYS = [
  'trace_id',
  'span_id',
  'parent_span_id',
  'traceparent',
  'session_id',
  'user_id',
] as const;
