// What becomes of events when the server does not take them. Delays are drawn by Math.random, which is 0 here.
import type { TraceEvent } from '@pyagent-trace/core';
import { sampleRun } from '@pyagent-trace/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeLangfuse, type Fault } from '../fixtures/server.ts';
import { LangfuseExporter } from './langfuse-exporter.ts';
import type { LangfuseExporterOptions } from './options.ts';

const OTLP = '/api/public/otel/v1/traces';
const HEALTH = '/api/public/health';
const CERTAIN = [408, 425, 429, 500, 503, 521, 522, 523, 525, 530];
const UNCERTAIN = [502, 504, 520, 524];

let server: FakeLangfuse;
let exporters: LangfuseExporter[];

beforeEach(async () => {
  for (const name of Object.keys(process.env))
    if (name.startsWith('LANGFUSE_')) vi.stubEnv(name, undefined);
  vi.spyOn(Math, 'random').mockReturnValue(0);
  server = await FakeLangfuse.start();
  exporters = [];
});

afterEach(async () => {
  for (const exporter of exporters) await exporter.shutdown({ timeoutMs: 0 });
  await server[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  vi.useRealTimers();
  vi.restoreAllMocks();
  if (server.problems.length > 0) throw new Error(server.problems.join('\n')); // something came twice
});

function create(options: LangfuseExporterOptions = {}): LangfuseExporter {
  const exporter = new LangfuseExporter({ ...server.options, transport: 'otlp', ...options });
  exporters.push(exporter);
  return exporter;
}

/** 8 events, 4 observations. */
function give(exporter: LangfuseExporter, run = 1, events = sampleRun({ run })): void {
  for (const event of events) exporter.exportEvent(event);
}

function countsOf(exporter: LangfuseExporter): Record<string, unknown> {
  const { delivered, failed, pending, unconfirmed } = exporter.stats();
  return { delivered, failed, pending, unconfirmed };
}

/** Until the server has had so many requests, on a machine that others use. */
async function requestsToBe(count: number): Promise<void> {
  await vi.waitFor(() => expect(server.requests).toHaveLength(count), { timeout: 20_000 });
}

const POSTS = ({ path }: { path: string }): boolean => path !== HEALTH;

describe('LangfuseExporter, when the server fails', () => {
  test.for(CERTAIN)('sends again what was not stored for certain: %i', async (status) => {
    const exporter = create();
    server.fail({ kind: 'status', status }, { kind: 'status', status });
    give(exporter);
    await exporter.flush();
    expect(exporter.stats()).toEqual({
      accepted: 8,
      dropped: 0,
      delivered: 8,
      failed: 0,
      pending: 0,
      unconfirmed: 0,
      maskFailures: 0,
    });
    expect(server.requests.map(({ path }) => path)).toEqual([OTLP, OTLP, OTLP]);
    expect(server.stored).toHaveLength(4);
  });

  const uncertain: [name: string, fault: Fault, stored: number][] = [
    ['a connection that ends', { kind: 'drop' }, 0],
    ['a connection that ends after everything was stored', { kind: 'accept-then-drop' }, 4],
    ['silence', { kind: 'hang' }, 0],
    ...UNCERTAIN.map((status): [string, Fault, number] => [
      String(status),
      { kind: 'status', status },
      0,
    ]),
  ];
  test.for(uncertain)('never sends again what may be stored: %s', async ([, fault, stored]) => {
    const exporter = create({ requestTimeoutMs: 200 });
    server.fail(fault);
    give(exporter);
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 8, pending: 0, unconfirmed: 8 });
    expect(exporter.stats().error).toMatch(/^POST http.* \(it may have been stored\)$/);
    expect(server.stored).toHaveLength(stored);
    expect(server.requests).toHaveLength(1);

    give(exporter, 2);
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 8, failed: 8, pending: 0, unconfirmed: 8 });
    expect(server.requests.map(({ path }) => path)).toEqual([OTLP, HEALTH, OTLP]);
  });

  test('risks no more than one request on a server that may be gone', async () => {
    const exporter = create();
    server.fail({ kind: 'drop' });
    server.healthFault = { kind: 'status', status: 502 };
    give(exporter);
    await exporter.flush();
    for (let run = 2; run < 10; run++) {
      give(exporter, run);
      await exporter.flush({ timeoutMs: 20 });
    }
    expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 8, pending: 64, unconfirmed: 8 });
    expect(exporter.stats().error).toContain('GET');
    expect(server.requests.filter(POSTS)).toHaveLength(1);

    server.healthFault = undefined;
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 64, failed: 8, pending: 0, unconfirmed: 8 });
  });

  test.for<Fault>([
    ...[...CERTAIN, ...UNCERTAIN].map((status): Fault => ({ kind: 'status', status })),
    { kind: 'drop' },
    { kind: 'accept-then-drop' },
    { kind: 'hang' },
    { kind: 'partial', rejected: 2, status: 500 },
    { kind: 'partial', rejected: 5, status: 429 },
  ])(
    'with the langfuse package sends everything again, which stores it once: %j',
    async (fault) => {
      vi.mocked(Math.random).mockRestore(); // the package makes its ids of it
      const exporter = create({ transport: 'langfuse', requestTimeoutMs: 200 });
      server.fail(fault);
      give(exporter);
      await exporter.flush();
      expect(countsOf(exporter)).toEqual({ delivered: 8, failed: 0, pending: 0, unconfirmed: 0 });
      expect(exporter.stats()).not.toHaveProperty('error');
      expect(server.stored).toHaveLength(4);
    },
  );

  test('does not put off what is due while events come quickly', () => {
    const exporter = create();
    const arm = vi.spyOn(globalThis, 'setTimeout');
    for (let run = 1; run <= 300; run++) give(exporter, run);
    expect(arm.mock.calls.length).toBeLessThan(10);
  });

  test('waits as long as it is asked to, and a flush does not wait for that', async () => {
    const exporter = create();
    server.fail({ kind: 'status', status: 429, headers: { 'retry-after': '30' } });
    give(exporter);
    for (const _ of [1, 2, 3]) await exporter.flush({ timeoutMs: 10_000 });
    expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 0, pending: 8, unconfirmed: 0 });
    expect(exporter.stats().error).toMatch(/^POST http.*: 429 /);
    expect(server.requests).toHaveLength(1);
  });

  test('reads a Retry-After that is a date', async () => {
    const exporter = create();
    const date = new Date(Date.now() + 40_000).toUTCString();
    server.fail({ kind: 'status', status: 503, headers: { 'retry-after': date } });
    give(exporter);
    await exporter.flush();
    await exporter.flush();
    expect(server.requests).toHaveLength(1);
  });

  test.for([401, 403, 404, 302])(
    'says once that nothing arrives, and keeps it: %i',
    async (status) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const exporter = create();
      server.failAlways({ kind: 'status', status, headers: { location: '/elsewhere' } });
      give(exporter);
      await exporter.flush();
      give(exporter, 2);
      await exporter.flush();
      expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 0, pending: 16, unconfirmed: 0 });
      expect(server.requests).toHaveLength(1);
      const { error } = exporter.stats();
      expect(error).toMatch(`: ${status} `);
      expect(warn.mock.calls).toEqual([[`LangfuseExporter: ${error}`]]);

      await exporter.shutdown();
      expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 16, pending: 0, unconfirmed: 0 });
      expect(exporter.stats().error).toMatch(`: ${status} `);
    },
  );

  test('tries a rejected key again after a minute, and does not say so again', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const exporter = create();
    server.fail({ kind: 'status', status: 401 }, { kind: 'status', status: 401 });
    give(exporter);
    vi.useFakeTimers({ toFake: ['performance'] });
    for (const requests of [1, 2, 3]) {
      await exporter.flush();
      expect(server.requests).toHaveLength(requests);
      vi.advanceTimersByTime(61_000);
    }
    expect(countsOf(exporter)).toMatchObject({ delivered: 8, pending: 0 });
    expect(warn).toHaveBeenCalledOnce();
  });

  test('takes an answer that is not of Langfuse for a wrong address', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const exporter = create();
    server.failAlways({ kind: 'answer', status: 200, text: '<html>Sign in</html>' });
    give(exporter);
    await exporter.flush();
    expect(countsOf(exporter)).toMatchObject({ delivered: 0, pending: 8 });
    expect(warn).toHaveBeenCalledOnce();
    expect(exporter.stats().error).toContain("no answer of Langfuse's: <html>Sign in</html>");
  });

  test('says that a Langfuse 4 does not take what the langfuse package sends', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const exporter = create({ transport: 'langfuse' });
    const errors = [
      { id: 'x', status: 400, message: 'Event type not accepted', error: 'use OTLP' },
    ];
    server.failAlways({
      kind: 'answer',
      status: 207,
      text: JSON.stringify({ successes: [], errors }),
    });
    give(exporter);
    await exporter.flush();
    expect(countsOf(exporter)).toMatchObject({ delivered: 0, pending: 8 });
    expect(warn).toHaveBeenCalledOnce();
    expect(exporter.stats().error).toMatch(/Event type not accepted.*transport: 'otlp'/);
  });

  test('gives up a batch that the server finds wrong, and no other', async () => {
    const exporter = create();
    server.fail({ kind: 'status', status: 400 });
    give(exporter);
    await exporter.flush();
    give(exporter, 2);
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 8, failed: 8, pending: 0, unconfirmed: 0 });
    expect(exporter.stats().error).toMatch(/: 400 \{"message":"no"\}$/);
  });

  test('splits a request that is too large', async () => {
    const exporter = create();
    server.fail({ kind: 'status', status: 413 }, { kind: 'status', status: 413 });
    for (const run of [1, 2]) give(exporter, run);
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 16, failed: 0, pending: 0, unconfirmed: 0 });
    const spans = server.requests.map(({ text }) => text.split('"spanId"').length - 1);
    expect(spans).toEqual([8, 4, 2, 4, 2]);
  });

  test('gives up an observation that is too large by itself', async () => {
    const exporter = create();
    server.failAlways({ kind: 'status', status: 413 });
    give(exporter);
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 8, pending: 0, unconfirmed: 0 });
  });

  test('counts what an OTLP server rejects of a request: the largest', async () => {
    const exporter = create();
    server.fail({ kind: 'partial', rejected: 1 });
    const [start, ...rest] = sampleRun() as [TraceEvent, ...TraceEvent[]];
    const long = { ...start, payload: { ...start.payload, input: 'x'.repeat(10_000) } };
    give(exporter, 1, [long, ...rest]);
    await exporter.flush();
    // the run has two events
    expect(countsOf(exporter)).toEqual({ delivered: 6, failed: 2, pending: 0, unconfirmed: 0 });
    expect(exporter.stats().error).toMatch(/: 1 spans rejected: too large$/);
    expect(server.stored).toHaveLength(3);
  });

  test('counts what the batch API refuses of a request', async () => {
    vi.mocked(Math.random).mockRestore();
    const exporter = create({ transport: 'langfuse' });
    server.fail({ kind: 'partial', rejected: 1, status: 400 });
    give(exporter);
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 6, failed: 2, pending: 0, unconfirmed: 0 });
    expect(exporter.stats().error).toMatch(/: 400 rejected$/);
  });

  test('takes a refusal without details for an answer, as the API describes it', async () => {
    const exporter = create({ transport: 'langfuse' });
    const errors = [{ id: 'none of ours', status: 400 }];
    server.failAlways({
      kind: 'answer',
      status: 207,
      text: JSON.stringify({ successes: [], errors }),
    });
    give(exporter);
    await exporter.flush();
    expect(countsOf(exporter)).toEqual({ delivered: 8, failed: 0, pending: 0, unconfirmed: 0 });
  });

  test.for<Fault>([
    { kind: 'accept-then-drop' },
    { kind: 'hang' },
    { kind: 'status', status: 502 },
  ])(
    'says, when it gives up what it sent again, that it may have been stored: %j',
    async (fault) => {
      vi.mocked(Math.random).mockRestore();
      const exporter = create({ transport: 'langfuse', requestTimeoutMs: 50 });
      server.failAlways(fault);
      give(exporter);
      await exporter.flush({ timeoutMs: 200 });
      expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 0, pending: 8, unconfirmed: 0 });
      server.failAlways({ kind: 'status', status: 503 });
      give(exporter, 2);
      await exporter.shutdown({ timeoutMs: 200 });
      expect(countsOf(exporter)).toMatchObject({ delivered: 0, failed: 16, pending: 0 });
      expect(exporter.stats().unconfirmed).toBeGreaterThanOrEqual(8);
      expect(exporter.stats().unconfirmed).toBeLessThan(16);
    },
  );

  test('paces its requests to a server that finds everything too large', async () => {
    vi.mocked(Math.random).mockReturnValue(1);
    const exporter = create();
    server.failAlways({ kind: 'status', status: 413 });
    for (const run of [1, 2]) give(exporter, run);
    void exporter.flush({ timeoutMs: 20_000 });
    await vi.waitFor(() => expect(exporter.stats().failed).toBe(2), { timeout: 20_000 });
    // 8 observations, 4, 2, 1; that one is given up, and the next one waits half a second
    expect(server.requests).toHaveLength(4);
    expect(countsOf(exporter)).toEqual({ delivered: 0, failed: 2, pending: 14, unconfirmed: 0 });
    expect(exporter.stats().error).toMatch(/: 413/);
  });

  test.for(['otlp', 'langfuse', 'auto'] as const)(
    'keeps everything for a server that is down, and delivers it once when it is back: %s',
    async (transport) => {
      vi.mocked(Math.random).mockRestore();
      const exporter = create({ transport });
      await server.close();
      for (let run = 1; run <= 200; run++) give(exporter, run);
      void exporter.flush({ timeoutMs: 20_000 });
      await vi.waitFor(() => expect(exporter.stats().error).toBeDefined(), { timeout: 20_000 });
      await exporter.flush({ timeoutMs: 500 });
      expect(countsOf(exporter)).toEqual({
        delivered: 0,
        failed: 0,
        pending: 1600,
        unconfirmed: 0,
      });
      expect(exporter.stats().error).toMatch(/: ECONNREFUSED$/);
      await server.listen();
      await exporter.flush({ timeoutMs: 20_000 });
      expect(exporter.stats()).toEqual({
        accepted: 1600,
        dropped: 0,
        delivered: 1600,
        failed: 0,
        pending: 0,
        unconfirmed: 0,
        maskFailures: 0,
      });
      expect(server.stored).toHaveLength(800);
    },
  );

  test('keeps no more than it may for a server that never answers', async () => {
    const exporter = create({ maxQueueBytes: 100_000 });
    server.failAlways({ kind: 'hang' });
    for (let run = 1; run <= 100; run++) give(exporter, run);
    const { failed, pending, error } = exporter.stats();
    expect(failed + pending).toBe(800);
    // 4 observations of about 700 bytes
    expect(pending).toBeGreaterThan(200);
    expect(pending).toBeLessThan(350);
    expect(error).toBe('the queue is full (maxQueueBytes)');
    await exporter.shutdown({ timeoutMs: 20 });
    expect(countsOf(exporter)).toMatchObject({ delivered: 0, failed: 800, pending: 0 });
  });

  test('ends a shutdown in its time, and says what is lost and what may be', async () => {
    const exporter = create();
    server.failAlways({ kind: 'hang' });
    for (let run = 1; run <= 200; run++) give(exporter, run);
    void exporter.flush({ timeoutMs: 20_000 });
    await requestsToBe(1);
    await exporter.shutdown({ timeoutMs: 50 });
    // one request of 512 observations was under way
    expect(countsOf(exporter)).toEqual({
      delivered: 0,
      failed: 1600,
      pending: 0,
      unconfirmed: 1024,
    });
    expect(exporter.stats().error).toMatch(/no answer before shutdown/);
  });

  test('has sums that hold at every moment, whatever the server does', async () => {
    const kinds: Fault[] = [
      { kind: 'status', status: 500 },
      { kind: 'drop' },
      { kind: 'status', status: 400 },
      { kind: 'partial', rejected: 2 },
      { kind: 'accept-then-drop' },
      { kind: 'status', status: 413 },
      { kind: 'status', status: 429, headers: { 'retry-after': '0' } },
    ];
    const exporter = create({ flushIntervalMs: 0 });
    let given = 0;
    const check = (): void => {
      const { accepted, dropped, delivered, failed, pending } = exporter.stats();
      expect(accepted + dropped).toBe(given);
      expect(delivered + failed + pending).toBe(accepted);
      expect(Math.min(delivered, failed, pending)).toBeGreaterThanOrEqual(0);
    };
    for (let run = 1; run <= 60; run++) {
      if (run % 2 === 0) server.faults.push(kinds[(run / 2) % kinds.length] as Fault);
      for (const event of sampleRun({ run })) {
        exporter.exportEvent(event);
        given += 1;
        check();
      }
      if (run % 3 === 0) await exporter.flush({ timeoutMs: 20 });
      check();
    }
    await exporter.shutdown();
    check();
    const { delivered, failed, unconfirmed, pending } = exporter.stats();
    expect(pending).toBe(0);
    expect(failed).toBeGreaterThan(0);
    expect(delivered).toBeGreaterThan(0);
    expect(unconfirmed).toBeGreaterThan(0);
  });
});

describe("LangfuseExporter with transport 'auto'", () => {
  test.for<[version: string, path: string]>([
    ['2.95.9', '/api/public/ingestion'],
    ['3.21.4', '/api/public/ingestion'],
    ['3.22.0', OTLP],
    ['3.225.0', OTLP],
    ['4.16.0', OTLP],
    ['v4.0.0-rc.1', OTLP],
    ['', OTLP],
  ])('sends to version %s by %s', async ([version, path]) => {
    const exporter = create({ transport: 'auto' });
    server.version = version;
    for (const run of [1, 2]) {
      give(exporter, run);
      await exporter.flush();
    }
    expect(server.requests.map((request) => request.path)).toEqual([HEALTH, path, path]);
    expect(countsOf(exporter)).toMatchObject({ delivered: 16 });
  });

  test('asks again as long as the server is not well', async () => {
    const exporter = create({ transport: 'auto' });
    server.healthFault = { kind: 'status', status: 503 };
    give(exporter);
    await exporter.flush({ timeoutMs: 50 });
    expect(countsOf(exporter)).toMatchObject({ delivered: 0, pending: 8 });
    expect(exporter.stats().error).toMatch(/^GET http.*\/api\/public\/health: 503 /);
    expect(server.requests.filter(POSTS)).toEqual([]);
    server.healthFault = undefined;
    await exporter.flush();
    expect(countsOf(exporter)).toMatchObject({ delivered: 8, pending: 0 });
  });

  test('takes a server without a health check for a new one', async () => {
    const exporter = create({ transport: 'auto' });
    server.healthFault = { kind: 'answer', status: 404, text: 'not found' };
    give(exporter);
    await exporter.flush();
    expect(server.requests.map(({ path }) => path)).toEqual([HEALTH, OTLP]);
  });
});
