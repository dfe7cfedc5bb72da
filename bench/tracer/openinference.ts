import {
  getLLMAttributes,
  type SpanTraceOptions,
  traceAgent,
  traceChain,
  traceLLM,
} from '@arizeai/openinference-core';
import type { Attributes, Tracer } from '@opentelemetry/api';
import type { Subject } from '../harness/compare.ts';
import { counted } from './otel.ts';
import { ANSWER, ANSWERED_MODEL, MESSAGES, QUESTION } from './triple.ts';

const NAME = 'OpenInference traceChain, traceAgent, traceLLM';

export const openinferenceAsync: Subject = {
  name: NAME,
  start() {
    let debate: ((question: string) => Promise<string>) | undefined;
    return counted((tracer) => (debate ??= tracedAsync(tracer))(QUESTION));
  },
};

export const openinferenceSync: Subject = {
  name: NAME,
  start() {
    let debate: ((question: string) => string) | undefined;
    return counted((tracer) => (debate ??= tracedSync(tracer))(QUESTION));
  },
};

function tracedAsync(tracer: Tracer): (question: string) => Promise<string> {
  const call = traceLLM(async (_messages: typeof MESSAGES): Promise<string> => {
    await Promise.resolve();
    return ANSWER;
  }, llm(tracer));
  const bull = traceAgent(async (_question: string) => call(MESSAGES), agent(tracer));
  return traceChain(async (question: string) => bull(question), { tracer, name: 'debate' });
}

function tracedSync(tracer: Tracer): (question: string) => string {
  const call = traceLLM((_messages: typeof MESSAGES): string => ANSWER, llm(tracer));
  const bull = traceAgent((_question: string) => call(MESSAGES), agent(tracer));
  return traceChain((question: string) => bull(question), { tracer, name: 'debate' });
}

function agent(tracer: Tracer): Omit<SpanTraceOptions, 'kind'> {
  return { tracer, name: 'bull', attributes: { 'agent.name': 'bull', role: 'optimist' } };
}

function llm(tracer: Tracer): Omit<SpanTraceOptions, 'kind'> {
  return {
    tracer,
    name: 'chat gpt-4o',
    processInput: (messages: typeof MESSAGES): Attributes =>
      getLLMAttributes({
        provider: 'openai',
        requestModelName: 'gpt-4o',
        invocationParameters: { temperature: 0 },
        inputMessages: messages,
      }),
    processOutput: (content: string): Attributes =>
      getLLMAttributes({
        responseModelName: ANSWERED_MODEL,
        outputMessages: [{ role: 'assistant', content }],
        tokenCount: { prompt: 512, completion: 20 },
      }),
  };
}
