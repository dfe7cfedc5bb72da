import {
  createTraceEvent,
  encodeTraceEvent,
  type TraceEvent,
  TraceEventBus,
} from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';

/** What a traced triple emits: start and end of a pattern, an agent and a model call. */
export const EVENTS_PER_TRIPLE = 6;

/** The events of triples, as the tracer makes them. */
export function sampleTriples(triples: number): TraceEvent[] {
  const bus = new TraceEventBus();
  const events: TraceEvent[] = [];
  bus.subscribe((event) => void events.push(event));
  const tracer = createTracer(bus);
  for (let i = 0; i < triples; i++)
    tracer.pattern('debate', { input: `Should we buy share ${i}?` }, () =>
      tracer.agent('bull', { role: 'optimist' }, () =>
        tracer.llmCall(
          {
            provider: 'openai',
            model: 'gpt-4o',
            messages_in: [{ role: 'user', content: `Should we buy share ${i}?` }],
            temperature: 0,
          },
          (call) => {
            const response = `Yes: earnings grew by ${i} %.`;
            call.respond({ response, input_tokens: 512, output_tokens: 20, cost_usd: 0.0015 });
            return response;
          },
        ),
      ),
    );
  return events;
}

/** Bytes of a line with its line feed: an answered call with a few words of text. */
export const LINE_BYTES = 312;

/** Events of one length when written. */
export function sampleEvents(count: number): TraceEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const bare = sampleEvent(i, '');
    return sampleEvent(i, 'x'.repeat(LINE_BYTES - 1 - encodeTraceEvent(bare).length));
  });
}

function sampleEvent(i: number, response: string): TraceEvent {
  return createTraceEvent({
    timestamp: 1_767_225_600 + i / 1000,
    event_type: 'llm_response',
    agent_name: 'bull',
    pattern_type: 'debate',
    payload: {
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      span_id: '00f067aa0ba902b7',
      model: 'gpt-4o',
      response,
      input_tokens: 512,
      output_tokens: 20,
      duration_ms: 812.5,
      status: 'ok',
    },
  });
}
