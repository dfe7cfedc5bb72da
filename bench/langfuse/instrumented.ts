import { LangfuseSpanProcessor } from '@langfuse/otel';
import { setLangfuseTracerProvider, startActiveObservation } from '@langfuse/tracing';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';
import { LangfuseExporter } from '@pyagent-trace/exporter-langfuse';
import { Langfuse } from 'langfuse';
import { ANSWER, ANSWERED_MODEL, MESSAGES, QUESTION } from '../tracer/triple.ts';

/** Code that is traced: a pattern, an agent and a model call, three observations. */
export interface Instrumented {
  readonly triple: () => void;
  /** Sends what is left, or some of it. */
  readonly flush: () => Promise<unknown>;
  readonly stop: () => Promise<unknown>;
}

export type Instrument = (baseUrl: string) => Instrumented;

const KEYS = { publicKey: 'pk-lf-bench', secretKey: 'sk-lf-bench' };
const FLUSH_TIMEOUT_MS = 30_000;

export function exported(transport: 'otlp' | 'langfuse'): Instrument {
  return (baseUrl) => {
    const bus = new TraceEventBus();
    bus.attach(new LangfuseExporter({ ...KEYS, baseUrl, transport }));
    const tracer = createTracer(bus);
    return {
      triple() {
        tracer.pattern('debate', { input: QUESTION }, () =>
          tracer.agent('bull', { role: 'optimist' }, () =>
            tracer.llmCall(
              { provider: 'openai', model: 'gpt-4o', messages_in: MESSAGES, temperature: 0 },
              (call) => {
                call.respond({
                  response: ANSWER,
                  model: ANSWERED_MODEL,
                  input_tokens: 512,
                  output_tokens: 20,
                });
                return ANSWER;
              },
            ),
          ),
        );
      },
      flush: () => bus.flush({ timeoutMs: FLUSH_TIMEOUT_MS }),
      stop: () => bus.shutdown(),
    };
  };
}

export const sdk5: Instrument = (baseUrl) => {
  const processor = new LangfuseSpanProcessor({ ...KEYS, baseUrl });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  setLangfuseTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    triple() {
      startActiveObservation(
        'debate',
        (pattern) => {
          pattern.update({ input: QUESTION });
          const output = startActiveObservation(
            'bull',
            (agent) => {
              agent.update({ metadata: { role: 'optimist' } });
              const answer = startActiveObservation(
                'chat gpt-4o',
                (call) => {
                  call.update({
                    model: 'gpt-4o',
                    modelParameters: { temperature: 0 },
                    input: MESSAGES,
                  });
                  call.update({
                    output: ANSWER,
                    model: ANSWERED_MODEL,
                    usageDetails: { input: 512, output: 20 },
                  });
                  return ANSWER;
                },
                { asType: 'generation' },
              );
              agent.update({ output: answer });
              return answer;
            },
            { asType: 'agent' },
          );
          pattern.update({ output });
        },
        { asType: 'chain' },
      );
    },
    flush: () => processor.forceFlush(),
    async stop() {
      await provider.shutdown();
      setLangfuseTracerProvider(null);
      context.disable();
    },
  };
};

export const sdk3: Instrument = (baseUrl) => {
  const client = new Langfuse({ ...KEYS, baseUrl });
  return {
    triple() {
      const run = client.trace({ name: 'debate', input: QUESTION });
      const pattern = run.span({ name: 'debate', input: QUESTION });
      const agent = pattern.span({ name: 'bull', metadata: { role: 'optimist' } });
      const call = agent.generation({
        name: 'chat gpt-4o',
        model: 'gpt-4o',
        modelParameters: { temperature: 0 },
        input: MESSAGES,
      });
      call.end({
        output: ANSWER,
        model: ANSWERED_MODEL,
        usageDetails: { input: 512, output: 20 },
      });
      agent.end({ output: ANSWER });
      pattern.end({ output: ANSWER });
      run.update({ output: ANSWER });
    },
    flush: () => client.flushAsync(),
    stop: () => client.shutdownAsync(),
  };
};
