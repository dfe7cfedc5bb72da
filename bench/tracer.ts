// What does a traced pattern → agent → model call cost, beside three nested OpenTelemetry spans?
import { context, type Span, SpanStatusCode, type Tracer as OtelTracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import type { Comparison, Running, Subject } from './harness.ts';

const QUESTION = 'Should we buy?';
const ANSWER = 'Yes: earnings grew by 12 %.';
const MESSAGES = [{ role: 'user', content: QUESTION }];
const MESSAGES_JSON = JSON.stringify(MESSAGES);
const FINISH_REASONS = ['stop'];

const NOTE =
  'Both record 13 attributes per triple besides names, ids, times and status, mark success, and ' +
  'would record a throw. OpenTelemetry gets its messages as a string made beforehand. One counting ' +
  'subscriber hears six events per triple, one counting span processor three spans.';

export const comparisons: readonly Comparison[] = [
  {
    title: 'a traced triple, asynchronous functions',
    per: 'triple',
    iterations: 20_000,
    rounds: 15,
    subjects: [tracerSubject(tracedAsync, 0.6)],
    peer: otelSubject(otelAsync),
    note: NOTE,
  },
  {
    title: 'a traced triple, synchronous functions',
    per: 'triple',
    iterations: 20_000,
    rounds: 15,
    subjects: [tracerSubject(tracedSync)],
    peer: otelSubject(otelSync),
    note: NOTE,
  },
];

function tracerSubject(triple: (tracer: Tracer) => unknown, goal?: number): Subject {
  return {
    name: 'createTracer',
    ...(goal !== undefined && { goal }),
    start() {
      const bus = new TraceEventBus();
      let seen = 0;
      bus.subscribe(() => {
        seen += 1;
      });
      const tracer = createTracer(bus);
      return repeated(
        () => triple(tracer),
        () => seen / 6,
      );
    },
  };
}

function otelSubject(triple: (tracer: OtelTracer) => unknown): Subject {
  return {
    name: 'OpenTelemetry startActiveSpan',
    start() {
      let seen = 0;
      const counting: SpanProcessor = {
        onStart() {},
        onEnd() {
          seen += 1;
        },
        forceFlush: async () => {},
        shutdown: async () => {},
      };
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      const tracer = new TracerProvider({ spanProcessors: [counting] }).getTracer('bench');
      return {
        ...repeated(
          () => triple(tracer),
          () => seen / 3,
        ),
        stop: () => context.disable(),
      };
    },
  };
}

function repeated(triple: () => unknown, done: () => number): Running {
  return {
    async round(iterations) {
      const before = done();
      for (let i = 0; i < iterations; i++) {
        const result = triple();
        if (result instanceof Promise) await result;
      }
      return done() - before;
    },
  };
}

async function tracedAsync(tracer: Tracer): Promise<string> {
  return tracer.pattern('debate', { input: QUESTION }, async () =>
    tracer.agent('bull', { role: 'optimist' }, async () =>
      tracer.llmCall(
        { provider: 'openai', model: 'gpt-4o', messages_in: MESSAGES, temperature: 0 },
        async (call) => {
          await Promise.resolve();
          call.respond({
            response: ANSWER,
            model: 'gpt-4o-2024-11-20',
            input_tokens: 512,
            output_tokens: 20,
            finish_reasons: FINISH_REASONS,
          });
          return ANSWER;
        },
      ),
    ),
  );
}

function tracedSync(tracer: Tracer): string {
  return tracer.pattern('debate', { input: QUESTION }, () =>
    tracer.agent('bull', { role: 'optimist' }, () =>
      tracer.llmCall(
        { provider: 'openai', model: 'gpt-4o', messages_in: MESSAGES, temperature: 0 },
        (call) => {
          call.respond({
            response: ANSWER,
            model: 'gpt-4o-2024-11-20',
            input_tokens: 512,
            output_tokens: 20,
            finish_reasons: FINISH_REASONS,
          });
          return ANSWER;
        },
      ),
    ),
  );
}

async function otelAsync(tracer: OtelTracer): Promise<string> {
  return tracer.startActiveSpan('debate', { attributes: { input: QUESTION } }, async (pattern) =>
    settle(pattern, async () => {
      const output = await tracer.startActiveSpan(
        'bull',
        { attributes: { role: 'optimist' } },
        async (agent) =>
          settle(agent, async () => {
            const answer = await tracer.startActiveSpan(
              'chat gpt-4o',
              {
                attributes: {
                  provider: 'openai',
                  model: 'gpt-4o',
                  messages_in: MESSAGES_JSON,
                  temperature: 0,
                },
              },
              async (call) =>
                settle(call, async () => {
                  await Promise.resolve();
                  respond(call);
                  return ANSWER;
                }),
            );
            agent.setAttribute('output', answer);
            return answer;
          }),
      );
      pattern.setAttribute('output', output);
      return output;
    }),
  );
}

async function settle<T>(span: Span, fn: () => Promise<T>): Promise<T> {
  try {
    const result = await fn();
    span.setStatus({ code: SpanStatusCode.OK });
    return result;
  } catch (error) {
    recordFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function otelSync(tracer: OtelTracer): string {
  return tracer.startActiveSpan('debate', { attributes: { input: QUESTION } }, (pattern) =>
    settleSync(pattern, () => {
      const output = tracer.startActiveSpan('bull', { attributes: { role: 'optimist' } }, (agent) =>
        settleSync(agent, () => {
          const answer = tracer.startActiveSpan(
            'chat gpt-4o',
            {
              attributes: {
                provider: 'openai',
                model: 'gpt-4o',
                messages_in: MESSAGES_JSON,
                temperature: 0,
              },
            },
            (call) =>
              settleSync(call, () => {
                respond(call);
                return ANSWER;
              }),
          );
          agent.setAttribute('output', answer);
          return answer;
        }),
      );
      pattern.setAttribute('output', output);
      return output;
    }),
  );
}

function settleSync<T>(span: Span, fn: () => T): T {
  try {
    const result = fn();
    span.setStatus({ code: SpanStatusCode.OK });
    return result;
  } catch (error) {
    recordFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function respond(call: Span): void {
  call.setAttributes({
    response: ANSWER,
    response_model: 'gpt-4o-2024-11-20',
    input_tokens: 512,
    output_tokens: 20,
    finish_reasons: FINISH_REASONS,
  });
}

function recordFailure(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}
