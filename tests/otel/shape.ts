// What events say of their spans, and what a backend got, in one form: so that the two can be compared.
import type { TraceEvent } from '@pyagent-trace/core';
import type { ReceivedSpan } from '../../apps/demo/src/otlp-decode.ts';

export interface Shape {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly name: string;
  readonly kind: string;
  readonly start_us: number;
  readonly end_us: number;
  readonly status: string;
}

const STARTS: Readonly<Record<string, (event: TraceEvent) => string>> = {
  pattern_start: ({ pattern_type }) => `invoke_workflow ${pattern_type}`,
  agent_start: ({ agent_name }) => `invoke_agent ${agent_name}`,
  llm_call: ({ payload }) => `chat ${String(payload['model'])}`,
  tool_start: ({ payload }) => `execute_tool ${String(payload['tool_name'])}`,
};
const ENDS = new Set(['pattern_end', 'agent_end', 'llm_response', 'tool_end']);

/** By the plain rule that a start and an end of one id are a span: events of the tracer, all ended. */
export function shapesOfEvents(events: readonly TraceEvent[]): Shape[] {
  const ends = new Map(
    events
      .filter(({ event_type }) => ENDS.has(event_type))
      .map((event) => [event.payload['span_id'], event]),
  );
  return events
    .flatMap((event) => {
      const name = STARTS[event.event_type]?.(event);
      if (name === undefined) return [];
      const { trace_id, span_id, parent_span_id = '' } = event.payload;
      const end = ends.get(span_id);
      return {
        trace_id: String(trace_id),
        span_id: String(span_id),
        parent_span_id: String(parent_span_id),
        name,
        kind: event.event_type === 'llm_call' ? 'client' : 'internal',
        start_us: Math.round(event.timestamp * 1e6),
        end_us: Math.round((end?.timestamp ?? Number.NaN) * 1e6),
        status: end?.payload['status'] === 'error' ? 'error' : 'unset',
      };
    })
    .toSorted(byId);
}

export function shapesOfSpans(spans: readonly ReceivedSpan[]): Shape[] {
  return spans
    .map(({ trace_id, span_id, parent_span_id, name, kind, start_ns, end_ns, status }) => ({
      trace_id,
      span_id,
      parent_span_id,
      name,
      kind,
      start_us: Number(start_ns / 1000n),
      end_us: Number(end_ns / 1000n),
      status,
    }))
    .toSorted(byId);
}

function byId(a: Shape, b: Shape): number {
  return `${a.trace_id}${a.span_id}` < `${b.trace_id}${b.span_id}` ? -1 : 1;
}
