import type { TraceEvent, TracePayload } from '@pyagent-trace/core';

/** An operation with what happened in it, without ids and times. */
export interface NormalNode {
  readonly events: readonly unknown[];
  /** In an order of their own: side by side, nobody is first. */
  readonly children: readonly NormalNode[];
}

const IDS_AND_TIMES: ReadonlySet<string> = new Set([
  'trace_id',
  'span_id',
  'parent_span_id',
  'duration_ms',
  'time_to_first_chunk_ms',
  'stack',
]);

/** What two runs have to have in common to be the same run. Two are compared with `toEqual`. */
export function normalForm(events: readonly TraceEvent[]): NormalNode[] {
  const own = new Map<unknown, unknown[]>();
  const parents = new Map<unknown, unknown>();
  for (const { event_type, agent_name, pattern_type, payload } of events) {
    const { span_id, parent_span_id } = payload;
    const said = [event_type, agent_name, pattern_type, withoutTimes(payload)];
    own.set(span_id, [...(own.get(span_id) ?? []), said]);
    if (parent_span_id !== undefined) parents.set(span_id, parent_span_id);
  }
  const below = (parent: unknown): NormalNode[] =>
    [...own]
      .filter(([id]) => parents.get(id) === parent)
      .map(([id, said]) => ({ events: said, children: below(id) }))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return below(undefined);
}

function withoutTimes(payload: TracePayload): unknown {
  const kept = Object.entries(payload)
    .filter(([key]) => !IDS_AND_TIMES.has(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.parse(
    JSON.stringify(Object.fromEntries(kept), (key, value: unknown) =>
      key === 'at_ms' ? undefined : value,
    ),
  );
}
