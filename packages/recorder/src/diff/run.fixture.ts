import { createTraceEvent, newSpanId, newTraceId, type TraceEvent } from '@pyagent-trace/core';

/** An operation to make events of. */
export interface Step {
  readonly kind: 'pattern' | 'agent' | 'llm_call' | 'tool';
  readonly name: string;
  /** Seconds since the run began. */
  readonly from: number;
  readonly to: number;
  readonly asked?: object;
  readonly answered?: object;
  readonly inside?: readonly Step[];
}

const TYPES = {
  pattern: ['pattern_start', 'pattern_end'],
  agent: ['agent_start', 'agent_end'],
  llm_call: ['llm_call', 'llm_response'],
  tool: ['tool_start', 'tool_end'],
} as const;

/** The events of a run, with new ids and at another time each time. */
export function eventsOf(...steps: readonly Step[]): TraceEvent[] {
  const events: TraceEvent[] = [];
  const began = 1.7e9 + Math.floor(Math.random() * 1e7);
  const trace_id = newTraceId();
  const add = (
    step: Step,
    parent_span_id: string | undefined,
    names: { agent: string; pattern: string },
  ): void => {
    const { kind, name, from, to, asked, answered, inside = [] } = step;
    const own = {
      agent: kind === 'agent' ? name : names.agent,
      pattern: kind === 'pattern' ? name : names.pattern,
    };
    const ids = { trace_id, span_id: newSpanId(), ...(parent_span_id && { parent_span_id }) };
    const event = (index: 0 | 1, at: number, payload: object): void =>
      void events.push(
        createTraceEvent({
          timestamp: began + at,
          event_type: TYPES[kind][index],
          agent_name: own.agent,
          pattern_type: own.pattern,
          payload: { ...ids, ...payload },
        }),
      );
    const named =
      kind === 'llm_call' ? { model: name } : kind === 'tool' ? { tool_name: name } : {};
    event(0, from, { ...named, ...asked });
    for (const inner of inside) add(inner, ids.span_id, own);
    event(1, to, { duration_ms: (to - from) * 1000, status: 'ok', ...answered });
  };
  for (const outer of steps) add(outer, undefined, { agent: '', pattern: '' });
  return events.toSorted((a, b) => a.timestamp - b.timestamp);
}

export function ask(
  from: number,
  content: string,
  response: string,
  more: Partial<Step> = {},
): Step {
  const { asked, answered, ...rest } = more;
  return {
    kind: 'llm_call',
    name: 'gpt-4o',
    from,
    to: from + 1,
    asked: { messages_in: [{ role: 'user', content }], ...asked },
    answered: { response, input_tokens: 10, output_tokens: 2, ...answered },
    ...rest,
  };
}

export function tool(from: number, name: string, args: unknown, result: unknown): Step {
  return {
    kind: 'tool',
    name,
    from,
    to: from + 1,
    asked: { arguments: args },
    answered: { result },
  };
}

export function agent(name: string, inside: readonly Step[], more: Partial<Step> = {}): Step {
  const from = Math.min(...inside.map((step) => step.from));
  const to = Math.max(...inside.map((step) => step.to));
  return { kind: 'agent', name, from, to, inside, ...more };
}

export function debate(...inside: readonly Step[]): Step {
  return { ...agent('debate', inside), kind: 'pattern' };
}
