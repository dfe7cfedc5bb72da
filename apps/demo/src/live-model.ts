// A real model behind the OpenAI chat completions API, which many servers speak. Plain `fetch`: what a
// client library adds is not what this demo is about.
import * as z from 'zod';
import { DemoError } from './demo-error.ts';
import { type Model, ModelError, type ModelRequest, type Usage } from './model.ts';
import { readServerSentEvents } from './server-sent-events.ts';

const EnvironmentSchema = z.object({
  OPENAI_API_KEY: z
    .string({ error: 'is not set; --live asks a real model and needs a key' })
    .regex(/^[\x21-\x7e]+$/, 'holds characters that no key has'),
  OPENAI_BASE_URL: z
    .url({ protocol: /^https?$/, error: 'is no http(s) URL' })
    .refine((url) => !holdsCredentials(url), {
      error: 'holds a user name or password, which would be printed and traced; use OPENAI_API_KEY',
    })
    .default('https://api.openai.com/v1'),
  OPENAI_MODEL: z.string().default('gpt-4o-mini'),
});

// Of an answer only what is read here is checked: compatible servers differ in the rest.
const UsageSchema = z
  .object({ prompt_tokens: z.int().nullish(), completion_tokens: z.int().nullish() })
  .nullish();
const CompletionSchema = z.object({
  model: z.string().nullish(),
  choices: z.tuple(
    [z.object({ message: z.object({ content: z.string() }), finish_reason: z.string().nullish() })],
    z.unknown(),
  ),
  usage: UsageSchema,
});
const ErrorSchema = z.object({ error: z.object({ message: z.string() }) });
const ChunkSchema = z.object({
  model: z.string().nullish(),
  // empty in the chunk that tells the usage
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().nullish() }).nullish(),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: UsageSchema,
});

const TIMEOUT_MS = 60_000;
const MAX_PROBLEM_LENGTH = 300;

/** @throws {DemoError} when the environment has no key, or something that is none */
export function createLiveModel(env: NodeJS.ProcessEnv): Model {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: base, OPENAI_MODEL: model } = readSettings(env);
  const url = `${base.replace(/\/+$/, '')}/chat/completions`;

  async function post(request: ModelRequest, options: object): Promise<Response> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: request.model,
        messages: request.messages,
        [limitName(base)]: request.max_tokens,
        ...options,
      }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return response;
    const { status, statusText } = response;
    const text = await response.text();
    const problem = ErrorSchema.safeParse(parseJson(text)).data?.error.message;
    throw new ModelError(`${status} ${problem ?? (text || statusText)}`, status);
  }

  /** Any failure, as it goes to the terminal and to the file: servers may quote the key they refuse. */
  function failed(error: unknown): ModelError {
    const code = error instanceof ModelError ? error.code : 'no_answer';
    const problem = `${url}: ${explain(error)}`.replaceAll(key, '[key]');
    return new ModelError(problem.slice(0, MAX_PROBLEM_LENGTH), code);
  }

  return {
    provider: 'openai',
    small: model,
    large: model,

    async complete(request) {
      try {
        const response = await post(request, {});
        const completion = check(CompletionSchema, await response.text());
        const [{ message, finish_reason }] = completion.choices;
        return { response: message.content, ...usageOf(request, completion, finish_reason) };
      } catch (error) {
        throw failed(error);
      }
    },

    async *stream(request) {
      try {
        const options = { stream: true, stream_options: { include_usage: true } };
        const { body } = await post(request, options);
        let finish_reason: string | null | undefined;
        let answer: Omit<z.output<typeof ChunkSchema>, 'choices'> = {};
        for await (const data of readServerSentEvents(body)) {
          if (data === '[DONE]') break;
          const chunk = check(ChunkSchema, data);
          const [choice] = chunk.choices;
          if (choice?.delta?.content) yield choice.delta.content;
          finish_reason = choice?.finish_reason ?? finish_reason;
          answer = { model: chunk.model ?? answer.model, usage: chunk.usage ?? answer.usage };
        }
        if (!finish_reason)
          throw new ModelError('the stream ended before the answer did', 'no_answer');
        return usageOf(request, answer, finish_reason);
      } catch (error) {
        throw failed(error);
      }
    },
  };
}

/** OpenAI's newer models take no `max_tokens`, and other servers may know nothing else. */
export function limitName(base: string): 'max_completion_tokens' | 'max_tokens' {
  return URL.parse(base)?.hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens';
}

function readSettings(env: NodeJS.ProcessEnv): z.output<typeof EnvironmentSchema> {
  const set = Object.entries(env).filter(([, value]) => value?.trim());
  const { data, error } = EnvironmentSchema.safeParse(Object.fromEntries(set));
  if (data !== undefined) return data;
  throw new DemoError(
    error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '),
  );
}

function holdsCredentials(url: string): boolean {
  const { username, password } = URL.parse(url) ?? {};
  return Boolean(username || password);
}

function check<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  const value = parseJson(text);
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const problem =
    ErrorSchema.safeParse(value).data?.error.message ??
    `the answer is no chat completion: ${issue?.path.join('.')} ${issue?.message}`;
  throw new ModelError(problem, 'invalid_answer');
}

function usageOf(
  request: ModelRequest,
  answer: {
    readonly model?: string | null | undefined;
    readonly usage?: z.output<typeof UsageSchema>;
  },
  finish_reason: string | null | undefined,
): Usage {
  const { prompt_tokens, completion_tokens } = answer.usage ?? {};
  return {
    model: answer.model ?? request.model,
    finish_reasons: finish_reason ? [finish_reason] : undefined,
    input_tokens: prompt_tokens ?? undefined,
    output_tokens: completion_tokens ?? undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which no schema accepts
  }
}

/** `fetch` hides what went wrong in its cause. */
function explain(error: unknown): string {
  const { message, cause } = error as Error;
  if (!(cause instanceof Error)) return message;
  return `${message}: ${cause.message || (cause as NodeJS.ErrnoException).code}`;
}
