import { context, type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import type { Running, Subject } from '../harness/compare.ts';
import {
  ANSWER,
  ANSWERED_MODEL,
  FINISH_REASONS,
  MESSAGES_JSON,
  QUESTION,
  repeated,
} from './triple.ts';

const SPANS_PER_TRIPLE = 3;

export const otelAsync: Subject = {
  name: 'OpenTelemetry startActiveSpan',
  start: () => counted(nestedAsync),
};

export const otelSync: Subject = {
  name: 'OpenTelemetry startActiveSpan',
  start: () => counted(nestedSync),
};

/** Triples with the SDK and a span processor that counts. */
export function counted(triple: (tracer: Tracer) => unknown): Running {
  let seen = 0;
  const provider = new TracerProvider({
    spanProcessors: [
      {
        onStart() {},
        onEnd() {
          seen += 1;
        },
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('bench');
  // the first subject sets it for all in this process
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    ...repeated(
      () => triple(tracer),
      () => seen / SPANS_PER_TRIPLE,
    ),
    stop: () => context.disable(),
  };
}

async function nestedAsync(tracer: Tracer): Promise<string> {
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

function nestedSync(tracer: Tracer): string {
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
    response_model: ANSWERED_MODEL,
    input_tokens: 512,
    output_tokens: 20,
    finish_reasons: FINISH_REASONS,
  });
}

function recordFailure(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}
