import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ReplayMissError } from '../replay-miss-error.ts';
import { type CassetteFetch, cassetteFetch } from './cassette-fetch.ts';
import type { CassetteFetchOptions } from './options.ts';

type Fetch = typeof globalThis.fetch;

let folder: string;
let path: string;
let server: Server;
let url: string;
/** What the server does. */
let handle: (request: IncomingMessage, response: ServerResponse, body: Buffer) => unknown;

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void handle(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  vi.stubEnv('PYAGENT_TRACE_REPLAY', undefined);
  vi.stubEnv('CI', undefined);
  folder = mkdtempSync(join(tmpdir(), 'cassette-'));
  path = join(folder, 'deep', 'http.jsonl');
  handle = (request, response, body) =>
    response.end(`${request.method} ${request.url} ${String(body)}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const NO_NETWORK: Fetch = () => {
  throw new Error('the network was asked');
};

function recorder(options: Partial<CassetteFetchOptions> = {}): CassetteFetch {
  return cassetteFetch({ path, mode: 'record', ...options });
}

function replayer(options: Partial<CassetteFetchOptions> = {}): CassetteFetch {
  return cassetteFetch({ path, fetch: NO_NETWORK, ...options });
}

/** The same with the network, and without. */
async function both<T>(
  run: (fetch: CassetteFetch) => Promise<T>,
  live?: typeof globalThis.fetch,
): Promise<[T, T]> {
  await using recording = recorder({ fetch: live });
  const recorded = await run(recording);
  await recording.close();
  await using replaying = replayer();
  const replayed = await run(replaying);
  expect(recording.stats()).toMatchObject({ failed: 0, pending: 0 });
  expect(replaying.stats()).toMatchObject({ missed: 0, replayed: recording.stats().recorded });
  return [recorded, replayed];
}

interface Line {
  readonly metadata: {
    request: Record<string, unknown>;
    response?: {
      status: number;
      headers: [string, string][];
      cancelled?: boolean;
      chunks?: { at_ms: number; text?: string; base64?: string }[];
    };
    error?: Record<string, unknown>;
  };
}

function lines(): Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function textsOf(recorded: Line | undefined): unknown {
  return recorded?.metadata.response?.chunks?.map(({ text, base64 }) => text ?? base64);
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Asks, and reads the answer to its end. */
async function ask(
  fetch: CassetteFetch,
  to: string | URL | Request,
  init?: RequestInit,
): Promise<string> {
  return (await fetch(to, init)).text();
}

function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) };
}

function picture(byte: number): string {
  return `data:image/png;base64,${Buffer.alloc(20_000, byte).toString('base64')}`;
}

function twice<T>(value: T): [T, T] {
  return [value, value];
}

async function reasonOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const reason = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return reason as Error;
}

/** An exchange by hand. */
const entry = {
  timestamp: 1,
  event_type: 'http_request',
  agent_name: '',
  messages_in: [],
  response: '',
};
const asked = { method: 'GET', origin: 'http://x', path: '/' };
const answered = { at_ms: 1, status: 200, status_text: 'OK', headers: [], chunks: [] };
const exchange = { cassette: 1, request: asked, response: answered, duration_ms: 1 };
const line = (metadata: object): string => JSON.stringify({ ...entry, metadata });

const form = (): FormData => {
  const data = new FormData();
  data.append('purpose', 'batch');
  data.append('tag', 'a');
  data.append('tag', 'b');
  data.append('file', new File([Buffer.of(0, 255, 1)], 'x.bin'));
  return data;
};
const stream = (): ReadableStream<Uint8Array> =>
  ReadableStream.from([Buffer.from('{"a":'), Buffer.from('1}')]);
const generator = async function* (): AsyncGenerator<Uint8Array> {
  yield Buffer.from('gene');
  yield Buffer.from('rated');
};

describe('cassetteFetch', () => {
  test('writes a line of the six keys that Python reads', async () => {
    handle = (_, response) => response.writeHead(201, { 'content-type': 'text/plain' }).end('ok');
    const fetch = recorder();
    const body = JSON.stringify({ b: 1, a: 'x' });

    await ask(fetch, `${url}/v1/x?b=2&a=1&b=3`, { method: 'POST', body });

    expect(lines()).toEqual([
      {
        timestamp: expect.any(Number),
        event_type: 'http_request',
        agent_name: '',
        messages_in: [],
        response: '',
        metadata: {
          cassette: 1,
          request: {
            method: 'POST',
            origin: url,
            path: '/v1/x',
            query: { b: ['2', '3'], a: '1' },
            body: { b: 1, a: 'x' },
          },
          response: {
            at_ms: expect.any(Number),
            status: 201,
            status_text: 'Created',
            headers: [
              ['content-type', 'text/plain'],
              ['date', expect.any(String)],
            ],
            chunks: [{ at_ms: expect.any(Number), text: 'ok' }],
          },
          duration_ms: expect.any(Number),
        },
      },
    ]);
    expect(fetch.stats()).toEqual({
      requests: 1,
      replayed: 0,
      missed: 0,
      recorded: 1,
      failed: 0,
      pending: 0,
    });
  });

  const file = {
    file: 'x.bin',
    type: 'application/octet-stream',
    bytes: 3,
    sha256: sha256(Buffer.of(0, 255, 1)),
  };

  test.each<[string, () => unknown, unknown]>([
    ['text', () => 'plain text', 'plain text'],
    ['JSON', () => '{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
    ['broken JSON', () => '{"a": [1', '{"a": [1'],
    ['URLSearchParams', () => new URLSearchParams({ a: '1 2', b: 'ü' }), { a: '1 2', b: 'ü' }],
    ['FormData', form, { purpose: 'batch', tag: ['a', 'b'], file }],
    ['a Blob', () => new Blob(['blo', 'b']), 'blob'],
    ['a stream', stream, { a: 1 }],
    ['a generator', generator, 'generated'],
    ['a Uint8Array', () => Buffer.from('bytes'), 'bytes'],
    ['an ArrayBuffer', () => new Uint8Array([65, 66]).buffer, 'AB'],
    [
      'bytes that are no text',
      () => Buffer.of(255, 0),
      { bytes: 2, sha256: sha256(Buffer.of(255, 0)) },
    ],
    ['nothing', () => undefined, undefined],
  ])('sends, records and compares a body of %s', async (_, makeBody, recorded) => {
    let sent = 0;
    handle = (_request, response, body) => {
      sent = body.length;
      response.end('ok');
    };
    const results = await both(async (fetch) => {
      const init = { method: 'POST', body: makeBody(), duplex: 'half' } as RequestInit;
      return (await fetch(url, init)).text();
    });

    expect(results).toEqual(['ok', 'ok']);
    expect(lines()[0]?.metadata.request['body']).toEqual(recorded);
    expect(sent > 0).toBe(recorded !== undefined);
  });

  test('takes a Request and a URL, and leaves the Request as fetch does', async () => {
    const results = await both(async (fetch) => {
      const request = new Request(`${url}/a`, { method: 'PUT', body: 'one' });
      const first = await ask(fetch, request);
      const second = await ask(fetch, new URL(`${url}/b`), { method: 'DELETE' });
      const third = await (
        await fetch(new Request(`${url}/c`), { method: 'PUT', body: 'yes' })
      ).text();
      return [first, second, third];
    });

    expect(results).toEqual(twice(['PUT /a one', 'DELETE /b ', 'PUT /c yes']));
    const request = new Request(`${url}/a`, { method: 'PUT', body: 'one' });
    await replayer()(request);
    expect(request.bodyUsed).toBe(true);
    await expect(recorder()('no URL')).rejects.toThrow(TypeError);
  });

  test.each<
    [string, (response: ServerResponse, request: IncomingMessage) => unknown, RequestInit?]
  >([
    ['gzip', (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('packed'))],
    ['no content', (response) => response.writeHead(204).end()],
    ['an empty body', (response) => response.end()],
    ['HEAD', (response) => response.setHeader('x-a', '1').end(), { method: 'HEAD' }],
    ['bytes that are no text', (response) => response.end(Buffer.of(0, 255, 254, 65))],
    ['half a character at the end', (response) => response.end(Buffer.of(65, 0xc3))],
    ['a byte order mark', (response) => response.end('\ufeff{"a":1}')],
    ['repeated headers', (response) => response.setHeader('x-a', ['1', '2']).end('x')],
    [
      'a status text',
      (response) => response.writeHead(418, 'I am "a" teapot').end('short and stout'),
    ],
    [
      'a redirect',
      (response, { url: to }) =>
        to === '/start'
          ? response.writeHead(302, { location: '/there?x=1' }).end()
          : response.end('there'),
    ],
    [
      'a redirect that is not followed',
      (response) => response.writeHead(307, { location: '/there' }).end('gone'),
      { redirect: 'manual' },
    ],
  ])('gives again an answer with %s', async (_, respond, init) => {
    handle = (request, response) => respond(response, request);
    const results = await both(async (fetch) => {
      const response = await fetch(`${url}/start`, init);
      const { status, statusText, ok, url: from, redirected, body } = response;
      const copy = response.clone();
      const headers = [...response.headers].filter(
        ([name]) =>
          !/^(?:content-(?:length|encoding)|connection|keep-alive|transfer-encoding)$/.test(name),
      );
      const bytes = [...new Uint8Array(await response.arrayBuffer())];
      return {
        status,
        statusText,
        ok,
        from,
        redirected,
        headers,
        bytes,
        hasBody: body !== null,
        of: copy.url,
        copied: await copy.text(),
      };
    });

    const [recorded, replayed] = results;

    expect(replayed).toEqual(recorded);
    expect(recorded).toMatchObject({ redirected: _ === 'a redirect' });
  });

  test('hands cookies to the app, and keeps them out of the file', async () => {
    handle = (_, response) => response.setHeader('set-cookie', ['a=planted', 'b=2']).end('x');
    const [recorded, replayed] = await both(async (fetch) =>
      (await fetch(url)).headers.getSetCookie(),
    );

    expect([recorded, replayed]).toEqual([['a=planted', 'b=2'], []]);
    expect(readFileSync(path, 'utf8')).not.toContain('planted');
  });

  test('hands chunks on as they come, and gives them again one by one', async () => {
    const text = Buffer.from('Grüße 🌊 — fin');
    const cuts = [3, 4, 9, 11, text.length]; // within characters too
    const seen = new EventEmitter();
    handle = async (_, response) => {
      for (const [i, cut] of cuts.entries()) {
        response.write(text.subarray(cuts[i - 1] ?? 0, cut));
        await once(seen, 'chunk'); // the next one is sent when this one was read
      }
      response.end();
    };
    const [recorded, replayed] = await both(async (fetch) => {
      const sizes: number[] = [];
      for await (const chunk of (await fetch(url)).body ?? []) {
        sizes.push(chunk.length);
        seen.emit('chunk');
      }
      return sizes;
    });

    expect(recorded).toEqual([3, 1, 5, 2, text.length - 11]);
    // a chunk has the characters that end in it
    expect(textsOf(lines()[0])).toEqual(['Gr', 'ü', 'ße ', '🌊 — fin']);
    expect(replayed).toEqual([2, 2, 4, text.length - 8]);
  });

  test('reads no faster than the app, 64 KiB aside', async () => {
    let pulled = 0;
    const live: Fetch = () =>
      Promise.resolve(
        new Response(
          new ReadableStream(
            {
              pull(controller) {
                pulled += 1;
                if (pulled > 100) controller.close();
                else controller.enqueue(new Uint8Array(16 * 1024));
              },
            },
            { highWaterMark: 0 },
          ),
        ),
      );
    const response = await recorder({ fetch: live })(url);
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(pulled).toBe(4);
    expect((await response.arrayBuffer()).byteLength).toBe(100 * 16 * 1024);
  });

  test('records an answer of 20 MB, and counts one that is too large for a line', async () => {
    const fetch = recorder();
    handle = (_, response) => response.end('x'.repeat(20e6));
    expect(await ask(fetch, url)).toHaveLength(20e6);
    handle = (_, response) => response.end('x'.repeat(34e6));
    expect(await ask(fetch, url)).toHaveLength(34e6);
    await fetch.close();

    expect(fetch.stats()).toMatchObject({
      recorded: 1,
      failed: 1,
      error: 'an answer of 34000000 bytes is too large to be recorded',
    });
    expect(await ask(replayer(), url)).toHaveLength(20e6);
  });

  test('writes no line that is too long to be read again', async () => {
    const fetch = recorder();
    handle = (_, response) => response.end('"'.repeat(32 * 1024 * 1024));
    await ask(fetch, url);
    handle = (_, response) => response.end('short');
    await ask(fetch, url);
    await fetch.close();

    expect(fetch.stats()).toMatchObject({ recorded: 1, failed: 1 });
    expect(fetch.stats().error).toMatch(
      /^a request and answer of \d+ bytes as JSON are too large to be recorded$/,
    );
    expect(await ask(replayer(), url)).toBe('short');
  });

  test('gives bytes into a buffer of the app', async () => {
    handle = (_, response) => response.end('0123456789');
    const results = await both(async (fetch) => {
      const reader = ((await fetch(url)).body as ReadableStream<Uint8Array>).getReader({
        mode: 'byob',
      });
      const parts: string[] = [];
      for (;;) {
        const { value, done } = await reader.read(new Uint8Array(4));
        if (done) return parts;
        parts.push(Buffer.from(value).toString());
      }
    });

    expect(results).toEqual(twice(['0123', '4567', '89']));
  });

  describe('when the app does not read to the end', () => {
    const gate = new EventEmitter();
    const release = (): boolean => gate.emit('open');
    beforeEach(() => {
      handle = async (_, response) => {
        response.write('first');
        await once(gate, 'open');
        response.end('second');
      };
    });

    test('records an answer that nobody reads, if it is short', async () => {
      handle = (_, response) => response.writeHead(500).end('overloaded');
      const fetch = recorder();
      const { ok } = await fetch(url);
      await vi.waitFor(() => expect(fetch.stats().recorded).toBe(1), { timeout: 20_000 });

      expect([ok, textsOf(lines()[0])]).toEqual([false, ['overloaded']]);
    });

    test('records what was there when the app cancels, and says so to who reads further', async () => {
      const fetch = recorder();
      for await (const _ of (await fetch(url)).body ?? []) break;
      release();

      expect(textsOf(lines()[0])).toEqual(['first']);
      expect(fetch.stats()).toMatchObject({ recorded: 1, pending: 0 });
      const seen: string[] = [];
      const reading = (async () => {
        for await (const chunk of (await replayer()(url)).body ?? [])
          seen.push(Buffer.from(chunk).toString());
      })();
      await expect(reading).rejects.toThrow(
        `${path}:1: the app stopped reading here when this was recorded, and what followed is not in the file`,
      );
      expect(seen).toEqual(['first']);
    });

    test('records what was there when the cassette is closed, and the app reads on', async () => {
      const fetch = recorder();
      const response = await fetch(url);
      await vi.waitFor(() => expect(fetch.stats().pending).toBe(1), { timeout: 20_000 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await fetch.close();
      release();

      expect(await response.text()).toBe('firstsecond');
      expect([textsOf(lines()[0]), lines()[0]?.metadata.response?.cancelled]).toEqual([
        ['first'],
        true,
      ]);
      expect(fetch.stats()).toMatchObject({ recorded: 1, failed: 0, pending: 0 });
    });

    test('records nothing where it is closed before an answer came', async () => {
      const provider = new EventEmitter();
      const live = vi.fn<typeof globalThis.fetch>(async () => {
        await once(provider, 'answer');
        return new Response('late');
      });
      live.mockResolvedValueOnce(new Response('before'));
      const fetch = recorder({ fetch: live });
      await ask(fetch, url);
      const text = ask(fetch, url);
      await vi.waitFor(() => expect(live).toHaveBeenCalledTimes(2), { timeout: 20_000 });
      await fetch.close();
      provider.emit('answer');

      expect(await text).toBe('late');
      expect(fetch.stats()).toMatchObject({
        recorded: 1,
        failed: 1,
        pending: 0,
        error: 'the cassette was closed before an answer came',
      });
      expect(await ask(replayer(), url)).toBe('before');
    });

    test('passes an abort on in the midst of an answer, and rejects at the same place again', async () => {
      const results = await both(async (fetch) => {
        const controller = new AbortController();
        const response = await fetch(url, { signal: controller.signal });
        const seen: string[] = [];
        const reason = await reasonOf(
          (async () => {
            for await (const chunk of response.body ?? []) {
              seen.push(Buffer.from(chunk).toString());
              controller.abort(new Error('enough'));
            }
          })(),
        );
        return [seen, reason.message];
      });

      expect(results).toEqual(twice([['first'], 'enough']));
      release();
      expect(lines()[0]?.metadata.error).toMatchObject({ message: 'enough', aborted: true });
    });

    test('gives the error of an abort again, when nobody aborts', async () => {
      handle = () => {}; // answers nothing
      const fetch = recorder();
      await reasonOf(fetch(url, { signal: AbortSignal.timeout(20) }));

      const started = performance.now();
      const reason = await reasonOf(replayer()(url, { signal: new AbortController().signal }));
      const tookMs = performance.now() - started;

      expect(reason).toMatchObject({ name: 'TimeoutError' });
      expect(reason.message).toContain(`(recorded, ${path}:1)`);
      // as long as it took then: who aborts, does so within that time
      expect(tookMs).toBeGreaterThanOrEqual(15);
    });

    test('rejects as fetch does when the signal is aborted before, and counts no request', async () => {
      const fetch = recorder();

      await expect(fetch(url, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow(
        'no',
      );
      expect(fetch.stats().requests).toBe(0);
    });

    test('takes an answer back when it is replayed and the app aborts', async () => {
      handle = (_, response) => response.end('x'.repeat(200_000));
      await ask(recorder(), url);
      const controller = new AbortController();
      const response = await replayer()(url, { signal: controller.signal });
      controller.abort(new Error('enough'));

      await expect(response.text()).rejects.toThrow('enough');
    });

    test('lets go of an answer that was forgotten', async () => {
      let cancelled = false;
      const live: Fetch = () =>
        Promise.resolve(
          new Response(
            new ReadableStream({
              pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
              cancel() {
                cancelled = true;
              },
            }),
          ),
        );
      const fetch = recorder({ fetch: live });
      await fetch(url);
      const { setFlagsFromString } = await import('node:v8');
      const { runInNewContext } = await import('node:vm');
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      await vi.waitFor(
        () => {
          collect();
          expect(cancelled).toBe(true);
        },
        { timeout: 20_000 },
      );

      expect(fetch.stats()).toMatchObject({ recorded: 1, pending: 0 });
    });
  });

  describe('when the network fails', () => {
    test('gives the error again, cause and code included', async () => {
      const gone = createServer().listen(0, '127.0.0.1');
      await once(gone, 'listening');
      const refused = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
      await once(gone.close(), 'close');
      const results = await both(async (fetch) => {
        const reason = await reasonOf(fetch(refused));
        const cause = reason.cause as Error & { code: string };
        return [
          reason.constructor,
          reason.message,
          cause.code,
          cause.message.replace(/ \(recorded.*/, ''),
        ];
      });

      const [recorded, replayed] = results;

      expect(replayed).toEqual(recorded);
      expect(recorded).toMatchObject([
        TypeError,
        'fetch failed',
        'ECONNREFUSED',
        expect.any(String),
      ]);
    });

    test('breaks off a stream where it broke off', async () => {
      handle = (_, response) => {
        response.write('half');
        setTimeout(() => response.destroy(), 20);
      };
      const results = await both(async (fetch) => {
        const response = await fetch(url);
        const seen: string[] = [];
        const reason = await reasonOf(
          (async () => {
            for await (const chunk of response.body ?? []) seen.push(Buffer.from(chunk).toString());
          })(),
        );
        return [seen, reason.constructor, reason.message];
      });

      expect(results).toEqual(twice([['half'], TypeError, 'terminated']));
    });
  });

  describe('what equals what', () => {
    test('does not look at order of keys, white space and ids of tool calls', async () => {
      const method = 'POST';
      await ask(recorder(), url, {
        method,
        body: '{"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"x  y"}]}',
      });

      const body =
        '{ "messages": [{ "tool_call_id": "b", "content": "x y", "role": "tool" }], "model": "m" }';
      expect(await ask(replayer(), url, { method, body })).toContain('"a"');
    });

    test('looks at method, address, parameters, and headers that choose an answer', async () => {
      const init = {
        method: 'POST',
        body: '{}',
        headers: { 'anthropic-beta': 'a', 'x-other': '1' },
      };
      await ask(recorder(), `${url}/a?x=1`, init);
      const missed = async (to: string, changes: object): Promise<string> => {
        const { message } = await reasonOf(replayer()(to, { ...init, ...changes }));
        return message.slice(message.indexOf(': ') + 2).replace(/.*\{\+asked\+\}\n/, '');
      };

      expect(await missed(`${url}/a?x=1`, { headers: { 'anthropic-beta': 'b' } })).toBe(
        '  headers.anthropic-beta: [-a-]{+b+}',
      );
      expect(await missed(`${url}/a?x=2`, {})).toBe('  query.x: [-1-]{+2+}');
      expect(await missed(`${url}/a?x=1`, { body: '{"n":1}' })).toBe('  body.n: {+1+}');
      const nothing = 'not recorded, and nothing of its kind is';
      expect(await missed(`${url}/b?x=1`, {})).toBe(`POST ${url}/b: ${nothing}`);
      expect(await missed(`${url}/a?x=1`, { method: 'PUT' })).toBe(`PUT ${url}/a: ${nothing}`);
      const headers = { 'anthropic-beta': 'a', 'x-other': '2' };
      expect(await ask(replayer(), `${url}/a?x=1`, { ...init, headers })).toBe('POST /a?x=1 {}');
    });

    test('leaves out what is ignored', async () => {
      await ask(recorder(), `${url}/a?ts=1`, post({ list: [{ id: 'a', n: 1 }] }));
      const fetch = replayer({ ignore: ['body.list.*.id', 'query.ts', 'origin'] });

      const response = await fetch('http://elsewhere/a?ts=2', post({ list: [{ id: 'b', n: 1 }] }));

      expect(response.url).toBe('http://elsewhere/a?ts=2');
    });

    test('answers equal questions in the order in which they were asked, and then no more', async () => {
      let count = 0;
      const gate = new EventEmitter();
      const isAsked = once(gate, 'asked');
      handle = async (_, response) => {
        count += 1;
        const text = String(count);
        gate.emit('asked');
        if (text === '1') await once(gate, 'open'); // it is written last
        response.end(text);
      };
      const recording = recorder();
      const first = ask(recording, url);
      await isAsked;
      const texts = [await ask(recording, url), await ask(recording, url)];
      gate.emit('open');
      texts.unshift(await first);
      const fetch = replayer();
      const again = await Promise.all([1, 2, 3].map(async () => (await fetch(url)).text()));

      expect(lines().map(textsOf)).toEqual([['2'], ['3'], ['1']]);
      expect([texts, again]).toEqual(twice(['1', '2', '3']));
      const reason = await reasonOf(fetch(url));
      expect(reason).toBeInstanceOf(ReplayMissError);
      expect(reason).toMatchObject({
        reason: 'used',
        message: `${path}: GET ${url}/: every recorded answer to it has been used`,
      });
      expect(fetch.stats()).toMatchObject({ requests: 4, replayed: 3, missed: 1 });
    });

    test('keeps the order of equal questions that are answered within a millisecond', async () => {
      let count = 0;
      const live = (): Promise<Response> => Promise.resolve(new Response(String(count++)));
      const [recorded, replayed] = await both(async (fetch) => {
        const texts: string[] = [];
        for (let i = 0; i < 50; i++) texts.push(await ask(fetch, url));
        return texts;
      }, live);

      expect(replayed).toEqual(recorded);
    });

    test('finds the nearest question by how much of it changed', async () => {
      const recording = recorder();
      for (const content of ['Tell a joke.', 'Should we buy gold today?', 'Is it raining?'])
        await ask(recording, url, post({ content }));

      const reason = await reasonOf(
        replayer()(url, post({ content: 'Should we buy silver today?' })),
      );

      expect(reason).toMatchObject({
        nearest: { line: 2 },
        message: [
          `${path}: POST ${url}/: not recorded; the nearest is line 2 [-recorded-]{+asked+}`,
          '  body.content: Should we buy [-gold-]{+silver+} today?',
        ].join('\n'),
      });
    });

    test('shows no differences of writing beside those of meaning', async () => {
      await ask(recorder(), url, post({ a: 'one  two', n: 1, list: [{ b: 1 }] }));

      const reason = await reasonOf(
        replayer()(url, post({ n: 2, a: 'one two', list: [{ b: 1 }] })),
      );

      expect((reason as ReplayMissError).differences).toEqual([
        { path: 'body.n', expected: 1, actual: 2 },
      ]);
    });

    test('keeps of pictures in Base64 the digest', async () => {
      const init = (byte: number): RequestInit => post({ messages: [{ content: picture(byte) }] });
      await ask(recorder(), url, init(1));

      expect(lines()[0]?.metadata.request['body']).toEqual({
        messages: [{ content: { bytes: picture(1).length, sha256: sha256(picture(1)) } }],
      });
      expect(await ask(replayer(), url, init(1))).toContain('data:image');
      await expect(replayer()(url, init(2))).rejects.toThrow('body.messages.0.content.sha256');
    });

    test.each([198, 100_000])(
      'compares the digest of what is nested %d levels deep',
      async (depth) => {
        const body = '['.repeat(depth) + ']'.repeat(depth);
        await ask(recorder(), url, { method: 'POST', body });

        expect(lines()[0]?.metadata.request['body']).toEqual({
          bytes: 2 * depth,
          sha256: sha256(body),
        });
        expect(await ask(replayer(), url, { method: 'POST', body })).toContain(body);
      },
    );

    test('lists what was not asked for', async () => {
      const recording = recorder();
      for (const name of ['a', 'b', 'c']) await ask(recording, `${url}/${name}`);
      const fetch = replayer();
      await fetch(`${url}/b`);

      expect(await fetch.unused()).toEqual([
        { line: 1, subject: `GET ${url}/a` },
        { line: 3, subject: `GET ${url}/c` },
      ]);
    });
  });

  describe('modes', () => {
    test('auto replays what the file has, and adds what it lacks', async () => {
      await ask(recorder(), `${url}/a`);
      handle = (_, response) => response.end('new');
      const fetch = cassetteFetch({ path, mode: 'auto' });
      const texts = [];
      for (const name of ['a', 'b', 'b']) texts.push(await ask(fetch, `${url}/${name}`));

      expect(texts).toEqual(['GET /a ', 'new', 'new']);
      expect(fetch.stats()).toMatchObject({ requests: 3, replayed: 1, recorded: 2, missed: 0 });
      expect(lines()).toHaveLength(3);
    });

    test('auto begins a file, and in CI it replays', async () => {
      await ask(cassetteFetch({ path, mode: 'auto' }), url);
      vi.stubEnv('CI', 'true');
      const fetch = cassetteFetch({ path, mode: 'auto', fetch: NO_NETWORK });

      expect([fetch.mode, await ask(fetch, url)]).toEqual(['replay', 'GET / ']);
      await expect(fetch(`${url}/x`)).rejects.toThrow(ReplayMissError);
    });

    test('record begins anew, once for all who record in this process', async () => {
      const old = recorder();
      await ask(old, `${url}/old`);
      await old.close();
      const [a, b] = [recorder(), recorder()];
      for (const [fetch, name] of [
        [a, 'a'],
        [b, 'b'],
        [a, 'c'],
      ] as const)
        await ask(fetch, `${url}/${name}`);
      await a.close();
      await ask(b, `${url}/d`);
      await b.close();

      const paths = lines().map(({ metadata }) => metadata.request['path']);
      expect(paths).toEqual(['/a', '/b', '/c', '/d']);
    });

    test('live asks the network, and writes nothing', async () => {
      const fetch = cassetteFetch({ path, mode: 'live' });

      expect(await ask(fetch, url)).toBe('GET / ');
      expect(() => readFileSync(path)).toThrow('ENOENT');
    });

    test('takes the fetch of the moment, also where it stands in its place', async () => {
      vi.stubGlobal('fetch', recorder());
      expect(await (await fetch(url)).text()).toBe('GET / ');
      vi.unstubAllGlobals();
    });

    test.each<[string, (fetch: typeof globalThis.fetch) => typeof globalThis.fetch]>([
      ['another cassette', () => recorder({ path: join(folder, 'other.jsonl') })],
      ['what calls it', (inner) => (input, init) => inner(input, init)],
    ])('asks the network where %s takes its place', async (_, wrap) => {
      let deep = 0;
      const network = vi.fn<typeof globalThis.fetch>(() => Promise.resolve(new Response('live')));
      vi.stubGlobal('fetch', network);
      const inner = recorder();
      vi.stubGlobal('fetch', inner);
      const outer = wrap((input, init) => {
        if ((deep += 1) > 5) throw new Error('asks itself');
        return inner(input, init);
      });
      vi.stubGlobal('fetch', outer);

      expect(await (await fetch(url)).text()).toBe('live');
      expect(await ask(inner, url)).toBe('live');
      expect(network).toHaveBeenCalledTimes(2);
      vi.unstubAllGlobals();
    });

    test('records nothing after it was closed, and says so', async () => {
      const fetch = recorder();
      await fetch.close();

      expect(await ask(fetch, url)).toBe('GET / ');
      expect(fetch.stats()).toMatchObject({
        recorded: 0,
        failed: 1,
        error: 'the cassette was closed',
      });
    });

    test('takes the time it took, if it is asked to', async () => {
      path = join(folder, 'x.jsonl');
      const chunks = [
        { at_ms: 20_000, text: 'a' },
        { at_ms: 50_000, text: 'b' },
      ];
      const response = { ...answered, at_ms: 10_000, chunks };
      writeFileSync(path, `${line({ ...exchange, response })}\n`);
      const delays: number[] = [];
      const { setTimeout: original } = globalThis;
      vi.spyOn(globalThis, 'setTimeout').mockImplementation((callback, ms = 0, ...args) => {
        const isOurs = ms > 9_000; // the runtime has timers too
        if (isOurs) delays.push(ms);
        return original(callback, isOurs ? 0 : ms, ...args);
      });

      expect(await ask(replayer({ timing: 'recorded' }), 'http://x')).toBe('ab');
      const waits = delays.map((ms) => Math.round(ms / 1_000));
      expect(waits).toEqual([10, 20, 50]); // no time passes meanwhile
      delays.length = 0;
      expect(await ask(replayer(), 'http://x')).toBe('ab');
      expect(delays).toEqual([]);
    });
  });

  describe('bad input', () => {
    test.each<[string, object, string]>([
      ['path', { path: '' }, 'path: expected a path or file: URL'],
      ['ignore', { ignore: ['messages.0'] }, 'ignore.0: expected keys joined by dots, from method'],
      ['mode', { mode: 'rerecord' }, 'mode: '],
      ['unknown', { modes: 'auto' }, 'unknown option "modes"'],
    ])('refuses a wrong option: %s', (_, options, message) => {
      expect(() => recorder(options)).toThrow(message);
    });

    test('refuses a file that is not there', () => {
      expect(() => replayer()).toThrow(
        /http\.jsonl: ENOENT: no such file or directory; mode "record" or "auto" records one/,
      );
    });

    test.each<[string, string, string]>([
      [
        'another version',
        line({ ...exchange, cassette: 2 }),
        'metadata.cassette: expected cassette version 1, got 2',
      ],
      ['no version', line({}), 'metadata.cassette: expected cassette version 1, got nothing'],
      [
        'a wrong type',
        line({ ...exchange, response: { ...answered, status: '200' } }),
        'metadata.response.status: ',
      ],
      [
        'a status that no answer has',
        line({ ...exchange, response: { ...answered, status: 99 } }),
        'metadata.response.status: ',
      ],
      [
        'a wrong chunk',
        line({ ...exchange, response: { ...answered, chunks: [{ at_ms: 1 }] } }),
        'metadata.response.chunks.0: expected text or base64',
      ],
      [
        'a header that none can be',
        line({ ...exchange, response: { ...answered, headers: [['a b', 'c']] } }),
        'metadata.response: Headers.append: "a b" is an invalid header name.',
      ],
      [
        'a status text that none can be',
        line({ ...exchange, response: { ...answered, status_text: 'a\nb' } }),
        'metadata.response: Invalid statusText',
      ],
      [
        'no answer',
        line({ cassette: 1, request: asked, duration_ms: 1 }),
        'metadata: expected a response or an error',
      ],
      ['half a line', line(exchange).slice(0, 90), 'half a line of 90 bytes'],
    ])('names the line that has %s', async (_, wrong, message) => {
      path = join(folder, 'x.jsonl');
      writeFileSync(path, `${line(exchange)}\n${wrong}\n`);

      await expect(replayer()(url)).rejects.toThrow(`${path}:2: ${message}`);
    });

    test.each<[string, string | Buffer, string]>([
      [
        'a trace',
        '{"timestamp":1,"event_type":"x","agent_name":"","pattern_type":"","payload":{"messages_in":[]}}\n',
        'an event of a trace, not an entry of a recording',
      ],
      ['another file', '{"name":"app"}\n', 'expected'],
    ])('refuses %s in every mode, and leaves it as it is', async (_, content, problem) => {
      path = join(folder, 'x.jsonl');
      writeFileSync(path, content);

      for (const mode of ['record', 'auto'] as const)
        expect(() => recorder({ mode })).toThrow(
          `cassetteFetch: mode "${mode}" writes recordings, and ${path} holds`,
        );
      await expect(replayer()(url)).rejects.toThrow(new RegExp(`^${path}:1: .*${problem}`));
      expect(readFileSync(path, 'utf8')).toBe(content);
    });

    test('replays a packed file, and does not write into one', async () => {
      path = join(folder, 'x.jsonl.gz');
      writeFileSync(path, gzipSync(`${line(exchange)}\n`));

      expect((await replayer()('http://x')).status).toBe(200);
      expect(() => recorder({ mode: 'auto' })).toThrow('holds a packed file');
    });

    test('replays what stands before half a line at the end, and entries of other types', async () => {
      path = join(folder, 'x.jsonl');
      const call = JSON.stringify({ ...entry, event_type: 'llm_call', metadata: {} });
      writeFileSync(path, `\ufeff${line(exchange)}\r\n${call}\n${line(exchange).slice(0, 50)}`);

      expect((await replayer()('http://x')).status).toBe(200);
    });

    test('is not disturbed by who writes the file meanwhile', async () => {
      path = join(folder, 'x.jsonl');
      writeFileSync(path, `${line(exchange)}\n${line(exchange)}\n`);
      const fetch = replayer();
      await fetch('http://x');
      writeFileSync(path, '');

      expect((await fetch('http://x')).status).toBe(200);
    });

    test('says that it is closed', async () => {
      path = join(folder, 'x.jsonl');
      writeFileSync(path, `${line(exchange)}\n`);
      const fetch = replayer();
      await fetch.close();

      await expect(fetch('http://x')).rejects.toThrow(`${path}: the cassette is closed`);
    });
  });
});
