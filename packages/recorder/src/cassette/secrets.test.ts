import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cassetteFetch } from './cassette-fetch.ts';

/** Made up here, so that no scanner of repositories takes one for a leak. */
const KEY = `sk-proj-${'Ab1'.repeat(20)}`;
const OWN = 'planted-own-key'; // without a form of its own
const GOOGLE = `AIza${'Ab1_c'.repeat(7)}`;

let folder: string;
let path: string;

beforeEach(() => {
  vi.stubEnv('PYAGENT_TRACE_REPLAY', undefined);
  folder = mkdtempSync(join(tmpdir(), 'cassette-'));
  path = join(folder, 'x.jsonl');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A network that gives a body in these chunks. */
function network(
  chunks: readonly (string | Uint8Array)[],
  {
    type = 'application/json',
    headers = {},
  }: { type?: string; headers?: Record<string, string> } = {},
): typeof globalThis.fetch {
  return () => {
    const body = ReadableStream.from(chunks.map((chunk) => new Uint8Array(Buffer.from(chunk))));
    const response = new Response(body, { headers: { 'content-type': type, ...headers } });
    return Promise.resolve(response);
  };
}

interface Kept {
  readonly app: string;
  readonly file: string;
  readonly replayed: string[];
  readonly request: Record<string, unknown>;
}

/** What the app gets, what is written, and what is replayed for the same request. */
async function record(
  live: typeof globalThis.fetch,
  url = 'https://api.test/v1',
  init: RequestInit = {},
): Promise<Kept> {
  await using fetch = cassetteFetch({ path, mode: 'record', fetch: live });
  const app = await (await fetch(url, init)).text();
  expect(fetch.stats()).toMatchObject({ recorded: 1, failed: 0 });
  const replayed: string[] = [];
  for await (const chunk of (await cassetteFetch({ path })(url, init)).body ?? [])
    replayed.push(Buffer.from(chunk).toString());
  const file = readFileSync(path, 'utf8');
  const { metadata } = JSON.parse(file) as { metadata: { request: Record<string, unknown> } };
  return { app, file, replayed, request: metadata.request };
}

function event(data: unknown): string {
  return `event: x\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The words of a stream's events. */
function told(text: string): string {
  return [...text.matchAll(/"(?:content|text|delta|partial_json)":("(?:[^"\\]|\\.)*")/g)]
    .map(([, json = '']) => JSON.parse(json) as string)
    .filter((piece) => piece !== 'x')
    .join('');
}

function asking(key: string): [string, RequestInit] {
  const note = `sk-ant-${key.slice(-1).repeat(40)}`;
  return [
    `https://api.test/v1?key=${key}`,
    { method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify({ n: 1, note }) },
  ];
}

/** Neither as it is, nor in JSON, nor as Base64. */
function expectNone(file: string, ...secrets: readonly string[]): void {
  for (const secret of secrets) {
    expect(file).not.toContain(secret);
    expect(file).not.toContain(encodeURIComponent(secret));
    expect(file).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
  }
}

describe('cassetteFetch', () => {
  test.each([
    'authorization',
    'x-api-key',
    'api-key',
    'x-goog-api-key',
    'cookie',
    'proxy-authorization',
    'openai-organization',
    'openai-project',
    'x-company-secret',
    'x-amz-security-token',
    'x-functions-key',
  ])('writes nothing of a request’s %s, also where the answer repeats it', async (name) => {
    const secret = 'planted-value-of-a-header';
    const value = name === 'cookie' ? `session=${secret}; a=b` : secret;
    const live = network([
      `{"error":"the key ${secret.slice(0, 9)}`,
      `${secret.slice(9)} is wrong"}`,
    ]);
    const { app, file } = await record(live, undefined, {
      method: 'POST',
      headers: { [name]: value },
      body: JSON.stringify({ note: secret, list: [secret] }),
    });

    expectNone(file, secret);
    expect(app).toContain(secret);
  });

  test('writes neither scheme nor name nor password of Basic and Bearer', async () => {
    const basic = Buffer.from(`app:${OWN}`).toString('base64');
    const { file } = await record(network([`{"a":"${OWN} ${basic}"}`]), undefined, {
      headers: { authorization: `Basic ${basic}` },
    });

    expectNone(file, OWN, basic);
  });

  test.each([
    [
      'key',
      `https://api.test/v1?alt=sse&key=${OWN}`,
      { alt: 'sse', key: '[REDACTED request_secret]' },
    ],
    ['api_key', `https://api.test/v1?api_key=${OWN}`, { api_key: '[REDACTED request_secret]' }],
    ['sig', `https://api.test/v1?sig=${OWN}`, { sig: '[REDACTED request_secret]' }],
    ['any value', `https://api.test/v1?q=${KEY}`, { q: '[REDACTED request_secret]' }],
    ['the path', `https://api.test/bot/${KEY}/send`, undefined],
  ])('writes no secret in a URL: %s', async (_, url, query) => {
    const headers = { location: `https://api.test/next?key=${OWN}`, 'x-next': `a?key=${OWN}` };
    const { file, request } = await record(network([`{"self":"${url}"}`], { headers }), url);

    expectNone(file, OWN, KEY);
    expect(request['query']).toEqual(query);
  });

  test('writes no secret of a body, whatever its form', async () => {
    const data = new FormData();
    data.append('api_key', OWN);
    data.append('note', `take ${KEY}`);
    const bodies: NonNullable<RequestInit['body']>[] = [
      JSON.stringify({ messages: [{ content: `My key is ${KEY}` }], config: { password: OWN } }),
      `api_key=${OWN}&note=${KEY}`,
      new URLSearchParams({ api_key: OWN, note: KEY }),
      data,
      `text with ${KEY} and postgres://app:${OWN}@db.test/x`,
      Buffer.concat([Buffer.of(0, 255), Buffer.from(KEY)]),
    ];
    for (const body of bodies) {
      const { file } = await record(network(['ok'], { type: 'text/plain' }), undefined, {
        method: 'POST',
        body,
      });

      expectNone(file, OWN, KEY);
    }
  });

  test('writes no secret of an answer’s headers', async () => {
    const headers = {
      'set-cookie': `session=${OWN}`,
      'x-api-key': OWN,
      'openai-organization': OWN,
      'x-refresh-token': OWN,
      'x-debug': `authorization: Bearer ${KEY}`,
      'x-request-id': 'req_1',
    };
    const { file } = await record(network(['{}'], { headers }));

    expectNone(file, OWN, KEY);
    expect(file).toContain('req_1');
  });

  test('replays the rest of an answer as it was, chunk by chunk', async () => {
    const text = `{"first":1,"key":"${KEY}","last":2}`;
    const cuts = [5, 30, 60, text.length]; // the second and the third within the key
    const chunks = cuts.map((cut, i) => text.slice(cuts[i - 1] ?? 0, cut));
    const { app, file, replayed } = await record(network(chunks));

    expect(app).toBe(text);
    expectNone(file, KEY);
    expect(replayed[0]).toBe('{"fir');
    expect(JSON.parse(replayed.join(''))).toEqual({
      first: 1,
      key: '[REDACTED openai_key]',
      last: 2,
    });
  });

  test('writes no secret of an event that two chunks have halves of', async () => {
    const before = event({ delta: 'Hello' });
    const text = before + event({ delta: `${KEY}.` }) + event({ delta: 'Bye' });
    const cut = before.length + 40;
    const live = network([before, text.slice(before.length, cut), text.slice(cut)], {
      type: 'text/event-stream; charset=utf-8',
    });
    const { file, replayed } = await record(live);

    expectNone(file, KEY, KEY.slice(0, 30), KEY.slice(30));
    expect(replayed[0]).toBe(before);
    expect(replayed.join('')).toBe(
      before + event({ delta: '[REDACTED openai_key].' }) + event({ delta: 'Bye' }),
    );
  });

  test.each<[string, string, (text: string) => unknown]>([
    ['the key is ', KEY, (content) => ({ choices: [{ index: 0, delta: { content } }] })],
    ['the key is ', KEY, (text) => ({ type: 'content_block_delta', index: 1, delta: { text } })],
    [
      'the key is ',
      KEY,
      (delta) => ({ type: 'response.output_text.delta', output_index: 0, delta }),
    ],
    ['{"city":"Oslo","password":"', OWN, (partial_json) => ({ index: 0, delta: { partial_json } })],
    ['the key is ', GOOGLE, (text) => ({ candidates: [{ content: { parts: [{ text }] } }] })],
  ])('writes no secret that a model tells word by word (%s)', async (start, secret, make) => {
    const end = start.startsWith('{') ? '"}' : ' of course';
    const pieces = (start + secret + end).match(/.{1,3}/g) ?? [];
    const other = { index: 7, type: 'other', delta: { content: 'x' } }; // in between
    const live = network(
      pieces.flatMap((piece) => [event(make(piece)), event(other)]),
      {
        type: 'text/event-stream',
      },
    );
    const { app, file, replayed } = await record(live);

    expect(told(app)).toBe(start + secret + end);
    expect(told(replayed.join(''))).toMatch(
      /^(?:the key is |\{"city":"Oslo","password":")\[REDACTED \w+\](?: of course|"\})$/,
    );
    expectNone(file, secret);
    for (const piece of secret.match(/.{6}/g) ?? [])
      expect(told(replayed.join(''))).not.toContain(piece);
    expect(replayed).toHaveLength(pieces.length * 2);
  });

  test.each<[string, string, (piece: string) => string]>([
    ['as a text', 'text/event-stream', (piece) => `data: ${piece}\n\n`],
    ['in quotes', 'text/event-stream', (piece) => `data: ${JSON.stringify(piece)}\n\n`],
    ['as parts of the AI SDK', 'text/event-stream', (piece) => `0:${JSON.stringify(piece)}\n`],
    ['between carriage returns', 'text/event-stream', (piece) => `data: {"text":"${piece}"}\r\r`],
    ['under another type', 'text/plain', (piece) => `data: {"text":"${piece}"}\n\n`],
  ])('writes no secret that comes word by word %s', async (_, type, make) => {
    const pieces = KEY.match(/.{1,5}/g) ?? [];
    const chunks = ['Hi ', ...pieces, ' there'].map(make);
    const { app, file, replayed } = await record(network(chunks, { type }));

    expect(app).toBe(chunks.join(''));
    for (const piece of pieces.slice(2)) expect(file).not.toContain(piece);
    expect(replayed.join('')).toContain('[REDACTED openai_key]');
    expect([replayed[0], replayed.at(-1)]).toEqual([chunks[0], chunks.at(-1)]);
  });

  test('keeps JSON what holds the secret as a number', async () => {
    const [digits, other] = ['1234567890', '91234567890'];
    const text = `{"id":${digits},"list":[${digits} ],"text":"${digits}","other":${other}}`;
    const { replayed, request } = await record(network([text]), undefined, {
      method: 'POST',
      headers: { 'x-api-key': digits },
      body: text,
    });

    const marker = '[REDACTED request_secret]';
    const hidden = { id: marker, list: [marker], text: marker, other: Number(other) };
    expect(JSON.parse(replayed.join(''))).toEqual(hidden);
    expect(request['body']).toEqual(hidden);
  });

  test('writes no secret of an address that is signed', async () => {
    const { file } = await record(
      network(['{}']),
      `https://api.test/v1?X-Amz-Signature=${OWN}1&sort_key=name`,
    );

    expectNone(file, OWN);
    expect(file).toContain('"sort_key":"name"');
  });

  test('writes no cookie that an answer sets, also where its body repeats it', async () => {
    const cookie = `${OWN}-${OWN}`;
    const headers = { 'set-cookie': `session=${cookie}; Path=/; Secure` };
    const { file } = await record(network([`{"note":"${cookie}"}`], { headers }));

    expectNone(file, OWN);
  });

  test('writes no part of a secret where the app stops reading in the midst of it', async () => {
    const live = network([`you are ${OWN.slice(0, 9)}`, `${OWN.slice(9)}, hello`]);
    await using fetch = cassetteFetch({ path, mode: 'record', fetch: live });
    const { body } = await fetch('https://api.test', { headers: { 'x-api-key': OWN } });
    const reader = body?.getReader();
    await reader?.read();
    await reader?.cancel();

    const file = readFileSync(path, 'utf8');
    expectNone(file, OWN.slice(0, 4));
    expect(file).toContain('you are [REDACTED request_secret]');
  });

  test('writes no secret in bytes that are no text', async () => {
    const bytes = Buffer.concat([
      Buffer.of(0, 255, 254),
      Buffer.from(` key ${KEY} `),
      Buffer.of(128),
    ]);
    const live = network([bytes.subarray(0, 30), bytes.subarray(30)], { type: 'audio/mpeg' });
    const { file, replayed } = await record(live);

    expectNone(file, KEY);
    const chunks = [...file.matchAll(/"base64":"([^"]*)"/g)].map(([, base64 = '']) =>
      Buffer.from(base64, 'base64').toString('latin1'),
    );
    expect(chunks.join('')).not.toContain(KEY.slice(0, 20));
    expect(replayed.join('')).toContain('[REDACTED openai_key]');
  });

  test('writes no secret of an error, and none is in a miss', async () => {
    const fails = (): never => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error(`proxy http://app:${OWN}@proxy.test refused`), {
          code: OWN,
        }),
      });
    };
    await using fetch = cassetteFetch({ path, mode: 'record', fetch: fails });
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${OWN}` },
      body: `{"a":"${OWN}"}`,
    };
    await fetch('https://api.test/v1', init).catch(() => {});
    const changed = { ...init, body: `{"a":"${OWN}","b":"${KEY}"}` };
    const url = `https://api.test/v1?key=${OWN}`;
    const miss = await cassetteFetch({ path })(url, changed).catch((error: unknown) => error);

    expectNone(readFileSync(path, 'utf8'), OWN);
    expectNone(String(miss) + JSON.stringify(miss), OWN, KEY);
  });

  test('compares what is left: another key asks the same', async () => {
    await record(network(['ok']), ...asking('first-key-1'));

    expect((await cassetteFetch({ path })(...asking('second-key-2'))).status).toBe(200);
  });
});
