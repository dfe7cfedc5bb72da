import { context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import {
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  destination,
  type Draft,
  event,
  ids,
  setUp,
  spanId,
  TRACE_ID,
} from '../testing/exporter-spans.ts';
import { registerContextManager } from '../testing/helper-spans.ts';
import { OTelExporter, type OTelExporterOptions, PyAgentIdGenerator } from './index.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const bull = { agent_name: 'bull', pattern_type: 'debate' };
const debate = { pattern_type: 'debate' };
const HEADER = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';

const run: Draft[] = [
  ['pattern_start', 1, ids(1), debate],
  ['agent_start', 2, ids(2, 1), bull],
  ['llm_call', 3, { ...ids(3, 2), model: 'm' }, bull],
  ['llm_response', 4, { ...ids(3, 2), response: 'x' }, bull],
  ['agent_end', 5, ids(2, 1), bull],
  ['pattern_end', 6, ids(1), debate],
];
const TREE = [
  'invoke_workflow debate',
  'invoke_workflow debate > invoke_agent bull',
  'invoke_workflow debate > invoke_agent bull > chat m',
];

describe('SpanTree', () => {
  describe.each([
    [
      'with the id generator',
      (): OTelExporterOptions => ({ idGenerator: new PyAgentIdGenerator() }),
    ],
    ['without it', (): OTelExporterOptions => ({})],
  ])('%s', (_, options) => {
    test('two interleaved runs are two trees', async () => {
      const { exporter, give, spans, tree } = setUp(options());
      const other = ids(9)['span_id'] as string;
      for (const [type, time, payload, names] of run) {
        give([type, time, payload, names]);
        give([type, time, { ...payload, trace_id: other.repeat(2) }, names]);
      }
      await exporter.flush();
      expect(tree()).toEqual(TREE.flatMap((path) => [path, path]));
      expect(new Set(spans().map(({ traceId }) => traceId)).size).toBe(2);
    });

    test('children that come before their parents hang under them, at their own times', async () => {
      const { exporter, give, spans, tree } = setUp(options());
      const [patternStart, agentStart, call, answer, ...ends] = run as [
        Draft,
        Draft,
        Draft,
        Draft,
        ...Draft[],
      ];
      give(call, answer, agentStart, patternStart, ...ends);
      await exporter.flush();
      expect(tree()).toEqual(TREE);
      expect(spans().map(({ name, start, end }) => `${name} ${start}-${end}`)).toEqual([
        'chat m 3-4',
        'invoke_agent bull 2-5',
        'invoke_workflow debate 1-6',
      ]);
      expect(spans().some(({ attributes }) => 'pyagent.orphan' in attributes)).toBe(false);
      expect(exporter.stats()).toMatchObject({ delivered: 6, failed: 0, pending: 0 });
    });

    test('a child that ended before its parent began still hangs under it', async () => {
      const { exporter, give, tree } = setUp(options());
      give(
        ['agent_start', 2, ids(2, 1), bull],
        ['tool_start', 3, { ...ids(3, 2), tool_name: 'add' }, bull],
        ['tool_end', 4, ids(3, 2), bull],
      );
      expect(exporter.stats()).toMatchObject({ delivered: 0, pending: 3 });
      give(['pattern_start', 1, ids(1), debate]);
      expect(exporter.stats()).toMatchObject({ delivered: 2, pending: 2 });
      await exporter.shutdown();
      expect(tree()).toEqual([
        ...TREE.slice(0, 2),
        'invoke_workflow debate > invoke_agent bull > execute_tool add',
      ]);
    });

    test('what ended below a span that waits for its parent ends with it, children first', async () => {
      const { exporter, give, span, spans, tree } = setUp(options());
      give(
        ['agent_start', 3, ids(3, 2), { agent_name: 'inner' }],
        ['llm_call', 4, { ...ids(4, 3), model: 'm', response: 'x', cost_usd: 0.5 }, bull],
        ['agent_start', 2, ids(2, 1), { agent_name: 'outer' }],
        ['agent_end', 5, ids(3, 2), { agent_name: 'inner' }],
      );
      await exporter.flush();
      expect(spans()).toEqual([]);
      expect(exporter.stats()).toMatchObject({ delivered: 0, pending: 4 });
      give(
        ['pattern_start', 1, ids(1), debate],
        ['agent_end', 6, ids(2, 1), { agent_name: 'outer' }],
        ['pattern_end', 7, ids(1), debate],
      );
      await exporter.flush();
      const deepest = 'invoke_workflow debate > invoke_agent outer > invoke_agent inner > chat m';
      expect(tree().at(-1)).toBe(deepest);
      expect(spans().map(({ name }) => name)).toEqual(deepest.split(' > ').toReversed());
      for (const name of ['invoke_agent inner', 'invoke_agent outer', 'invoke_workflow debate'])
        expect(span(name).attributes['pyagent.cost.total_usd']).toBe(0.5);
      expect(exporter.stats()).toMatchObject({ delivered: 7, pending: 0 });
    });

    test('an orphan is a root, and what is below it stays below it', async () => {
      const { exporter, give, span, tree } = setUp(options());
      give(
        ['agent_start', 2, ids(2, 7), bull],
        ['tool_start', 3, { ...ids(3, 2), tool_name: 'add' }, bull],
        ['tool_end', 4, ids(3, 2), bull],
        ['agent_end', 5, ids(2, 7), bull],
      );
      await exporter.flush();
      expect(tree()).toEqual(['invoke_agent bull', 'invoke_agent bull > execute_tool add']);
      const { attributes, parentId } = span('invoke_agent bull');
      expect(parentId).toBeUndefined();
      expect(attributes).toMatchObject({
        'pyagent.orphan': true,
        'pyagent.parent_span_id': spanId(7),
      });
      expect(exporter.stats()).toMatchObject({ delivered: 4, pending: 0 });
    });

    test('spans that are each other’s parents, or their own, end all the same', async () => {
      const { exporter, give, tree } = setUp(options());
      give(
        ['agent_start', 1, ids(1, 3), { agent_name: 'a' }],
        ['agent_start', 2, ids(2, 1), { agent_name: 'b' }],
        ['agent_start', 3, ids(3, 2), { agent_name: 'c' }],
        ['agent_start', 4, ids(4, 4), { agent_name: 'self' }],
        ...[3, 2, 1, 4].map((span): Draft => ['agent_end', 5, ids(span)]),
      );
      await exporter.flush();
      expect(tree()).toEqual([
        'invoke_agent a',
        'invoke_agent a > invoke_agent b',
        'invoke_agent a > invoke_agent b > invoke_agent c',
        'invoke_agent self',
      ]);
      expect(exporter.stats()).toMatchObject({ delivered: 8, failed: 0, pending: 0 });
    });

    test('a child of a span that has ended hangs under it', async () => {
      const { exporter, give, tree } = setUp(options());
      give(...run, ['tool_start', 7, { ...ids(4, 2), tool_name: 'late' }, bull]);
      await exporter.shutdown();
      expect(tree()).toEqual([
        ...TREE,
        'invoke_workflow debate > invoke_agent bull > execute_tool late',
      ]);
    });

    test('100 parallel agents of one name, each with its own call', async () => {
      const { exporter, spans } = setUp(options());
      const bus = new TraceEventBus();
      bus.attach(exporter);
      const tracer = createTracer(bus);
      await tracer.pattern('swarm', async () => {
        await Promise.all(
          Array.from({ length: 100 }, async (__, nth) =>
            tracer.agent('worker', async () => {
              for (let turns = nth % 7; turns > 0; turns--) await tick();
              await tracer.llmCall({ model: `m${nth}`, seed: nth }, async () => {
                await tick();
                return 'x';
              });
            }),
          ),
        );
      });
      await bus.flush();
      const byId = new Map(spans().map((span) => [span.spanId, span]));
      const [root, ...roots] = spans().filter(({ parentId }) => parentId === undefined);
      expect([root?.name, roots]).toEqual(['invoke_workflow swarm', []]);
      const calls = spans().filter(({ name }) => name.startsWith('chat '));
      const agents = calls.map(({ parentId, attributes }) => {
        const agent = byId.get(parentId ?? '');
        expect(agent?.attributes['pyagent.span_id']).toBe(attributes['pyagent.parent_span_id']);
        expect([agent?.name, agent?.parentId]).toEqual(['invoke_agent worker', root?.spanId]);
        return agent;
      });
      expect(new Set(agents).size).toBe(100);
      expect(exporter.stats()).toMatchObject({ accepted: 402, delivered: 402 });
    });
  });

  test('no span is kept when it has ended, no matter how its parent went', async () => {
    const { exporter, give, spans } = setUp();
    for (let nth = 0; nth < 12_000; nth++) {
      const payload = ids(1, 9, String(nth));
      give(['tool_start', 1, payload], ['tool_end', 1, payload]);
    }
    await exporter.flush();
    expect(spans()).toHaveLength(12_000);
    expect(exporter.stats()).toMatchObject({ delivered: 24_000, pending: 0 });
    expect(exporter.contextFor('0', spanId(1))).toBeUndefined();
  });
});

describe('PyAgentIdGenerator with OTelExporter', () => {
  test('the ids of spans are those of the events', async () => {
    const { exporter, give, spans } = setUp({ idGenerator: new PyAgentIdGenerator() });
    give(...run);
    await exporter.flush();
    expect(spans().map(({ traceId, spanId: id, parentId }) => [traceId, id, parentId])).toEqual([
      [TRACE_ID, spanId(3), spanId(2)],
      [TRACE_ID, spanId(2), spanId(1)],
      [TRACE_ID, spanId(1), undefined],
    ]);
  });

  test('an orphan has the trace id of its events', async () => {
    const { exporter, give, spans } = setUp({ idGenerator: new PyAgentIdGenerator() });
    give(['tool_end', 1, ids(2, 7)]);
    await exporter.flush();
    expect(spans().map(({ traceId, spanId: id }) => [traceId, id])).toEqual([
      [TRACE_ID, spanId(2)],
    ]);
  });

  test('the header that the tracer sends names the OpenTelemetry span', async () => {
    const { exporter, spans } = setUp({ idGenerator: new PyAgentIdGenerator() });
    const bus = new TraceEventBus();
    bus.attach(exporter);
    const tracer = createTracer(bus);
    const header = tracer.agent('bull', () => tracer.traceparent());
    const [span] = spans();
    expect(header).toBe(`00-${span?.traceId}-${span?.spanId}-01`);
  });

  test('runs of a pattern whose events have no ids do not share one trace', async () => {
    const { exporter, give, spans } = setUp({ idGenerator: new PyAgentIdGenerator() });
    for (const _ of [1, 2])
      give(
        ['pattern_start', 1, {}, debate],
        ['agent_end', 2, {}, bull],
        ['pattern_end', 3, {}, debate],
      );
    await exporter.flush();
    const traces = spans().map(({ traceId }) => traceId);
    expect(traces[0]).toBe(traces[1]);
    expect(new Set(traces).size).toBe(2);
  });

  test('spans of others keep random ids', () => {
    const idGenerator = new PyAgentIdGenerator();
    const { tracerProvider, spans } = destination({ idGenerator });
    const exporter = new OTelExporter({ tracerProvider, idGenerator });
    const tracer = tracerProvider.getTracer('app');
    exporter.exportEvent(event('agent_end', 1, ids(1)));
    tracer.startSpan('mine').end();
    const [, mine] = spans();
    expect(mine?.traceId).toMatch(/^[\da-f]{32}$/);
    expect(mine?.traceId).not.toBe(TRACE_ID);
  });

  test('a root that a sampler starts as it looks at a child is in a trace of its own', async () => {
    const looks: Span[] = [];
    const target = setUp(
      { idGenerator: new PyAgentIdGenerator() },
      {
        sampler: {
          shouldSample(_context, _traceId, name) {
            if (name === 'invoke_agent bull')
              looks.push(target.tracerProvider.getTracer('app').startSpan('look', { root: true }));
            return { decision: SamplingDecision.RECORD_AND_SAMPLED };
          },
          toString: () => 'looks',
        },
      },
    );
    target.give(...run);
    await target.exporter.flush();
    expect(target.spans().map(({ traceId }) => traceId)).toEqual([TRACE_ID, TRACE_ID, TRACE_ID]);
    expect(looks.map((look) => look.spanContext().traceId)).toEqual([
      expect.not.stringMatching(TRACE_ID),
    ]);
  });
});

function inside<T>(span: Span, fn: () => T): T {
  return context.with(trace.setSpan(ROOT_CONTEXT, span), fn);
}

function fail(): never {
  throw new Error('refused');
}

describe('OTelExporter: a parent outside', () => {
  let unregister: () => void;
  beforeEach(() => {
    unregister = registerContextManager();
  });
  afterEach(() => unregister());

  test.each([
    ['active', 'GET / > invoke_workflow debate > invoke_agent bull'],
    ['none', 'invoke_workflow debate > invoke_agent bull'],
  ] as const)('parent: %s', async (parent, path) => {
    const { exporter, give, tracerProvider, tree, span } = setUp({ parent });
    const request = tracerProvider.getTracer('http').startSpan('GET /', { startTime: [0, 0] });
    inside(request, () => give(...run.slice(0, 2)));
    give(...run.slice(2));
    request.end();
    await exporter.flush();
    expect(tree()).toContain(path);
    expect(span('invoke_workflow debate').traceId === span('GET /').traceId).toBe(
      parent === 'active',
    );
  });

  test('a child does not hang under what is active, but under its parent', async () => {
    const { exporter, give, tracerProvider, tree } = setUp();
    const other = tracerProvider.getTracer('http').startSpan('other', { startTime: [0, 0] });
    give(...run.slice(0, 1));
    inside(other, () => give(...run.slice(1)));
    other.end();
    await exporter.flush();
    expect(tree()).toEqual(['other', ...TREE]);
  });

  test('a run that another process began is the child of that process’s span', async () => {
    const { exporter, give, span, tracerProvider } = setUp();
    const request = tracerProvider.getTracer('http').startSpan('GET /');
    inside(request, () =>
      give(
        ['agent_start', 1, { ...ids(1), traceparent: HEADER }, bull],
        ['agent_end', 2, ids(1), bull],
      ),
    );
    await exporter.flush();
    const { traceId, parentId } = span('invoke_agent bull');
    expect([traceId, parentId]).toEqual([TRACE_ID, '00f067aa0ba902b7']);
  });

  test.each([
    ['01', 1],
    ['00', 0],
  ])('the flags %s of the header decide whether the run is sampled', async (flags, sampled) => {
    const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(1) });
    const { exporter, spans } = setUp({}, { sampler });
    const bus = new TraceEventBus();
    bus.attach(exporter);
    const tracer = createTracer(bus);
    tracer.withRemoteParent(HEADER.replace(/01$/, flags), () =>
      tracer.agent('bull', () => tracer.tool('add', {}, () => 3)),
    );
    await bus.flush();
    expect(spans()).toHaveLength(2 * sampled);
    expect(exporter.stats()).toMatchObject({ delivered: 4, failed: 0 });
  });

  test('a header that is none leaves a root', async () => {
    const { exporter, give, span } = setUp();
    // a parent by the letter, with a trace id that the specification forbids
    const traceparent = `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`;
    give(['tool_start', 1, { ...ids(1), traceparent, tool_name: 'add' }]);
    expect(exporter.contextFor(TRACE_ID, spanId(1))).toBeDefined(); // it waits for nobody
    give(['tool_end', 2, ids(1)]);
    await exporter.flush();
    expect(span('execute_tool add').parentId).toBeUndefined();
  });
});

describe('OTelExporter: interceptor', () => {
  let unregister: () => void;
  beforeEach(() => {
    unregister = registerContextManager();
  });
  afterEach(() => unregister());

  test('what runs in a model call or a tool nests in its span, also after an await', async () => {
    const { exporter, tracerProvider, tree } = setUp();
    const bus = new TraceEventBus();
    bus.attach(exporter);
    const tracer = createTracer(bus, { interceptors: [exporter.interceptor] });
    const http = tracerProvider.getTracer('http');
    const result = await tracer.agent('bull', async () => {
      await tracer.llmCall({ model: 'm' }, async () => {
        await tick();
        http.startSpan('POST /v1/chat').end();
        return 'x';
      });
      tracer.routing({ selected_model: 'm' }, () => http.startSpan('GET /prices').end());
      return tracer.tool('search', { q: 'x' }, () => {
        http.startSpan('SELECT').end();
        return 'found';
      });
    });
    await bus.flush();
    expect(result).toBe('found');
    expect(tree().toSorted()).toEqual([
      'invoke_agent bull',
      'invoke_agent bull > GET /prices',
      'invoke_agent bull > chat m',
      'invoke_agent bull > chat m > POST /v1/chat',
      'invoke_agent bull > execute_tool search',
      'invoke_agent bull > execute_tool search > SELECT',
    ]);
  });

  test('a context manager that throws does not reach what it wraps', () => {
    const { exporter } = setUp();
    const bus = new TraceEventBus();
    bus.attach(exporter);
    const tracer = createTracer(bus, { interceptors: [exporter.interceptor] });
    let runs = 0;
    const result = tracer.agent('bull', () => {
      vi.spyOn(context, 'with').mockImplementation(fail);
      const first = tracer.tool('add', {}, () => (runs += 1));
      vi.spyOn(context, 'active').mockImplementation(fail);
      return [first, tracer.tool('add', {}, () => (runs += 1))];
    });
    vi.restoreAllMocks();
    expect(result).toEqual([1, 2]);
  });

  test('an error passes through it, and it runs what it wraps once', () => {
    const { exporter } = setUp();
    const bus = new TraceEventBus();
    bus.attach(exporter);
    const tracer = createTracer(bus, { interceptors: [exporter.interceptor] });
    const error = new Error('no');
    let runs = 0;
    const call = (): unknown =>
      tracer.tool('add', {}, () => {
        runs += 1;
        throw error;
      });
    expect(call).toThrow(error);
    expect(runs).toBe(1);
  });
});
