import type { Tracer } from '@pyagent-trace/core/tracer';
import { usageFrom } from '@pyagent-trace/cost';
import type OpenAI from 'openai';
import type {
  ChatCompletionMessage,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from 'openai/resources/chat/completions';

const tools: ChatCompletionTool[] = [{ type: 'function', function: { name: 'look_up' } }];

/** Three agents, each with a tool and a model of its own choice, who read what the others said. */
export class Debate {
  readonly #tracer: Tracer;
  readonly #client: OpenAI;

  constructor(tracer: Tracer, client: OpenAI) {
    this.#tracer = tracer;
    this.#client = client;
  }

  run(input: string, rounds = 1): Promise<string[]> {
    return this.#tracer.pattern('debate', { input, session_id: 'chat-1' }, async (pattern) => {
      const said = [input];
      for (let round = 1; round <= rounds; round += 1)
        for (const name of ['bull', 'bear', 'judge']) {
          said.push(await this.#turn(name, said));
          pattern.set({ rounds: round, output: said.at(-1) });
        }
      return said;
    });
  }

  #turn(name: string, said: readonly string[]): Promise<string> {
    return this.#tracer.agent(name, { input: said.at(-1) }, async (agent) => {
      const model = this.#choose(name === 'judge' ? 8 : 3);
      const messages: ChatCompletionMessageParam[] = said.map((content) => ({
        role: 'user',
        content,
      }));
      let message = await this.#ask(model, messages);
      while (message.tool_calls !== undefined) {
        messages.push(message);
        for (const { id, ...call } of message.tool_calls) {
          if (call.type !== 'function') continue;
          const content = await this.#lookUp(JSON.parse(call.function.arguments));
          messages.push({ role: 'tool', tool_call_id: id, content });
        }
        message = await this.#ask(model, messages);
      }
      const output = message.content ?? '';
      agent.set({ output });
      return output;
    });
  }

  #choose(difficulty: number): string {
    return this.#tracer.routing({ difficulty }, (routing) => {
      const selected_model = difficulty > 5 ? 'gpt-4o' : 'gpt-4o-mini';
      routing.set({ selected_model });
      return selected_model;
    });
  }

  #lookUp(args: { topic: string }): Promise<string> {
    return this.#tracer.tool('look_up', args, async () => `${args.topic}: DB_PASSWORD=swordfish`);
  }

  #ask(model: string, messages: ChatCompletionMessageParam[]): Promise<ChatCompletionMessage> {
    const request = { model, max_tokens: 200, tools };
    return this.#tracer.llmCall(
      { provider: 'openai', ...request, messages_in: messages },
      async ({ respond, signal }) => {
        const create = this.#client.chat.completions.create({ ...request, messages }, { signal });
        const answer = await create;
        const message = answer.choices[0]!.message;
        const { content, tool_calls } = message;
        respond({ response: content ?? '', tool_calls, ...usageFrom(answer) });
        return message;
      },
    );
  }
}
