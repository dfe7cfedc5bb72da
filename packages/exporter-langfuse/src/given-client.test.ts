import { existsSync, readFileSync } from 'node:fs';
import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { sampleRun } from '@pyagent-trace/core/testing';
import { Langfuse } from 'langfuse';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeLangfuse } from '../fixtures/server.ts';
import type { LangfuseClient } from './client.ts';
import { LangfuseExporter } from './langfuse-exporter.ts';

const VECTORS = new URL('../../../../shared/vectors/langfuse.json', import.meta.url);

type Body = Readonly<Record<string, unknown>>;

/** Writes down what it is called with. */
class RecordingClient implements LangfuseClient {
  readonly calls: { readonly method: string; readonly body: Body }[] = [];
  flush: () => Promise<unknown> = async () => {};
  trace(body: object): void {
    this.calls.push({ method: 'trace', body: body as Body });
  }
  span(body: object): void {
    this.calls.push({ method: 'span', body: body as Body });
  }
  generation(body: object): void {
    this.calls.push({ method: 'generation', body: body as Body });
  }
  event(body: object): void {
    this.calls.push({ method: 'event', body: body as Body });
  }
  flushAsync(): Promise<unknown> {
    return this.flush();
  }
}

let errors: ReturnType<typeof vi.spyOn>;
beforeEach(() => void (errors = vi.spyOn(console, 'error').mockImplementation(() => {})));
afterEach(() => void vi.restoreAllMocks());

describe('LangfuseExporter with a client', () => {
  test('calls it once for each observation, with everything, and for each run', async () => {
    const client = new RecordingClient();
    const exporter = new LangfuseExporter({
      client,
      environment: 'test',
      release: 'r1',
      version: 'v1',
    });
    for (const event of sampleRun({ calls: 1 })) exporter.exportEvent(event);
    await exporter.shutdown();
    const trace = '00000000000000000000000000000001';
    expect(client.calls).toEqual([
      {
        method: 'generation',
        body: {
          id: '0000000100000003',
          traceId: trace,
          parentObservationId: '0000000100000002',
          name: 'llm_call.bull',
          startTime: new Date('2025-01-01T00:01:00.250Z'),
          endTime: new Date('2025-01-01T00:01:00.375Z'),
          model: 'gpt-4o-2024-08-06',
          input: [{ role: 'user', content: 'Should we buy? (1)' }],
          output: 'Buy.',
          usageDetails: { input: 12, output: 2, total: 14 },
          costDetails: { total: 0.00005 },
          usage: { input: 12, output: 2, total: 14, unit: 'TOKENS', totalCost: 0.00005 },
          metadata: { provider: 'openai', duration_ms: 125, agent_name: 'bull' },
          level: 'DEFAULT',
          environment: 'test',
          version: 'v1',
        },
      },
      {
        method: 'span',
        body: {
          id: '0000000100000002',
          traceId: trace,
          parentObservationId: '0000000100000001',
          name: 'bull',
          startTime: new Date('2025-01-01T00:01:00.125Z'),
          endTime: new Date('2025-01-01T00:01:00.500Z'),
          input: 'Should we buy?',
          output: 'Buy.',
          metadata: { role: 'advocate', duration_ms: 375 },
          level: 'DEFAULT',
          environment: 'test',
          version: 'v1',
        },
      },
      {
        method: 'trace',
        body: {
          id: trace,
          name: 'debate',
          timestamp: new Date('2025-01-01T00:01:00.000Z'),
          input: 'Should we buy?',
          output: 'Buy.',
          metadata: { duration_ms: 625, llm_calls: 1 },
          environment: 'test',
          release: 'r1',
          version: 'v1',
        },
      },
      {
        method: 'span',
        body: {
          id: '0000000100000001',
          traceId: trace,
          name: 'debate',
          startTime: new Date('2025-01-01T00:01:00.000Z'),
          endTime: new Date('2025-01-01T00:01:00.625Z'),
          input: 'Should we buy?',
          output: 'Buy.',
          metadata: { duration_ms: 625, llm_calls: 1 },
          level: 'DEFAULT',
          environment: 'test',
          version: 'v1',
        },
      },
    ]);
  });

  test.skipIf(!existsSync(VECTORS))(
    'makes the calls of the Python exporter recognisable (skipped without ../shared)',
    async () => {
      const { events, calls } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
        events: TraceEvent[];
        calls: { method: string; arguments: Body }[];
      };
      const client = new RecordingClient();
      const exporter = new LangfuseExporter({ client });
      for (const event of events) exporter.exportEvent(createTraceEvent(event));
      await exporter.shutdown();
      expect(exporter.stats()).toMatchObject({ delivered: events.length, pending: 0 });

      const made = calls.filter(({ method }) => method !== 'update' && method !== 'end');
      for (const { method, arguments: body } of made) {
        const { name, model, input, output, usage } = body;
        // unknown is left out: no input is no empty one, and no usage is not 0
        const known = Object.entries({ name, model, input, output, usage }).filter(
          ([, value]) => value && !(value === usage && (usage as Body)['input'] === 0),
        );
        const ours = client.calls.find(
          (call) => call.method === method && call.body['name'] === name,
        );
        expect(ours?.body).toMatchObject(Object.fromEntries(known));
      }
      const [cost, end] = calls.filter(({ method }) => method === 'update');
      const costEvent = client.calls.find(({ body }) => body['name'] === 'cost_record');
      expect(costEvent?.body['metadata']).toEqual(cost?.arguments['metadata']);
      const trace = client.calls.find(({ method }) => method === 'trace');
      expect(end?.arguments['metadata']).toMatchObject({ result_output: trace?.body['output'] });
    },
  );

  test('sends again, and stores once, what a client could not send', async () => {
    await using server = await FakeLangfuse.start('2.95.9');
    const client = new Langfuse({ ...server.options, fetchRetryCount: 0 });
    const exporter = new LangfuseExporter({ client });
    server.fail({ kind: 'accept-then-drop' }, { kind: 'status', status: 500 });
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.flush();
    expect(exporter.stats()).toMatchObject({ delivered: 8, failed: 0, unconfirmed: 0 });
    expect(server.stored).toHaveLength(4);
    expect(errors).toHaveBeenCalled(); // by the client
    await exporter.shutdown();
  });

  test('delivers more than the client sends at once, beside what the app sends', async () => {
    await using server = await FakeLangfuse.start('2.95.9');
    const client = new Langfuse({ ...server.options, flushAt: 3 });
    const exporter = new LangfuseExporter({ client });
    client.trace({ id: 'own', name: 'of the app' });
    for (let run = 1; run <= 20; run++)
      for (const event of sampleRun({ run })) exporter.exportEvent(event);
    await exporter.flush();
    expect(exporter.stats()).toMatchObject({ delivered: 160, pending: 0 });
    expect(server.stored).toHaveLength(80);
    await exporter.shutdown();
    await client.shutdownAsync();
    expect(server.traces.map(({ name }) => name)).toContain('of the app');
  });

  test('keeps what a client that rejects did not send', async () => {
    const client = new RecordingClient();
    const exporter = new LangfuseExporter({ client });
    client.flush = () => Promise.reject(new Error('no network'));
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.flush({ timeoutMs: 50 });
    expect(exporter.stats()).toMatchObject({ pending: 8, error: 'the client: no network' });
    client.flush = async () => {};
    await exporter.flush();
    expect(exporter.stats()).toMatchObject({ delivered: 8, pending: 0 });
  });

  test.for(['throws', 'rejects'])('gives up what a client that %s cannot take', async (how) => {
    const client = new RecordingClient();
    const generation = vi.spyOn(client, 'generation');
    generation.mockImplementation(() => {
      const error = new Error('no room');
      if (how === 'throws') throw error;
      return Promise.reject(error) as unknown as void;
    });
    const exporter = new LangfuseExporter({ client });
    for (const event of sampleRun({ calls: 1 })) exporter.exportEvent(event);
    await exporter.shutdown();
    expect(exporter.stats()).toMatchObject({
      delivered: 4,
      failed: 2,
      error: 'the client: no room',
    });
    expect(client.calls.map(({ method }) => method)).toEqual(['span', 'trace', 'span']);
  });

  test('gives each observation once to a client whose flush returns nothing', async () => {
    const client = new RecordingClient();
    client.flush = () => undefined as unknown as Promise<unknown>;
    const exporter = new LangfuseExporter({ client });
    for (const event of sampleRun({ calls: 1 })) exporter.exportEvent(event);
    await exporter.shutdown();
    expect(exporter.stats()).toMatchObject({ delivered: 6, failed: 0 });
    expect(client.calls).toHaveLength(4);
  });

  test('ends a shutdown in its time when the client does not', async () => {
    const client = new RecordingClient();
    client.flush = () => new Promise(() => {});
    const exporter = new LangfuseExporter({ client });
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.shutdown({ timeoutMs: 50 });
    expect(exporter.stats()).toMatchObject({ failed: 8, unconfirmed: 8, pending: 0 });
  });

  test('takes no part in the uploads of the client', async () => {
    await using server = await FakeLangfuse.start('2.95.9');
    const client = new Langfuse(server.options);
    const exporter = new LangfuseExporter({ client });
    const input = ['data:image/png;base64,AAAA', { input_audio: { data: 'AAAA', format: 'wav' } }];
    const metadata = { input, audio: { data: 'AAAA' }, input_audio: null };
    for (const event of sampleRun())
      exporter.exportEvent(
        createTraceEvent({ ...event, payload: { ...event.payload, input, metadata } }),
      );
    await exporter.shutdown();
    expect(exporter.stats()).toMatchObject({ delivered: 8 });
    expect(server.requests.map(({ path }) => path)).toEqual(['/api/public/ingestion']);
    expect(server.traces[0]).toMatchObject({
      metadata: { audio: { file: '[file: 4 characters]' } },
    });
  });

  test('keeps texts that the client would take for files', async () => {
    await using server = await FakeLangfuse.start('2.95.9');
    const exporter = new LangfuseExporter({ client: new Langfuse(server.options) });
    const input = ['data: {"delta":"a"}\n\ndata: [DONE]', { said: 'DATA: none' }];
    for (const event of sampleRun())
      exporter.exportEvent(createTraceEvent({ ...event, payload: { ...event.payload, input } }));
    await exporter.shutdown();
    expect(server.traces[0]).toMatchObject({
      input: [' data: {"delta":"a"}\n\ndata: [DONE]', { said: 'DATA: none' }],
    });
    expect(errors).not.toHaveBeenCalled();
  });
});
