import { setTimeout as sleep } from 'node:timers/promises';
import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';

function traced(options) {
  const events = [];
  const bus = new TraceEventBus();
  bus.subscribe((event) => events.push(event));
  return { events, tracer: createTracer(bus, options) };
}

async function* answer() {
  yield 'Hold';
  yield ' on.';
}
const naming = async ({ kind }, next) => `${kind} ${await next()}`;
const typesOf = (events) => events.map(({ event_type, payload }) => [event_type, payload.status]);

export const features = {
  'parallel agents': async () => {
    const { events, tracer } = traced();
    await tracer.pattern('fan_out', () =>
      Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          tracer.agent('twin', { n }, async (agent) => {
            await sleep(n % 7);
            await new Promise((resolve) => {
              queueMicrotask(() => setTimeout(resolve, n % 3));
            });
            await tracer.llmCall({ model: 'm', n }, async (call) => {
              await sleep(n % 5);
              call.respond({ response: `${n}` });
            });
            agent.set({ n });
          }),
        ),
      ),
    );
    const agents = new Map(
      events
        .filter(({ event_type }) => event_type === 'agent_start')
        .map(({ payload }) => [payload.n, payload.span_id]),
    );
    const calls = events.filter(({ event_type }) => event_type === 'llm_call');
    const wrong = calls.filter(({ payload }) => payload.parent_span_id !== agents.get(payload.n));
    return { agents: agents.size, calls: calls.length, wrong: wrong.length };
  },
  streams: async () => {
    const { events, tracer } = traced();
    const chunks = [];
    for await (const chunk of tracer.llmCall({ model: 'm' }, answer)) chunks.push(chunk);
    await tracer.llmCall({ model: 'm' }, answer).return();
    return [chunks, typesOf(events)];
  },
  errors: async () => {
    const { events, tracer } = traced();
    const failure = new RangeError('mine');
    const thrown = await tracer
      .agent('bear', () => tracer.tool('fetch', { url: 'u' }, async () => Promise.reject(failure)))
      .catch((error) => error);
    return [thrown === failure, typesOf(events)];
  },
  'other processes': () => {
    const { events, tracer } = traced();
    const header = tracer.agent('caller', () => tracer.traceparent());
    tracer.withRemoteParent(header, () => tracer.agent('callee', () => {}));
    const [caller, , callee] = events;
    return [
      /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/.test(header),
      callee.payload.trace_id === caller.payload.trace_id,
    ];
  },
  interceptors: async () => {
    const { tracer } = traced({ interceptors: [naming] });
    return tracer.llmCall({ model: 'm' }, async () => 'answered');
  },
};
