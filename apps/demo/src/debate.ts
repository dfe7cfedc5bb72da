// The traced app: two agents argue about a question for two rounds, a third decides. Each call of the
// tracer becomes a step of the trace; what its function returns comes back unchanged.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tracer } from '@pyagent-trace/core/tracer';
import { lookUp, type Topic } from './figures.ts';
import { estimateTokens, isRetryable, type Message, type Model } from './model.ts';

const ROLES = {
  bull: 'You argue for the proposal.',
  bear: 'You argue against the proposal.',
  judge: 'You weigh both sides and decide.',
} as const;

type Speaker = keyof typeof ROLES;

/** From this difficulty on, of 1 to 10, a question is worth the large model. */
const HARD = 6;
const TOKENS_PER_DIFFICULTY = 15;
const RETRY_DELAY_MS = 150;
/** Far more than two sentences need. A limit is what makes the cost of a call known before it is made. */
const max_tokens = 1_000;

export class Debate {
  readonly #tracer: Tracer;
  readonly #model: Model;

  constructor(tracer: Tracer, model: Model) {
    this.#tracer = tracer;
    this.#model = model;
  }

  /** @returns the verdict */
  run(question: string): Promise<string> {
    return this.#tracer.pattern('debate', { input: question, tags: ['demo'] }, async (pattern) => {
      // Two agents at once: which of them a call belongs to follows from where the code runs.
      const openings = await inParallel([
        this.#argue('bull', question, 'peak_price'),
        this.#argue('bear', question, 'cell_price_trend'),
      ]);
      const spoken = [question, ...this.#compress(openings)];
      for (const speaker of ['bull', 'bear'] as const)
        spoken.push(await this.#rebut(speaker, spoken));
      // What is known only later goes into the end event.
      pattern.set({ rounds: 2 });
      return this.#decide(spoken);
    });
  }

  /** Round one: looks up a figure and argues from it. */
  #argue(speaker: Speaker, question: string, topic: Topic): Promise<string> {
    return this.#tracer.agent(speaker, { role: ROLES[speaker], input: question }, async () => {
      const figure = await this.#tracer.tool('look_up', { topic }, () => lookUp(topic));
      return this.#ask(speaker, [question, `${topic}: ${figure.value} ${figure.unit}`]);
    });
  }

  /** Round two: answers what was said last. */
  #rebut(speaker: Speaker, spoken: readonly string[]): Promise<string> {
    return this.#tracer.agent(speaker, { role: ROLES[speaker], input: spoken.at(-1) }, () =>
      this.#ask(speaker, spoken),
    );
  }

  #decide(spoken: readonly string[]): Promise<string> {
    return this.#tracer.agent('judge', { role: ROLES.judge, input: spoken[0] }, async () => {
      const source = this.#model;
      const model = this.#chooseModel(spoken);
      const messages = messagesFor('judge', spoken);
      // A streamed call lasts until its last piece; the pieces make its response.
      const pieces = this.#tracer.llmCall(
        { provider: source.provider, model, messages_in: messages, max_tokens, stream: true },
        async function* (call) {
          call.respond(yield* source.stream({ speaker: 'judge', model, messages, max_tokens }));
        },
      );
      let verdict = '';
      for await (const piece of pieces) verdict += piece;
      return verdict;
    });
  }

  /** One model call. One that failed for the moment is made once more, as a call of its own. */
  async #ask(speaker: Speaker, spoken: readonly string[], attempt = 1): Promise<string> {
    const { provider, small: model } = this.#model;
    const messages = messagesFor(speaker, spoken);
    try {
      return await this.#tracer.llmCall(
        { provider, model, messages_in: messages, max_tokens, metadata: { attempt } },
        async (call) => {
          const answer = await this.#model.complete({ speaker, model, messages, max_tokens });
          call.respond(answer);
          return answer.response;
        },
      );
    } catch (error) {
      // The tracer recorded it, and threw the very same error.
      if (attempt > 1 || !isRetryable(error)) throw error;
      await sleep(RETRY_DELAY_MS);
      return this.#ask(speaker, spoken, attempt + 1);
    }
  }

  /** The more was said, the harder it is to weigh. */
  #chooseModel(spoken: readonly string[]): string {
    const { small, large } = this.#model;
    const difficulty = Math.min(10, Math.ceil(estimateTokens(...spoken) / TOKENS_PER_DIFFICULTY));
    const hard = difficulty >= HARD;
    const selected_model = hard ? large : small;
    this.#tracer.routing({
      difficulty,
      difficulty_category: hard ? 'hard' : 'easy',
      selected_model,
      alternatives: [small, large],
    });
    return selected_model;
  }

  /** Of each text its first sentence: what the second round needs of the first. */
  #compress(texts: readonly string[]): string[] {
    const sentences = texts.map((text) => /^.*?[.!?](?=\s)/s.exec(text)?.[0] ?? text);
    const input_tokens = estimateTokens(...texts);
    const output_tokens = estimateTokens(...sentences);
    const savings_pct = Math.round((1 - output_tokens / input_tokens) * 100) / 100;
    this.#tracer.compression({ input_tokens, output_tokens, savings_pct });
    return sentences;
  }
}

function messagesFor(speaker: Speaker, spoken: readonly string[]): Message[] {
  return [
    { role: 'system', content: `You are the ${speaker}. ${ROLES[speaker]} Use two sentences.` },
    { role: 'user', content: spoken.join('\n') },
  ];
}

/** Like `Promise.all`, but when it fails nobody is still talking. */
async function inParallel<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}
