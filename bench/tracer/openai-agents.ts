import {
  setTraceProcessors,
  setTracingDisabled,
  withAgentSpan,
  withGenerationSpan,
  withTrace,
} from '@openai/agents-core';
import type { Subject } from '../harness/compare.ts';
import { ANSWER, ANSWERED_MODEL, FINISH_REASONS, MESSAGES, QUESTION, repeated } from './triple.ts';

/** Start and end of a trace and of two spans. */
const CALLS_PER_TRIPLE = 6;

export const openaiAgentsAsync: Subject = {
  name: 'OpenAI Agents withTrace',
  start() {
    let seen = 0;
    const count = async (): Promise<void> => {
      seen += 1;
    };
    setTracingDisabled(false);
    setTraceProcessors([
      {
        onTraceStart: count,
        onTraceEnd: count,
        onSpanStart: count,
        onSpanEnd: count,
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ]);
    return {
      ...repeated(triple, () => seen / CALLS_PER_TRIPLE),
      stop: () => setTraceProcessors([]),
    };
  },
};

async function triple(): Promise<string> {
  return withTrace(
    'debate',
    async () =>
      withAgentSpan(
        async () =>
          withGenerationSpan(
            async ({ spanData }) => {
              await Promise.resolve();
              spanData.output = [
                { role: 'assistant', content: ANSWER, finish_reasons: FINISH_REASONS },
              ];
              spanData.model = ANSWERED_MODEL;
              spanData.usage = { input_tokens: 512, output_tokens: 20 };
              return ANSWER;
            },
            { data: { model: 'gpt-4o', input: MESSAGES, model_config: { temperature: 0 } } },
          ),
        { data: { name: 'bull' } },
      ),
    { metadata: { input: QUESTION, role: 'optimist' } },
  );
}
