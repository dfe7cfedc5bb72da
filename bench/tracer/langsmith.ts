import { Client } from 'langsmith';
import { traceable } from 'langsmith/traceable';
import type { Subject } from '../harness/compare.ts';
import { ANSWER, FINISH_REASONS, MESSAGES, QUESTION, repeated } from './triple.ts';

/** A run is handed over when it starts and when it ends. */
const HANDED_OVER_PER_TRIPLE = 6;

/** Its queue, its JSON and its requests are left out, as the exporters of the others are. */
class CountingClient extends Client {
  seen = 0;

  override async createRun(): Promise<void> {
    this.seen += 1;
  }

  override async updateRun(): Promise<void> {
    this.seen += 1;
  }
}

export const langsmithAsync: Subject = {
  name: 'LangSmith traceable',
  start() {
    const client = new CountingClient({ apiUrl: 'http://127.0.0.1:9', apiKey: 'none' });
    const base = { client, tracingEnabled: true };
    const call = traceable(answer, {
      ...base,
      name: 'chat gpt-4o',
      run_type: 'llm',
      metadata: { ls_provider: 'openai', ls_model_name: 'gpt-4o', ls_temperature: 0 },
    });
    const bull = traceable(async () => (await call(MESSAGES)).content, {
      ...base,
      name: 'bull',
      metadata: { role: 'optimist' },
    });
    const debate = traceable(async (_question: string) => bull(), { ...base, name: 'debate' });
    return repeated(
      () => debate(QUESTION),
      () => client.seen / HANDED_OVER_PER_TRIPLE,
    );
  },
};

async function answer(_messages: typeof MESSAGES) {
  await Promise.resolve();
  return {
    role: 'assistant',
    content: ANSWER,
    finish_reasons: FINISH_REASONS,
    usage_metadata: { input_tokens: 512, output_tokens: 20, total_tokens: 532 },
  };
}
