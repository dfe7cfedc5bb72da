import { createTraceEvent, type TraceEvent, type TracePayload } from '../event.ts';

export interface SampleRunOptions {
  /**
   * Which run: a positive integer below 2^32. Every id and timestamp follows from it, so two runs of
   * different numbers share nothing and two of one number are equal.
   *
   * @default 1
   */
  readonly run?: number;
  /**
   * Model calls, one after another, below one agent.
   *
   * @default 2
   */
  readonly calls?: number;
}

/** 2025-01-01T00:00:00Z, in Unix seconds. */
const FIRST_START = 1_735_689_600;
const RUN_SECONDS = 60;
/** Between two events. A power of two, so that sums are exact. */
const STEP_SECONDS = 0.125;
const STEP_MS = STEP_SECONDS * 1000;

/**
 * The events of one complete run, with ids: `pattern_start`, `agent_start`, then `llm_call` and
 * `llm_response` per call, `agent_end`, `pattern_end`; 4 + 2 × `calls` in all.
 *
 * @example
 * ```ts
 * for (const event of sampleRun({ calls: 3 })) exporter.exportEvent(event);
 * ```
 */
export function sampleRun({ run = 1, calls = 2 }: SampleRunOptions = {}): readonly TraceEvent[] {
  const trace_id = hex(run, 32);
  const events: TraceEvent[] = [];
  const add = (event_type: string, agent_name: string, payload: TracePayload): void => {
    events.push(
      createTraceEvent({
        timestamp: FIRST_START + run * RUN_SECONDS + events.length * STEP_SECONDS,
        event_type,
        agent_name,
        pattern_type: 'debate',
        payload,
      }),
    );
  };
  const pattern = { trace_id, span_id: spanId(run, 1) };
  const agent = { trace_id, span_id: spanId(run, 2), parent_span_id: pattern.span_id };
  add('pattern_start', '', { ...pattern, input: 'Should we buy?', pattern_type: 'debate' });
  add('agent_start', 'bull', { ...agent, input: 'Should we buy?', role: 'advocate' });
  for (let call = 0; call < calls; call++) {
    const ids = { trace_id, span_id: spanId(run, 3 + call), parent_span_id: agent.span_id };
    add('llm_call', 'bull', {
      ...ids,
      provider: 'openai',
      model: 'gpt-4o',
      messages_in: [{ role: 'user', content: `Should we buy? (${call + 1})` }],
    });
    add('llm_response', 'bull', {
      ...ids,
      model: 'gpt-4o-2024-08-06',
      response: 'Buy.',
      input_tokens: 12,
      output_tokens: 2,
      cost_usd: 0.00005,
      duration_ms: STEP_MS,
      status: 'ok',
    });
  }
  const inAgent = 1 + 2 * calls;
  add('agent_end', 'bull', { ...agent, output: 'Buy.', duration_ms: inAgent * STEP_MS });
  add('pattern_end', '', {
    ...pattern,
    output: 'Buy.',
    duration_ms: (inAgent + 2) * STEP_MS,
    status: 'ok',
    llm_calls: calls,
  });
  return events;
}

function spanId(run: number, index: number): string {
  return hex(run, 8) + hex(index, 8);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
