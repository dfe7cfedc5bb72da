import { context, diag, type Span, trace, type TracerProvider } from '@opentelemetry/api';
import { AlwaysOffSampler, type Sampler, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { TraceEventBus } from '@pyagent-trace/core';
import { exporterContract, type ExporterSubject, sampleRun } from '@pyagent-trace/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { destination, ids, setUp, spanId, TRACE_ID } from '../testing/exporter-spans.ts';
import { OTelExporter, PyAgentIdGenerator } from './index.ts';
import { VERSION } from './version.ts';

const NOTHING = { accepted: 0, dropped: 0, delivered: 0, failed: 0, pending: 0 };

afterEach(() => {
  trace.disable();
  context.disable();
  diag.disable();
});

function processor(overrides: Partial<SpanProcessor>): SpanProcessor {
  return {
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
    ...overrides,
  };
}

function fail(): never {
  throw new Error('refused');
}

/** The SDK waits a turn of the event loop for its exporter. */
async function after(promise: Promise<void>): Promise<void> {
  await vi.advanceTimersByTimeAsync(1);
  await promise;
}

/** How many listeners the process has, per event. */
function listeners(): number[] {
  return process.eventNames().map((name) => process.listenerCount(name));
}

function createSubject(): ExporterSubject {
  let refusing = false;
  const arrived: string[] = [];
  const { exporter } = setUp(
    {},
    {
      spanProcessors: [
        processor({
          onEnd: ({ attributes }) => {
            if (refusing) fail();
            arrived.push(String(attributes['pyagent.span_id']));
          },
        }),
      ],
    },
  );
  return {
    exporter,
    arrivedSpanIds: () => arrived,
    refuse: () => void (refusing = true),
    recover: () => void (refusing = false),
  };
}

describe('OTelExporter: contract', () => {
  // what a span is ended into, is memory: what hangs behind it is the SDK's
  const cases = exporterContract(createSubject, { cannot: ['hang'] });
  test.for(cases)('$name', ({ run }) => run());
});

describe('OTelExporter', () => {
  test('makes a tree of a run, with true times', async () => {
    const { exporter, spans } = setUp({ idGenerator: new PyAgentIdGenerator() });
    for (const event of sampleRun({ calls: 1 })) exporter.exportEvent(event);
    await exporter.flush();
    const traceId = '00000000000000000000000000000001';
    const common = { 'pyagent.trace_id': traceId, 'pyagent.pattern.type': 'debate' };
    const used = {
      'pyagent.cost.total_usd': 0.00005,
      'pyagent.cost.input_tokens': 12,
      'pyagent.cost.output_tokens': 2,
    };
    expect(spans()).toEqual([
      {
        name: 'chat gpt-4o',
        kind: 2,
        traceId,
        spanId: '0000000100000003',
        parentId: '0000000100000002',
        start: '1735689660.25',
        end: '1735689660.375',
        status: { code: 0 },
        attributes: {
          ...common,
          ...used,
          'gen_ai.operation.name': 'chat',
          'openinference.span.kind': 'LLM',
          'pyagent.span_id': '0000000100000003',
          'pyagent.parent_span_id': '0000000100000002',
          'gen_ai.agent.name': 'bull',
          'pyagent.agent.name': 'bull',
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'gpt-4o',
          'gen_ai.response.model': 'gpt-4o-2024-08-06',
          'pyagent.cost.model': 'gpt-4o-2024-08-06',
          'gen_ai.usage.input_tokens': 12,
          'gen_ai.usage.output_tokens': 2,
          'gen_ai.usage.cost': 0.00005,
          'pyagent.exec.duration_ms': 125,
        },
        events: [],
      },
      {
        name: 'invoke_agent bull',
        kind: 0,
        traceId,
        spanId: '0000000100000002',
        parentId: '0000000100000001',
        start: '1735689660.125',
        end: '1735689660.5',
        status: { code: 0 },
        attributes: {
          ...common,
          ...used,
          'gen_ai.operation.name': 'invoke_agent',
          'openinference.span.kind': 'AGENT',
          'pyagent.span_id': '0000000100000002',
          'pyagent.parent_span_id': '0000000100000001',
          'gen_ai.agent.name': 'bull',
          'pyagent.agent.name': 'bull',
          'pyagent.agent.role': 'advocate',
          'pyagent.exec.llm_calls': 1,
          'pyagent.exec.duration_ms': 375,
        },
        events: [],
      },
      {
        name: 'invoke_workflow debate',
        kind: 0,
        traceId,
        spanId: '0000000100000001',
        parentId: undefined,
        start: '1735689660',
        end: '1735689660.625',
        status: { code: 0 },
        attributes: {
          ...common,
          ...used,
          'gen_ai.operation.name': 'invoke_workflow',
          'openinference.span.kind': 'CHAIN',
          'pyagent.span_id': '0000000100000001',
          'gen_ai.workflow.name': 'debate',
          'pyagent.exec.llm_calls': 1,
          'pyagent.exec.duration_ms': 625,
        },
        events: [],
      },
    ]);
    expect(exporter.stats()).toEqual({ ...NOTHING, accepted: 6, delivered: 6 });
  });

  test('the instrumentation scope is named by the options', () => {
    const getTracer = vi.fn<TracerProvider['getTracer']>(trace.getTracer.bind(trace));
    const tracerProvider = { getTracer };
    for (const options of [{}, { tracerName: 'desk', tracerVersion: '7' }]) {
      const exporter = new OTelExporter({ tracerProvider, ...options });
      exporter.exportEvent(sampleRun()[0] as never);
    }
    expect(getTracer.mock.calls).toEqual([
      ['@pyagent-trace/exporter-otel', VERSION],
      ['desk', '7'],
    ]);
  });

  test('without a provider nothing happens, and nothing is lost', async () => {
    const exporter = new OTelExporter();
    const inside = vi.fn<() => void>();
    for (const event of sampleRun()) {
      exporter.exportEvent(event);
      exporter.interceptor(
        { ...({} as Parameters<typeof exporter.interceptor>[0]), ...event.payload },
        inside,
      );
    }
    await exporter.shutdown();
    expect(inside).toHaveBeenCalledTimes(8);
    expect(exporter.stats()).toEqual({ ...NOTHING, accepted: 8, delivered: 8 });
  });

  test('takes the global provider, also one that is registered later, and flushes it', async () => {
    const exporter = new OTelExporter();
    const { tracerProvider, spans } = destination();
    const flushed = vi.spyOn(tracerProvider, 'forceFlush');
    for (const event of sampleRun({ run: 1 })) exporter.exportEvent(event);
    trace.setGlobalTracerProvider(tracerProvider);
    for (const event of sampleRun({ run: 2 })) exporter.exportEvent(event);
    await exporter.flush();
    expect(spans()).toHaveLength(4);
    expect(flushed).toHaveBeenCalledTimes(1);
  });

  test('registers nothing and leaves the provider running', async () => {
    const { tracerProvider, spans } = destination();
    const shutdown = vi.fn<() => void>();
    Object.assign(tracerProvider, { shutdown });
    const before = listeners();
    const exporter = new OTelExporter({ tracerProvider });
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.shutdown();
    expect(spans()).toHaveLength(4);
    expect(shutdown).not.toHaveBeenCalled();
    expect(listeners()).toEqual(before);
    expect(trace.getTracerProvider().getTracer('x').startSpan('x').isRecording()).toBe(false);
  });

  test('is an exporter that a bus takes', async () => {
    const { exporter, spans } = setUp();
    const bus = new TraceEventBus();
    bus.attach(exporter);
    for (const event of sampleRun()) bus.emit(event);
    expect(await bus.shutdown()).toEqual([
      { exporter: 'otel', delivered: 8, failed: 0, dropped: 0, pending: 0 },
    ]);
    expect(spans()).toHaveLength(4);
  });

  test('every span has an attribute of GenAI and its kind when it starts', () => {
    const seen: unknown[] = [];
    const { give } = setUp(
      {},
      {
        spanProcessors: [
          processor({
            onStart: (span) => {
              const { attributes } = span as Span & { attributes: Record<string, unknown> };
              seen.push([
                attributes['gen_ai.operation.name'],
                attributes['openinference.span.kind'],
              ]);
            },
          }),
        ],
      },
    );
    give(
      ['pattern_start', 1, ids(1), { pattern_type: 'debate' }],
      ['agent_start', 1, ids(2, 1), { agent_name: 'bull' }],
      ['llm_call', 1, ids(3, 2)],
      ['llm_call', 1, { ...ids(4, 2), operation: 'embeddings' }],
      ['tool_start', 1, ids(5, 2)],
    );
    expect(seen).toEqual([
      ['invoke_workflow', 'CHAIN'],
      ['invoke_agent', 'AGENT'],
      ['chat', 'LLM'],
      ['embeddings', 'EMBEDDING'],
      ['execute_tool', 'TOOL'],
    ]);
  });

  test('a sampler sees what the conventions say it should', () => {
    const shouldSample = vi.fn<Sampler['shouldSample']>(() => ({ decision: 0 }));
    const { give } = setUp({}, { sampler: { shouldSample, toString: () => 'test' } });
    give([
      'llm_call',
      1,
      {
        ...ids(1),
        provider: 'Google-Vertex',
        model: 'gemini-3',
        server_address: 'eu.example',
        server_port: 443,
      },
      { agent_name: 'bull' },
    ]);
    expect(shouldSample.mock.calls[0]?.[4]).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'gcp.vertex_ai',
      'gen_ai.request.model': 'gemini-3',
      'gen_ai.agent.name': 'bull',
      'server.address': 'eu.example',
      'server.port': 443,
    });
  });

  test('of a span that is not sampled nothing is read, and its events are delivered', async () => {
    const { exporter, spans } = setUp(
      { captureContent: true },
      { sampler: new AlwaysOffSampler() },
    );
    const stringify = vi.spyOn(JSON, 'stringify');
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.flush();
    expect(stringify).not.toHaveBeenCalled();
    stringify.mockRestore();
    expect(spans()).toEqual([]);
    expect(exporter.stats()).toEqual({ ...NOTHING, accepted: 8, delivered: 8 });
  });
});

describe('OTelExporter: counts', () => {
  test('what belongs to no span, or comes late, is failed; what comes after shutdown is dropped', async () => {
    const { exporter, give } = setUp();
    give(
      ['agent_start', 1, ids(1), { agent_name: 'bull' }],
      ['progress', 2, ids(1)],
      ['llm_call', 2, { ...ids(2, 1), response: 'x' }],
      ['cost_record', 3, { ...ids(2), cost_usd: 1 }],
      ['cost_record', 3, { ...ids(2), cost_usd: 1 }], // late
      ['trace_gap', 3, {}], // without a span
    );
    expect(exporter.stats()).toEqual({
      accepted: 6,
      dropped: 0,
      delivered: 2,
      failed: 2,
      pending: 2,
      error: 'events that came after their span had ended: 1; without a span: 1',
    });
    await exporter.shutdown();
    give(['agent_start', 9, ids(3)]);
    expect(exporter.stats()).toEqual({
      accepted: 6,
      dropped: 1,
      delivered: 4,
      failed: 2,
      pending: 0,
      error: 'an event came after shutdown',
    });
  });

  test.each([
    ['a provider', { tracerProvider: { getTracer: fail } }],
    ['a tracer', { tracerProvider: { getTracer: () => ({ startSpan: fail }) as never } }],
    [
      'a span',
      {
        tracerProvider: {
          getTracer: () =>
            ({
              startSpan: () => ({
                isRecording: fail,
                end: () => undefined,
                spanContext: () => ({}),
              }),
            }) as never,
        },
      },
    ],
    [
      'the context of a span',
      {
        tracerProvider: {
          getTracer: () =>
            ({
              startSpan: () => ({
                isRecording: () => false,
                end: () => undefined,
                spanContext: fail,
              }),
            }) as never,
        },
      },
    ],
    ['an id generator', { idGenerator: { withIds: fail } as never }],
  ])('%s that throws fails its events and nothing else', async (_, options) => {
    const { exporter } = setUp(options);
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.shutdown();
    expect(exporter.stats()).toEqual({ ...NOTHING, accepted: 8, failed: 8, error: 'refused' });
  });

  test('a processor that throws at one span leaves the others their parents', async () => {
    const { exporter, tree } = setUp(
      {},
      {
        spanProcessors: [
          processor({
            onStart: (span) => {
              if ((span as unknown as { name: string }).name === 'invoke_agent bull') fail();
            },
          }),
        ],
      },
    );
    for (const event of sampleRun({ calls: 1 })) exporter.exportEvent(event);
    await exporter.flush();
    expect(tree()).toEqual(['invoke_workflow debate', 'invoke_workflow debate > chat gpt-4o']);
    expect(exporter.stats()).toMatchObject({ delivered: 4, failed: 2, error: 'refused' });
  });

  test('a context manager that throws costs the spans that begin under it', async () => {
    const active = vi.spyOn(context, 'active').mockImplementation(fail);
    const { exporter } = setUp();
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.shutdown();
    active.mockRestore();
    expect(exporter.stats()).toMatchObject({ accepted: 8, delivered: 0, failed: 8, pending: 0 });
  });
});

describe('OTelExporter: flush and shutdown', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a finished call waits 250 ms for its cost, an open one is not ended by flush', async () => {
    const { exporter, give, spans } = setUp();
    give(
      ['llm_call', 1, { ...ids(1), model: 'a' }],
      ['llm_response', 2, ids(1)],
      ['llm_call', 1, { ...ids(2), model: 'b' }],
    );
    vi.advanceTimersByTime(249);
    expect(spans()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(spans().map(({ name, end }) => `${name} ${end}`)).toEqual(['chat a 2']);
    await after(exporter.flush());
    expect(spans()).toHaveLength(1);
    expect(exporter.stats()).toMatchObject({ delivered: 2, pending: 1 });
  });

  test('shutdown ends what is open, children first, and says so', async () => {
    const { exporter, give, spans } = setUp();
    give(
      ['pattern_start', 1, ids(1), { pattern_type: 'debate' }],
      ['agent_start', 2, ids(2, 1), { agent_name: 'bull' }],
      ['progress', 3, ids(2)],
    );
    await after(exporter.shutdown());
    expect(spans().map(({ name, end, status }) => [name, end, status])).toEqual([
      ['invoke_agent bull', '3', { code: 2, message: 'the agent did not end' }],
      ['invoke_workflow debate', '3', { code: 2, message: 'the pattern did not end' }],
    ]);
    expect(spans()[0]?.attributes).toMatchObject({
      'pyagent.incomplete': true,
      'error.type': 'incomplete',
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a flush that fails rejects nobody; the reason stands in stats until one succeeds', async () => {
    const { exporter, tracerProvider, give } = setUp();
    const forceFlush = vi.spyOn(tracerProvider, 'forceFlush');
    const error = async (): Promise<string | undefined> => {
      await after(exporter.flush());
      return exporter.stats().error;
    };
    give(['llm_call', 1, { ...ids(1), response: 'x' }]);
    // as the SDK does
    forceFlush.mockRejectedValueOnce([new Error('503'), new Error('ECONNREFUSED')]);
    expect(await error()).toBe('forceFlush: 503; ECONNREFUSED');
    forceFlush.mockImplementationOnce(fail);
    expect(await error()).toBe('forceFlush: refused');
    expect(await error()).toBeUndefined();
    expect(exporter.stats()).toEqual({ ...NOTHING, accepted: 1, delivered: 1 });
  });

  test('a destination that hangs does not hold flush or shutdown longer than their timeouts', async () => {
    const { exporter, tracerProvider } = setUp();
    vi.spyOn(tracerProvider, 'forceFlush').mockReturnValue(new Promise(() => undefined));
    const settled = vi.fn<() => void>();
    void exporter.flush({ timeoutMs: 100 }).then(settled);
    await vi.advanceTimersByTimeAsync(99);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(settled).toHaveBeenCalledTimes(1);
    expect(exporter.stats().error).toBe('forceFlush did not end within 100 ms');
    void exporter.shutdown().then(settled);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(settled).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a provider without forceFlush is not flushed', async () => {
    const exporter = new OTelExporter({
      tracerProvider: { getTracer: (name) => trace.getTracer(name) },
    });
    await exporter.flush();
    expect(exporter.stats()).toEqual(NOTHING);
  });
});

describe('OTelExporter: options', () => {
  test.each([
    [{ traceName: 'x' }, 'OTelExporter: unknown option "traceName"; known are tracerName, '],
    [{ tracerName: '' }, 'OTelExporter: tracerName: '],
    [{ tracerProvider: {} }, 'OTelExporter: tracerProvider: expected a TracerProvider, got an obj'],
    [{ idGenerator: {} }, 'OTelExporter: idGenerator: expected a PyAgentIdGenerator, got an obj'],
    [{ meterProvider: 1 }, 'OTelExporter: meterProvider: expected a MeterProvider, got 1'],
    [{ captureContent: 'yes' }, 'OTelExporter: captureContent: expected boolean, got a string'],
    [{ maxContentChars: 0 }, 'OTelExporter: maxContentChars: '],
    [{ parent: 'root' }, 'OTelExporter: parent: '],
  ])('%o is refused at once', (options, message) => {
    expect(() => new OTelExporter(options as never)).toThrow(message);
  });
});

describe('OTelExporter: contextFor', () => {
  test('gives the span of an operation that is open, and nothing else', async () => {
    const { exporter, give, span } = setUp();
    give(
      ['agent_start', 1, ids(1), { agent_name: 'bull' }],
      ['agent_start', 1, ids(2, 9), { agent_name: 'waits for its parent' }],
    );
    const found = exporter.contextFor(TRACE_ID, spanId(1));
    expect(exporter.contextFor(TRACE_ID, spanId(2))).toBeUndefined();
    expect(exporter.contextFor(TRACE_ID, spanId(3))).toBeUndefined();
    give(['agent_end', 2, ids(1)]);
    expect(exporter.contextFor(TRACE_ID, spanId(1))).toBeUndefined();
    const active = found && trace.getSpanContext(found);
    expect(active?.spanId).toBe(span('invoke_agent bull').spanId);
  });
});
