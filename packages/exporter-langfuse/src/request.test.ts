import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeLangfuse } from '../fixtures/server.ts';
import { request } from './request.ts';

let server: FakeLangfuse;

beforeEach(async () => void (server = await FakeLangfuse.start()));

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await server[Symbol.asyncDispose]();
});

const never = new AbortController().signal;

describe('request', () => {
  test('gives the answer, whatever its status', async () => {
    server.fail({ kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    expect(await request({ url: `${server.url}/x`, body: 'text' }, 1_000, never)).toEqual({
      kind: 'answer',
      status: 429,
      retryAfterMs: 7_000,
      text: '{"message":"no"}',
    });
  });

  test.for([
    ['soon', undefined],
    ['3600', 60_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
  ] as const)('reads a Retry-After of %s as %s', async ([header, retryAfterMs]) => {
    server.fail({ kind: 'status', status: 503, headers: { 'retry-after': header } });
    const reply = await request({ url: server.url, body: 'text' }, 1_000, never);
    expect('retryAfterMs' in reply ? reply.retryAfterMs : undefined).toBe(retryAfterMs);
  });

  test('leaves no timer behind, which would keep a process alive', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reply = request({ url: server.url, body: 'text' }, 1_000, never);
    expect(vi.getTimerCount()).toBe(1);
    await reply;
    expect(vi.getTimerCount()).toBe(0);
  });

  test('knows that nothing was sent where there was no connection', async () => {
    await server.close();
    expect(await request({ url: server.url, body: 'text' }, 1_000, never)).toEqual({
      kind: 'none',
      sent: false,
      error: 'ECONNREFUSED',
    });
  });

  test('knows that something was sent where the connection ends', async () => {
    server.fail({ kind: 'drop' });
    expect(await request({ url: server.url, body: 'text' }, 1_000, never)).toEqual({
      kind: 'none',
      sent: true,
      error: 'UND_ERR_SOCKET',
    });
  });

  test('knows that something was sent where no answer comes in time', async () => {
    server.fail({ kind: 'hang' });
    expect(await request({ url: server.url, body: 'text' }, 100, never)).toEqual({
      kind: 'none',
      sent: true,
      error: 'no answer within 100 ms',
    });
  });

  // other systems answer when there is no room for a connection
  test.skipIf(process.platform !== 'linux')(
    'knows that nothing was sent where no connection comes about in time',
    async () => {
      const program = `
        const server = require('node:net').createServer();
        server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
          require('node:fs').writeSync(1, server.address().port + '\\n');
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // never accepts
        });`;
      const deaf = spawn(process.execPath, ['-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(createInterface(deaf.stdout), 'line')) as [string];
      const port = Number(line);
      const sockets: Socket[] = [];
      for (let i = 0; i < 4; i++) sockets.push(connect(port, '127.0.0.1').on('error', () => {}));
      await once(sockets[0] as Socket, 'connect');
      try {
        const url = `http://127.0.0.1:${port}`;
        expect(await request({ url, body: 'text' }, 300, never)).toEqual({
          kind: 'none',
          sent: false,
          error: 'no answer within 300 ms',
        });
      } finally {
        for (const socket of sockets) socket.destroy();
        deaf.kill('SIGKILL');
      }
    },
  );

  test('takes a request for sent where it cannot watch it', async () => {
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed'));
    expect(await request({ url: server.url, body: 'text' }, 100, never)).toEqual({
      kind: 'none',
      sent: true,
      error: 'fetch failed',
    });
  });

  test.for([
    ['never answers', () => new Promise<never>(() => {}), 'none'],
    ['answers without an end', async () => new Response(new ReadableStream()), 'answer'],
  ] as const)('ends in time with a fetch that %s and ignores its signal', async (row) => {
    const [, fetch, kind] = row;
    vi.spyOn(globalThis, 'fetch').mockImplementation(fetch);
    expect(await request({ url: server.url }, 50, never)).toMatchObject({ kind });
    const controller = new AbortController();
    const reply = request({ url: server.url }, 10_000, controller.signal);
    controller.abort();
    expect(await reply).toMatchObject({ kind });
  });

  test('takes any rejection', async () => {
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(undefined);
    expect(await request({ url: server.url }, 100, never)).toEqual({
      kind: 'none',
      sent: true,
      error: 'undefined',
    });
  });

  test('reads no more of an answer than Langfuse writes', async () => {
    let chunks = 0;
    const long = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(Buffer.alloc(64 * 1024, 'x'));
        if (++chunks === 100) controller.close();
      },
    });
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(long));
    const reply = await request({ url: server.url }, 1_000, never);
    expect(reply).toMatchObject({ kind: 'answer', status: 200 });
    expect('text' in reply && reply.text.length).toBe(1024 * 1024);
    expect(chunks).toBeLessThan(20);
  });

  test('ends when it is told to', async () => {
    server.fail({ kind: 'hang' });
    const controller = new AbortController();
    const reply = request({ url: server.url, body: 'text' }, 10_000, controller.signal);
    await vi.waitFor(() => expect(server.requests).toHaveLength(1), { timeout: 20_000 });
    controller.abort();
    expect(await reply).toEqual({ kind: 'none', sent: true, error: 'no answer before shutdown' });
  });

  test('does not follow a redirect, which would take the keys elsewhere', async () => {
    server.fail({ kind: 'status', status: 307, headers: { location: `${server.url}/elsewhere` } });
    const headers = { authorization: 'Basic x' };
    const reply = await request({ url: server.url, body: 'text', headers }, 1_000, never);
    expect(reply).toMatchObject({ kind: 'answer', status: 307 });
    expect(server.requests).toHaveLength(1);
  });
});
