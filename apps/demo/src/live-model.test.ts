import { describe, expect, test } from 'vitest';
import { DemoError } from './demo-error.ts';
import { type FakeServer, sendJson, sendStream, startFakeServer } from './fake-server.fixture.ts';
import { createLiveModel, limitName } from './live-model.ts';
import { isRetryable, type Model } from './model.ts';

const KEY = 'sk-secret-0123456789';

function modelAt(server: FakeServer): Model {
  return createLiveModel({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url, OPENAI_MODEL: 'm' });
}

const request = {
  speaker: 'bull',
  model: 'm',
  messages: [{ role: 'user', content: 'Hm?' }],
  max_tokens: 50,
} as const;

const piece = (content: string, finish_reason: string | null = null): object => ({
  model: 'm-1',
  choices: [{ delta: { content }, finish_reason }],
});

describe('createLiveModel', () => {
  test.for([
    { env: {}, problem: 'OPENAI_API_KEY is not set; --live asks a real model and needs a key' },
    {
      env: { OPENAI_API_KEY: ' ' },
      problem: 'OPENAI_API_KEY is not set; --live asks a real model and needs a key',
    },
    { env: { OPENAI_API_KEY: 'a\nb' }, problem: 'OPENAI_API_KEY holds characters that no key has' },
    {
      env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: 'localhost' },
      problem: 'OPENAI_BASE_URL is no http(s) URL',
    },
    ...['user:pw@', 'user@', ':pw@'].map((credentials) => ({
      env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `https://${credentials}127.0.0.1/v1` },
      problem:
        'OPENAI_BASE_URL holds a user name or password, which would be printed and traced; use OPENAI_API_KEY',
    })),
  ])('refuses the environment $env', ({ env, problem }) => {
    expect(() => createLiveModel(env)).toThrow(new DemoError(problem));
  });

  test('asks the endpoint, with the key', async () => {
    await using server = await startFakeServer((response) =>
      sendJson(response, 200, {
        model: 'm-1',
        choices: [{ message: { content: 'Yes.' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 2 },
      }),
    );

    expect(await modelAt(server).complete(request)).toEqual({
      response: 'Yes.',
      model: 'm-1',
      finish_reasons: ['stop'],
      input_tokens: 5,
      output_tokens: 2,
    });
    const [{ url, headers, body } = {}] = server.requests;
    expect({ url, authorization: headers?.authorization, body }).toEqual({
      url: '/v1/chat/completions',
      authorization: `Bearer ${KEY}`,
      body: { model: 'm', messages: request.messages, max_tokens: 50 },
    });
  });

  test('takes an answer that tells neither model nor usage', async () => {
    await using server = await startFakeServer((response) =>
      sendJson(response, 200, { choices: [{ message: { content: 'Yes.' } }] }),
    );

    expect(await modelAt(server).complete(request)).toEqual({ response: 'Yes.', model: 'm' });
  });

  test('streams an answer, wherever the network cuts it', async () => {
    await using server = await startFakeServer((response) =>
      sendStream(response, [
        piece('Für '),
        piece('20 € 🔋.', 'stop'),
        { model: 'm-1', choices: [], usage: { prompt_tokens: 5, completion_tokens: 4 } },
        '[DONE]',
      ]),
    );

    expect(await readAll(modelAt(server))).toEqual({
      pieces: ['Für ', '20 € 🔋.'],
      usage: { model: 'm-1', finish_reasons: ['stop'], input_tokens: 5, output_tokens: 4 },
    });
    expect(server.requests[0]?.body).toEqual({
      model: 'm',
      messages: request.messages,
      max_tokens: 50,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test('says so when a stream ends before the answer', async () => {
    await using server = await startFakeServer((response) => sendStream(response, [piece('Yes')]));

    await expect(readAll(modelAt(server))).rejects.toMatchObject({
      message: `${server.url}/chat/completions: the stream ended before the answer did`,
      code: 'no_answer',
    });
  });

  test('hands on an error that comes inside a stream', async () => {
    await using server = await startFakeServer((response) =>
      sendStream(response, [piece('Yes'), { error: { message: 'out of memory' } }]),
    );

    await expect(readAll(modelAt(server))).rejects.toMatchObject({
      message: `${server.url}/chat/completions: out of memory`,
    });
  });

  test.for([
    { status: 400, retryable: false },
    { status: 429, retryable: true },
    { status: 503, retryable: true },
  ])('says of a refusal with $status whether to try again', async ({ status, retryable }) => {
    await using server = await startFakeServer((response) =>
      sendJson(response, status, { error: { message: 'not now' } }),
    );

    const error: unknown = await modelAt(server)
      .complete(request)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'ModelError',
      message: `${server.url}/chat/completions: ${status} not now`,
      code: status,
    });
    expect(isRetryable(error)).toBe(retryable);
  });

  test('keeps the key out of what a server says', async () => {
    await using server = await startFakeServer((response) =>
      response.writeHead(401).end(`<h1>${KEY} is no key</h1>`),
    );

    await expect(modelAt(server).complete(request)).rejects.toMatchObject({
      message: `${server.url}/chat/completions: 401 <h1>[key] is no key</h1>`,
    });
  });

  test.for([
    { body: { choices: [] }, problem: 'choices' },
    { body: { choices: [{ message: { content: null } }] }, problem: 'choices.0.message.content' },
    { body: 'hello', problem: '' },
  ])('refuses $body, which is no completion', async ({ body, problem }) => {
    await using server = await startFakeServer((response) => sendJson(response, 200, body));

    await expect(modelAt(server).complete(request)).rejects.toMatchObject({
      message: expect.stringContaining(`the answer is no chat completion: ${problem}`) as string,
      code: 'invalid_answer',
    });
  });

  test('says why a server cannot be reached', async () => {
    const server = await startFakeServer(() => {});
    await server[Symbol.asyncDispose]();

    await expect(modelAt(server).complete(request)).rejects.toMatchObject({
      message: expect.stringMatching(
        /\/chat\/completions: fetch failed: connect ECONNREFUSED/,
      ) as string,
      code: 'no_answer',
    });
  });
});

async function readAll(model: Model): Promise<{ pieces: string[]; usage: unknown }> {
  const pieces: string[] = [];
  const stream = model.stream(request);
  for (;;) {
    const { done, value } = await stream.next();
    if (done === true) return { pieces, usage: value };
    pieces.push(value);
  }
}

describe('limitName', () => {
  test.for([
    { base: 'https://api.openai.com/v1', name: 'max_completion_tokens' },
    { base: 'https://api.openai.com.example/v1', name: 'max_tokens' },
    { base: 'http://127.0.0.1:8080/v1', name: 'max_tokens' },
  ])('is $name at $base', ({ base, name }) => {
    expect(limitName(base)).toBe(name);
  });
});
