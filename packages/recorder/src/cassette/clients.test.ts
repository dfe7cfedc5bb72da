import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startProviderServer } from '../../fixtures/provider-server.ts';
import { ReplayMissError } from '../replay-miss-error.ts';
import { type CassetteFetch, cassetteFetch } from './cassette-fetch.ts';

let folder: string;
let path: string;

beforeEach(() => {
  vi.stubEnv('PYAGENT_TRACE_REPLAY', undefined);
  vi.stubEnv('CI', undefined);
  folder = mkdtempSync(join(tmpdir(), 'cassette-'));
  path = join(folder, 'chat.jsonl');
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

type Run = (fetch: CassetteFetch, url: string) => Promise<unknown>;

const NO_NETWORK = (): never => {
  throw new Error('the network was asked');
};

/** Runs against the server, and again when it is gone and nothing can be connected to. */
async function recordAndReplay(run: Run): Promise<{ recorded: unknown; replayed: unknown }> {
  const server = await startProviderServer();
  const recording = cassetteFetch({ path, mode: 'record' });
  const recorded = await run(recording, server.url);
  const { requests } = server;
  await recording.close();
  await server.close();
  expect(recording.stats()).toMatchObject({ recorded: requests.length, failed: 0, pending: 0 });

  vi.spyOn(Socket.prototype, 'connect').mockImplementation(NO_NETWORK);
  const replaying = cassetteFetch({ path, fetch: NO_NETWORK });
  const replayed = await run(replaying, server.url);
  expect(replaying.stats()).toMatchObject({ replayed: requests.length, missed: 0 });
  expect(await replaying.unused()).toEqual([]);
  return { recorded, replayed };
}

async function all<T>(items: AsyncIterable<T> | PromiseLike<AsyncIterable<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of await items) found.push(item);
  return found;
}

/** What an app gets of an error. */
async function thrown(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    const { name, message, status, type, code, requestID } = error as InstanceType<
      typeof OpenAI.APIError
    >;
    return { name, message, status, type, code, requestID };
  }
  throw new Error('nothing was thrown');
}

const QUESTION = [{ role: 'user' as const, content: 'How is the sea?' }];
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } } } as const;
const OPENAI_TOOL = {
  type: 'function',
  function: { name: 'weather', parameters: PARAMETERS },
} as const;

const openai: Run = async (fetch, baseURL) => {
  const client = new OpenAI({ fetch, baseURL: `${baseURL}/v1`, apiKey: 'sk-planted' });
  const chat = { model: 'gpt-4o', messages: QUESTION };
  const stream = { ...chat, stream: true, stream_options: { include_usage: true } } as const;
  const wrong = new OpenAI({ fetch, baseURL: `${baseURL}/v1`, apiKey: 'wrong' });
  return {
    chat: await client.chat.completions.create(chat),
    again: await client.chat.completions.create(chat),
    tools: await client.chat.completions.create({ ...chat, tools: [OPENAI_TOOL] }),
    limited: await client.chat.completions.create({ ...chat, model: 'limited' }),
    unauthorized: await thrown(wrong.chat.completions.create({ ...chat, model: 'o3' })),
    stream: await all(client.chat.completions.create(stream)),
    toolStream: await all(client.chat.completions.create({ ...stream, tools: [OPENAI_TOOL] })),
    final: await client.chat.completions.stream({ ...stream, seed: 1 }).finalContent(),
    response: await client.responses.create({ model: 'gpt-5', input: 'How is the sea?' }),
    events: await all(client.responses.create({ model: 'gpt-5', input: 'Sea?', stream: true })),
    parallel: await Promise.all(
      [1, 2, 3, 4].map((seed) => client.chat.completions.create({ ...chat, seed })),
    ),
    withResponse: await client.chat.completions
      .create({ ...chat, seed: 9 })
      .withResponse()
      .then(({ response, request_id }) => [response.status, response.url, request_id]),
  };
};

const anthropic: Run = async (fetch, baseURL) => {
  const client = new Anthropic({ fetch, baseURL, apiKey: 'sk-ant-planted' });
  const ask = { model: 'claude-test', max_tokens: 100, messages: QUESTION };
  const tools = [{ name: 'weather', input_schema: PARAMETERS }];
  const wrong = new Anthropic({ fetch, baseURL, apiKey: 'wrong' });
  return {
    message: await client.messages.create(ask),
    again: await client.messages.create(ask),
    tools: await client.messages.create({ ...ask, tools }),
    limited: await client.messages.create({ ...ask, model: 'limited' }),
    unauthorized: await thrown(wrong.messages.create({ ...ask, max_tokens: 7 })),
    stream: await all(client.messages.create({ ...ask, stream: true })),
    final: await client.messages.stream({ ...ask, tools }).finalMessage(),
  };
};

const aiSdk: Run = async (fetch, baseURL) => {
  const provider = createOpenAI({ fetch, baseURL: `${baseURL}/v1`, apiKey: 'sk-planted' });
  const text = await generateText({ model: provider.chat('gpt-4o'), prompt: 'How is the sea?' });
  const response = await generateText({ model: provider('gpt-5'), prompt: 'How is the sea?' });
  const stream = streamText({ model: provider.chat('gpt-4o'), prompt: 'And the sky?' });
  return {
    text: [text.text, text.usage, text.finishReason],
    response: [response.text, response.usage, response.response.id],
    parts: await all(stream.textStream),
    usage: await stream.usage,
  };
};

describe('cassetteFetch', () => {
  test.each([
    ['OpenAI', openai],
    ['Anthropic', anthropic],
    ['the AI SDK', aiSdk],
  ])('gives the client of %s again what it got, with the server gone', async (_, run) => {
    const { recorded, replayed } = await recordAndReplay(run);

    expect(replayed).toEqual(recorded);
    expect(readFileSync(path, 'utf8')).not.toMatch(/planted/);
  });

  const chat = { model: 'gpt-4o', messages: QUESTION };
  const asked = [{ role: 'user' as const, content: 'How is the sky?' }];

  test.each([
    [
      'OpenAI',
      async (fetch: CassetteFetch, baseURL: string, messages: typeof QUESTION) =>
        new OpenAI({ fetch, baseURL: `${baseURL}/v1`, apiKey: 'k' }).chat.completions.create({
          ...chat,
          messages,
        }),
    ],
    [
      'Anthropic',
      async (fetch: CassetteFetch, baseURL: string, messages: typeof QUESTION) =>
        new Anthropic({ fetch, baseURL, apiKey: 'k' }).messages.create({
          ...chat,
          max_tokens: 100,
          messages,
        }),
    ],
    [
      'the AI SDK',
      async (fetch: CassetteFetch, baseURL: string, messages: typeof QUESTION) =>
        generateText({
          model: createOpenAI({ fetch, baseURL: `${baseURL}/v1`, apiKey: 'k' }).chat('gpt-4o'),
          messages,
        }),
    ],
  ])('a miss reaches the app at once through the client of %s', async (_, ask) => {
    await using server = await startProviderServer();
    const recording = cassetteFetch({ path, mode: 'record' });
    await ask(recording, server.url, QUESTION);
    await recording.close();
    const replaying = cassetteFetch({ path, fetch: NO_NETWORK });

    const error = await ask(replaying, server.url, asked).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(ReplayMissError);
    expect(error).toHaveProperty('status', 400); // what LangChain does not try again
    expect(String(error)).toMatch(
      /\n {2}body\.messages\.0\.content: How is the \[-sea-\]\{\+sky\+\}\?$/,
    );
    expect(replaying.stats()).toMatchObject({ requests: 1, missed: 1 });
  });
});
