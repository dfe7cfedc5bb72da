import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { createTraceEvent, TraceEventBus, type TraceEvent } from '@pyagent-trace/core';
import { type ExporterSubject, exporterContract, sampleRun } from '@pyagent-trace/core/testing';
import { createTracer } from '@pyagent-trace/core/tracer';
import { Langfuse } from 'langfuse';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeLangfuse, KEYS, type Stored } from '../fixtures/server.ts';
import { traceDebate } from '../fixtures/runs.ts';
import { LangfuseExporter } from './langfuse-exporter.ts';
import type { LangfuseExporterOptions } from './options.ts';

const exit = promisify(execFile);

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (name.startsWith('LANGFUSE_')) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('LangfuseExporter', () => {
  for (const transport of ['otlp', 'langfuse', 'auto'] as const)
    describe(`with transport '${transport}'`, () => {
      test.for(exporterContract(() => subjectWith({ transport })))('$name', ({ run }) => run());
    });

  describe('with a client', () => {
    // where it fails, the client prints
    beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
    test.for(exporterContract(subjectWithClient))('$name', ({ run }) => run());
  });

  test('says everything of a call in one span', async () => {
    const [generation, agent, root] = await spansOf([
      event('pattern_start', 0, '', {
        span_id: ROOT,
        input: 'Buy?',
        metadata: { desk: 7 },
        tags: ['a', 'b'],
        session_id: 's',
        user_id: 'u',
      }),
      event('agent_start', 1, 'bull', { span_id: AGENT, parent_span_id: ROOT, role: 'advocate' }),
      event('llm_call', 2, 'bull', {
        span_id: CALL,
        parent_span_id: AGENT,
        provider: 'openai',
        model: 'gpt-4o',
        messages_in: [{ role: 'user', content: 'Buy?' }],
        temperature: 0.5,
        stop: ['.'],
        tools: [{ name: 'add' }],
      }),
      event('llm_response', 3.25, 'bull', {
        span_id: CALL,
        model: 'gpt-4o-2024',
        response: 'Yes',
        input_tokens: 10,
        cache_read_tokens: 4,
        output_tokens: 2,
        finish_reasons: ['stop'],
        time_to_first_chunk_ms: 250,
        result: { raw: 1 },
        metadata: { attempt: 1 },
        status: 'ok',
      }),
      event('cost_record', 3.5, 'bull', { span_id: CALL, model: 'gpt-4o', cost_usd: 0.01 }),
      event('agent_end', 4, 'bull', { span_id: AGENT, output: 'Yes' }),
      event('pattern_end', 5, '', { span_id: ROOT, output: 'Yes', rounds: 1 }),
    ]);
    const shared = {
      'langfuse.trace.name': 'debate',
      'langfuse.trace.tags': ['a', 'b'],
      'langfuse.environment': 'test',
      'langfuse.release': 'r1',
      'langfuse.version': 'v1',
      'langfuse.observation.level': 'DEFAULT',
      'session.id': 's',
      'user.id': 'u',
    };
    expect(generation).toEqual({
      id: CALL,
      traceId: TRACE,
      parentId: AGENT,
      name: 'llm_call.bull',
      fields: {
        ...shared,
        'langfuse.observation.type': 'generation',
        'langfuse.observation.input': '[{"role":"user","content":"Buy?"}]',
        'langfuse.observation.output': 'Yes',
        'langfuse.observation.model.name': 'gpt-4o-2024',
        'langfuse.observation.model.parameters': '{"temperature":0.5,"stop":["."]}',
        'langfuse.observation.usage_details':
          '{"input":6,"output":2,"input_cache_read":4,"total":12}',
        'langfuse.observation.cost_details': '{"total":0.01}',
        'langfuse.observation.completion_start_time': '"2025-01-01T00:00:02.250Z"',
        'langfuse.observation.metadata.provider': 'openai',
        'langfuse.observation.metadata.tools': '[{"name":"add"}]',
        'langfuse.observation.metadata.finish_reasons': '["stop"]',
        'langfuse.observation.metadata.agent_name': 'bull',
        'langfuse.observation.metadata.attempt': '1',
      },
      raw: expect.objectContaining({
        kind: 1,
        startTimeUnixNano: '1735689602000000000',
        endTimeUnixNano: '1735689603250000000',
      }),
    });
    expect(generation?.raw).not.toHaveProperty('status');
    expect(agent).toMatchObject({
      id: AGENT,
      parentId: ROOT,
      name: 'bull',
      fields: {
        ...shared,
        'langfuse.observation.type': 'agent',
        'langfuse.observation.output': 'Yes',
        'langfuse.observation.metadata.role': 'advocate',
      },
    });
    expect(root).toEqual(
      expect.objectContaining({
        id: ROOT,
        parentId: undefined,
        name: 'debate',
        fields: {
          ...shared,
          'langfuse.observation.type': 'chain',
          'langfuse.observation.input': 'Buy?',
          'langfuse.observation.output': 'Yes',
          'langfuse.observation.metadata.rounds': '1',
          'langfuse.observation.metadata.desk': '7',
        },
      }),
    );
  });

  test('keeps times to the microsecond', async () => {
    const [span] = await spansOf([
      event('tool_start', 0.123457, '', { span_id: ROOT, tool_name: 'add', arguments: [1] }),
      event('tool_end', 0.987654, '', { span_id: ROOT, result: 0 }),
    ]);
    expect(span).toMatchObject({
      name: 'add',
      fields: { 'langfuse.observation.input': '[1]', 'langfuse.observation.output': '0' },
      raw: { startTimeUnixNano: '1735689600123457000', endTimeUnixNano: '1735689600987654000' },
    });
  });

  test('shows tool calls that a model asks for as its answer', async () => {
    const tool_calls = [{ id: 'c1', function: { name: 'add', arguments: '{}' } }];
    const [span] = await spansOf([
      event('llm_call', 0, '', { span_id: CALL, model: 'm', response: '', tool_calls }),
    ]);
    expect(span?.name).toBe('llm_call');
    expect(JSON.parse(String(span?.fields['langfuse.observation.output']))).toEqual({
      role: 'assistant',
      content: '',
      tool_calls,
    });
  });

  test('shows an error on the call that failed, with its message', async () => {
    const [span] = await spansOf([
      event('llm_call', 0, 'bull', { span_id: CALL, model: 'm' }),
      event('error', 1, 'bull', {
        span_id: CALL,
        message: 'too busy',
        error_type: 'RateLimitError',
      }),
      event('llm_response', 1, 'bull', { span_id: CALL, status: 'error' }),
    ]);
    expect(span).toMatchObject({
      fields: {
        'langfuse.observation.level': 'ERROR',
        'langfuse.observation.status_message': 'too busy',
        'langfuse.observation.metadata.errors':
          '[{"message":"too busy","error_type":"RateLimitError"}]',
      },
      raw: { status: { code: 2, message: 'too busy' } },
    });
  });

  test.for<[name: string, end: TraceEvent['payload'], level: string]>([
    ['whose end says nothing, as in Python', {}, 'ERROR'],
    ['that failed', { status: 'error' }, 'ERROR'],
    ['that went on', { status: 'ok' }, 'WARNING'],
  ])('shows an error in an agent %s', async ([, end, level]) => {
    const [span] = await spansOf([
      event('agent_start', 0, 'bull', { span_id: AGENT }),
      event('error', 1, 'bull', { span_id: AGENT, message: 'no data' }),
      event('agent_end', 2, 'bull', { span_id: AGENT, ...end }),
    ]);
    expect(span?.fields).toMatchObject({
      'langfuse.observation.level': level,
      'langfuse.observation.status_message': 'no data',
    });
  });

  test.for<[status: string | undefined, message: string]>([
    ['cancelled', 'cancelled'],
    [undefined, 'its end never came'],
  ])('warns of a run that is %s', async ([status, message]) => {
    const end =
      status === undefined ? [] : [event('pattern_end', 1, '', { span_id: ROOT, status })];
    const [span] = await spansOf([event('pattern_start', 0, '', { span_id: ROOT }), ...end]);
    expect(span?.fields).toMatchObject({
      'langfuse.observation.level': 'WARNING',
      'langfuse.observation.status_message': message,
    });
  });

  test('shows what happens inside a span as events below it, without a cost of their own', async () => {
    const spans = await spansOf([
      event('agent_start', 0, 'bull', { span_id: AGENT }),
      event('routing_decision', 1, 'bull', {
        span_id: AGENT,
        selected_model: 'm',
        difficulty: 7,
        result: 'm',
      }),
      event('compression', 2, 'bull', { span_id: AGENT, savings_pct: 0.5 }),
      event('cost_record', 3, 'bull', { span_id: AGENT, model: 'm', cost_usd: 0.5 }),
      event('vendor.thing', 4, 'bull', { span_id: AGENT, metadata: { a: 1 } }),
      event('agent_end', 5, 'bull', { span_id: AGENT }),
    ]);
    expect(spans.map(({ name, parentId }) => [name, parentId])).toEqual([
      ['routing_decision', AGENT],
      ['compression', AGENT],
      ['cost_record', AGENT],
      ['vendor.thing', AGENT],
      ['bull', undefined],
    ]);
    expect(spans[0]?.fields).toMatchObject({
      'langfuse.observation.type': 'event',
      'langfuse.observation.output': 'm',
      'langfuse.observation.metadata.selected_model': 'm',
      'langfuse.observation.metadata.difficulty': '7',
    });
    expect(spans[2]?.fields['langfuse.observation.metadata.cost_usd']).toBe('0.5');
    for (const { fields } of spans)
      expect(fields).not.toHaveProperty('langfuse.observation.cost_details');
  });

  test('keeps a thousand errors of a span with it, and shows more as events below it', async () => {
    const spans = await spansOf([
      event('agent_start', 0, 'bull', { span_id: AGENT }),
      ...Array.from({ length: 1_002 }, (_, index) =>
        event('error', 1, 'bull', { span_id: AGENT, message: `error ${index}` }),
      ),
      event('agent_end', 2, 'bull', { span_id: AGENT }),
    ]);
    expect(
      spans.map(({ name, fields }) => [name, fields['langfuse.observation.status_message']]),
    ).toEqual([
      ['error', 'error 1000'],
      ['error', 'error 1001'],
      ['bull', 'error 999'],
    ]);
  });

  test('gives ids that are no hex a hash, the same everywhere, and keeps what they were', async () => {
    const ids = { trace_id: 'order-7' };
    const [child, root] = await spansOf([
      event('pattern_start', 0, '', { ...ids, span_id: 'run' }),
      event('agent_start', 1, 'bull', { ...ids, span_id: 'bull', parent_span_id: 'run' }),
      event('agent_end', 2, 'bull', { ...ids, span_id: 'bull' }),
      event('pattern_end', 3, '', { ...ids, span_id: 'run' }),
    ]);
    expect(child).toMatchObject({
      traceId: 'df8cf80227ec3237922df0ecd88385c5',
      fields: {
        'langfuse.observation.metadata.trace_id': 'order-7',
        'langfuse.observation.metadata.span_id': 'bull',
        'langfuse.observation.metadata.parent_span_id': 'run',
      },
    });
    expect(child?.parentId).toBe(root?.id);
    expect(child?.traceId).toBe(root?.traceId);
  });

  test('makes each run without ids a trace of its own', async () => {
    const run = ['pattern_start', 'agent_start', 'agent_end', 'pattern_end'].map((type, at) =>
      event(type, at, at % 3 === 0 ? '' : 'bull', { trace_id: undefined }),
    );
    const late = event('error', 9, 'bull', { trace_id: undefined, message: 'late' });
    const spans = await spansOf([...run, ...run, late]);
    expect(spans.map(({ name }) => name)).toEqual(['bull', 'debate', 'bull', 'debate', 'error']);
    const [first, , second, root, error] = spans;
    expect(first?.traceId).not.toBe(second?.traceId);
    expect(error).toMatchObject({ traceId: root?.traceId, parentId: root?.id });
  });

  test('shows what comes too late below its span, and what belongs to no run as a run', async () => {
    const spans = await spansOf([
      event('agent_start', 0, 'bull', { span_id: AGENT }),
      event('agent_end', 1, 'bull', { span_id: AGENT }),
      event('agent_end', 2, 'bull', { span_id: AGENT, output: 'again' }),
      {
        ...event('error', 3, '', { message: 'at start' }),
        pattern_type: '',
        payload: { message: 'at start' },
      },
    ]);
    expect(spans.map(({ name, parentId }) => [name, parentId])).toEqual([
      ['bull', undefined],
      ['agent_end', AGENT],
      ['error', undefined],
    ]);
    expect(spans[2]?.fields).toMatchObject({
      'langfuse.trace.name': 'error',
      'langfuse.observation.level': 'ERROR',
      'langfuse.observation.status_message': 'at start',
    });
    expect(spans[2]?.traceId).not.toBe(TRACE);
  });

  test('leaves the name of a trace to the process where it began', async () => {
    const traceparent = `00-${TRACE}-${ROOT}-01`;
    const [span] = await spansOf([
      event('agent_start', 0, 'bull', { span_id: AGENT, traceparent }),
      event('agent_end', 1, 'bull', { span_id: AGENT }),
    ]);
    expect(span).toMatchObject({ parentId: ROOT, traceId: TRACE });
    expect(span?.fields).not.toHaveProperty('langfuse.trace.name');
  });

  test('counts an event as pending until its span has arrived', async () => {
    await using server = await FakeLangfuse.start();
    const exporter = new LangfuseExporter({ ...server.options, transport: 'otlp' });
    const pending = [];
    for (const one of sampleRun({ calls: 1 })) {
      exporter.exportEvent(one);
      await exporter.flush();
      pending.push(exporter.stats().pending);
    }
    // the run, the agent, then the call until it ends, the agent, the run
    expect(pending).toEqual([1, 2, 3, 2, 1, 0]);
    await exporter.shutdown();
    expect(exporter.stats()).toMatchObject({ accepted: 6, delivered: 6 });
  });

  test('counts what is no event as failed', async () => {
    await using server = await FakeLangfuse.start();
    const exporter = new LangfuseExporter({ ...server.options, transport: 'otlp' });
    exporter.exportEvent(null as never);
    await exporter.shutdown();
    expect(exporter.stats()).toMatchObject({ accepted: 1, failed: 1, pending: 0 });
    expect(exporter.stats().error).toMatch(/null/);
  });

  test('sends nothing that the mask takes out, and counts where it fails', async () => {
    await using server = await FakeLangfuse.start();
    const exporter = new LangfuseExporter({
      ...server.options,
      transport: 'otlp',
      mask: (value) => {
        if (value === 'Buy.') throw new Error('broken');
        return '***';
      },
    });
    for (const one of sampleRun()) exporter.exportEvent(one);
    await exporter.shutdown();
    expect(exporter.stats()).toMatchObject({ delivered: 8, maskFailures: 4 });
    const [text = ''] = server.requests.map((request) => request.text);
    expect(text).not.toMatch(/Should we|Buy\.|advocate/);
    expect(text).toContain('[masking failed]');
  });

  test('zips what is long', async () => {
    await using server = await FakeLangfuse.start();
    const exporter = new LangfuseExporter({ ...server.options, transport: 'otlp' });
    for (const one of sampleRun({ run: 1 })) exporter.exportEvent(one);
    await exporter.flush();
    for (const one of sampleRun({ run: 2, calls: 50 })) exporter.exportEvent(one);
    await exporter.shutdown();
    const [short, long] = server.requests;
    expect(short?.headers).not.toHaveProperty('content-encoding');
    expect(short?.headers).toMatchObject({ 'x-langfuse-ingestion-version': '4' });
    expect(long?.headers['content-encoding']).toBe('gzip');
    expect(long?.bytes).toBeLessThan((long?.text.length ?? 0) / 10);
  });

  test('shows no key: not in its errors, not when it is inspected, not on the console', async () => {
    const printed = [
      ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
        vi.spyOn(console, method).mockImplementation(() => {}),
      ),
      ...[process.stdout, process.stderr].map((stream) =>
        vi.spyOn(stream, 'write').mockImplementation(() => true),
      ),
    ];
    const secrets = new RegExp(`${KEYS.secretKey}|${btoa(`${KEYS.publicKey}:${KEYS.secretKey}`)}`);
    const texts: unknown[] = [];
    for (const transport of ['otlp', 'langfuse'] as const) {
      await using server = await FakeLangfuse.start();
      const exporter = new LangfuseExporter({ ...server.options, transport });
      const authorization = btoa(`${KEYS.publicKey}:${KEYS.secretKey}`);
      const echo = `you sent Basic ${authorization} (${KEYS.secretKey})`;
      for (const status of [500, 400, 401]) {
        server.failAlways({ kind: 'answer', status, text: echo });
        for (const one of sampleRun({ run: status })) exporter.exportEvent(one);
        await exporter.flush({ timeoutMs: 50 });
        texts.push(exporter.stats().error, inspect(exporter, { depth: 10, showHidden: true }));
      }
      await exporter.shutdown({ timeoutMs: 50 });
      texts.push(exporter.stats());
    }
    const all = inspect([texts, printed.map(({ mock }) => mock.calls)], { depth: 10 });
    vi.restoreAllMocks();
    expect(all).toContain('you sent Basic [secret] ([secret])');
    expect(all).not.toMatch(secrets);
  });

  test('shows no part of a key where a long answer is cut', async () => {
    await using server = await FakeLangfuse.start();
    const exporter = new LangfuseExporter({ ...server.options, transport: 'otlp' });
    for (let before = 0; before < 400; before += 10) {
      server.fail({ kind: 'answer', status: 400, text: 'x'.repeat(before) + KEYS.secretKey });
      for (const one of sampleRun({ run: before })) exporter.exportEvent(one);
      await exporter.flush();
      expect(exporter.stats().error).not.toContain(KEYS.secretKey.slice(0, 6));
    }
    await exporter.shutdown();
  });

  test('bounds every text that is no content, and counts it', async () => {
    await using server = await FakeLangfuse.start();
    const options = { ...server.options, transport: 'otlp' } as const;
    const long = 'x'.repeat(1_000_000);
    const root = {
      session_id: long,
      user_id: long,
      tags: Array.from({ length: 10_000 }, (_, index) => `tag ${index}`),
      stop: [long, '.'],
      temperature: long,
    };
    const give = (exporter: LangfuseExporter): void => {
      for (const one of sampleRun({ calls: 1 }))
        exporter.exportEvent({ ...one, payload: { ...root, ...one.payload, ...root } });
    };
    const exporter = new LangfuseExporter(options);
    give(exporter);
    await exporter.shutdown();
    const spans = server.stored.map(({ raw }) => JSON.stringify(raw));
    expect(spans.length).toBe(3);
    const [call] = spans;
    expect(call).toContain('more items]'); // of the tags
    expect(call?.length).toBeLessThan(40_000);
    const small = new LangfuseExporter({ ...options, maxQueueBytes: 20_000 });
    give(small);
    await small.shutdown();
    expect(small.stats()).toMatchObject({ accepted: 6, failed: 6 });
  });

  // a process that starts while others run takes seconds
  test('ends the process in time when the server hangs', { timeout: 10_000 }, async () => {
    await using server = await FakeLangfuse.start();
    server.failAlways({ kind: 'hang' });
    const program = fileURLToPath(new URL('../fixtures/exit.ts', import.meta.url));
    const args = ['--conditions=@pyagent-trace/source', program, server.url];
    const { stdout, stderr } = await exit(process.execPath, args, { timeout: 9_000 });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 8, delivered: 0, failed: 8, pending: 0 });
  });

  test('delivers a debate on a bus', async () => {
    await using server = await FakeLangfuse.start();
    const bus = new TraceEventBus();
    bus.attach(new LangfuseExporter(server.options));
    await traceDebate(createTracer(bus), 'Build?');
    const [receipt] = await bus.shutdown();
    expect(receipt).toEqual({
      exporter: 'langfuse',
      delivered: 25,
      failed: 0,
      dropped: 0,
      pending: 0,
    });
    expect(server.stored).toHaveLength(13);
    expect(server.problems).toEqual([]);
  });
});

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const ROOT = '00000000000000a1';
const AGENT = '00000000000000a2';
const CALL = '00000000000000a3';

function event(
  event_type: string,
  at: number,
  agent_name: string,
  payload: TraceEvent['payload'],
): TraceEvent {
  return createTraceEvent({
    timestamp: 1_735_689_600 + at,
    event_type,
    agent_name,
    pattern_type: 'debate',
    payload: { trace_id: TRACE, ...payload },
  });
}

/** What arrives, in order. */
async function spansOf(events: readonly TraceEvent[]): Promise<readonly Stored[]> {
  await using server = await FakeLangfuse.start();
  const origin = { environment: 'test', release: 'r1', version: 'v1' };
  const exporter = new LangfuseExporter({ ...server.options, ...origin, transport: 'otlp' });
  for (const one of events) exporter.exportEvent(one);
  await exporter.shutdown();
  expect(exporter.stats()).toMatchObject({ delivered: events.length, pending: 0 });
  expect(server.problems).toEqual([]);
  return server.stored;
}

async function subjectWith(options: LangfuseExporterOptions): Promise<ExporterSubject> {
  const server = await FakeLangfuse.start();
  return subjectOf(server, new LangfuseExporter({ ...server.options, ...options }));
}

async function subjectWithClient(): Promise<ExporterSubject> {
  const server = await FakeLangfuse.start();
  const client = new Langfuse({ ...server.options, flushInterval: 0, fetchRetryCount: 0 });
  const subject = subjectOf(server, new LangfuseExporter({ client }));
  return {
    ...subject,
    dispose: async () => {
      await subject.dispose?.();
      await client.shutdownAsync();
    },
  };
}

function subjectOf(server: FakeLangfuse, exporter: LangfuseExporter): ExporterSubject {
  return {
    exporter,
    arrivedSpanIds: () => server.stored.map(({ id }) => id),
    refuse: () => server.failAlways({ kind: 'status', status: 503 }),
    recover: () => server.failAlways(undefined),
    hang: () => server.failAlways({ kind: 'hang' }),
    dispose: () => server[Symbol.asyncDispose](),
  };
}
