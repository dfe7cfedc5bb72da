import * as fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { TraceEventBus } from '../bus.ts';
import { createTraceEvent, type TraceEvent, type TracePayload } from '../event.ts';
import type { TraceExporter } from '../exporter.ts';
import { exporterContract } from '../testing/exporter-contract.ts';
import { MemoryExporter } from '../testing/memory-exporter.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { createTracer } from '../tracer.ts';
import { keepErrors, type KeepErrorsOptions } from './keep-errors.ts';

function setUp(options?: KeepErrorsOptions): { inner: MemoryExporter; exporter: TraceExporter } {
  const inner = new MemoryExporter();
  return { inner, exporter: keepErrors(inner, options) };
}

function give(exporter: TraceExporter, ...events: readonly TraceEvent[]): void {
  for (const event of events) exporter.exportEvent(event);
}

/** An event of the trace `t`, at a second. */
function eventOf(event_type: string, payload: TracePayload = {}, timestamp = 1): TraceEvent {
  return createTraceEvent({
    timestamp,
    event_type,
    pattern_type: 'debate',
    payload: { trace_id: 't', ...payload },
  });
}

/** An event of a run from Python, without ids. */
function bare(event_type: string, payload: TracePayload = {}): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type, pattern_type: 'debate', payload });
}

/** An event that says neither its trace nor its pattern. */
function stray(event_type: string): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type });
}

/** An operation below one in another process. */
function part(span_id: string, end: TracePayload): TraceEvent[] {
  return [
    eventOf('agent_start', { span_id, parent_span_id: 'r', traceparent: '00-t-r-01' }),
    eventOf('agent_end', { span_id, parent_span_id: 'r', ...end }),
  ];
}

/** A run with another event before its last. */
function runWith(event: TraceEvent, run = 1): readonly TraceEvent[] {
  const events = sampleRun({ run });
  const trace_id = events[0]?.payload['trace_id'];
  const { payload, ...rest } = event;
  return events.toSpliced(-1, 0, { ...rest, payload: { ...payload, trace_id } });
}

describe('keepErrors', () => {
  describe('with an exporter in memory', () => {
    const cases = exporterContract(
      () => {
        // the run of the kit takes longer: its third event shows it, and its first ones were held
        const { inner, exporter } = setUp({ slowMs: 250 });
        return {
          exporter,
          arrivedSpanIds: () => inner.events.map(({ payload }) => String(payload['span_id'])),
        };
      },
      { cannot: ['refuse', 'hang'] },
    );

    test.each(cases)('$name', async ({ run }) => run());
  });

  test('holds back a run in which nothing failed, and counts it as dropped', () => {
    const { inner, exporter } = setUp();
    const run = sampleRun();

    give(exporter, ...run.slice(0, -1));
    expect(exporter.stats()).toEqual({
      accepted: 7,
      dropped: 0,
      delivered: 0,
      failed: 0,
      pending: 7,
    });
    give(exporter, ...run.slice(-1));
    expect(exporter.stats()).toEqual({
      accepted: 0,
      dropped: 8,
      delivered: 0,
      failed: 0,
      pending: 0,
    });
    expect(inner.events).toEqual([]);
  });

  test.each<[string, TraceEvent]>([
    ['an error', eventOf('error', { message: 'no' })],
    ['a tool that failed', eventOf('tool_end', { span_id: 'x', status: 'error' })],
    ['a model call that failed', eventOf('llm_response', { span_id: 'x', status: 'error' })],
  ])('hands on the whole run with %s, in order', (_, failure) => {
    const { inner, exporter } = setUp();
    const run = runWith(failure);

    give(exporter, ...run);

    expect(inner.events).toEqual(run);
    expect(exporter.stats()).toEqual({
      accepted: 9,
      dropped: 0,
      delivered: 9,
      failed: 0,
      pending: 0,
    });
  });

  test('hands on what is held as soon as it is known, and then event by event', () => {
    const { inner, exporter } = setUp();
    give(exporter, eventOf('pattern_start', { span_id: 'a' }));
    expect(inner.events).toHaveLength(0);
    give(exporter, eventOf('error'));
    expect(inner.events).toHaveLength(2);
    give(exporter, eventOf('agent_start', { span_id: 'b', parent_span_id: 'a' }));
    expect(inner.events).toHaveLength(3);
  });

  test('a cancelled run is no failure', () => {
    const { inner, exporter } = setUp();
    give(exporter, eventOf('agent_start', { span_id: 'a' }));
    give(exporter, eventOf('agent_end', { span_id: 'a', status: 'cancelled' }));

    expect(inner.events).toEqual([]);
    expect(exporter.stats().dropped).toBe(2);
  });

  test('keeps one run apart from another', () => {
    const { inner, exporter } = setUp();
    const good = sampleRun({ run: 1 });
    const bad = runWith(eventOf('error'), 2);
    for (let i = 0; i < bad.length; i++)
      give(exporter, ...[good[i], bad[i]].filter((e) => e !== undefined));

    expect(inner.events).toEqual(bad);
  });

  test.each([
    ['slow by its events', { slowMs: 2_000 }, [{}, 1], [{}, 3]],
    ['slow by what its end says', { slowMs: 2_000 }, [{}, 1], [{ duration_ms: 2_000 }, 1]],
    ['slow in seconds', { slowMs: 2_000 }, [{}, 1], [{ duration_seconds: 2 }, 1]],
  ] as const)('hands on a run that was %s', (_, options, [started, from], [ended, to]) => {
    const { inner, exporter } = setUp(options);
    give(exporter, eventOf('agent_start', { span_id: 'a', ...started }, from));
    give(exporter, eventOf('agent_end', { span_id: 'a', ...ended }, to));
    expect(inner.events).toHaveLength(2);

    const other = setUp({ slowMs: 2_001 });
    give(other.exporter, eventOf('agent_start', { span_id: 'a', ...started }, from));
    give(other.exporter, eventOf('agent_end', { span_id: 'a', ...ended }, to));
    expect(other.inner.events).toHaveLength(0);
  });

  test('a run takes as long as it does in whatever order its events come', () => {
    const { inner, exporter } = setUp({ slowMs: 2_000 });
    give(exporter, eventOf('tool_start', { span_id: 'b', parent_span_id: 'a' }, 3));
    give(exporter, eventOf('agent_start', { span_id: 'a' }, 1));

    expect(inner.events).toHaveLength(2);
  });

  test('hands on a run whose calls cost much, each counted once', () => {
    const call = (span_id: string, cost_usd: unknown): TraceEvent[] => [
      eventOf('llm_call', { span_id, parent_span_id: 'a' }),
      eventOf('llm_response', { span_id, parent_span_id: 'a', cost_usd }),
      eventOf('cost_record', { span_id, cost_usd }),
    ];
    const events = [
      eventOf('pattern_start', { span_id: 'a' }),
      ...call('b', 0.5),
      ...call('c', 0.25),
      ...call('d', Number.NaN),
      ...call('e', '100'),
      eventOf('pattern_end', { span_id: 'a', cost_usd: 9, cost_estimate: 9 }),
    ];

    const kept = setUp({ minCostUsd: 0.75 });
    give(kept.exporter, ...events);
    expect(kept.inner.events).toHaveLength(events.length);
    const held = setUp({ minCostUsd: 0.76 });
    give(held.exporter, ...events);
    expect(held.inner.events).toHaveLength(0);
  });

  test('what comes late follows its trace', () => {
    const { inner, exporter } = setUp();
    const bad = runWith(eventOf('error'), 2);
    give(exporter, ...sampleRun({ run: 1 }), ...bad);
    const late = [sampleRun({ run: 1 })[3], bad[3]] as TraceEvent[];

    give(exporter, ...late);

    expect(inner.events).toEqual([...bad, bad[3]]);
    expect(exporter.stats()).toMatchObject({ accepted: 10, dropped: 9, pending: 0 });
  });

  test('an operation that starts later in a trace that was held back is judged anew', () => {
    const { inner, exporter } = setUp();
    give(exporter, ...part('a', {}), ...part('b', { status: 'error' }), ...part('c', {}));

    expect(inner.events.map(({ payload }) => payload['span_id'])).toEqual(['b', 'b', 'c', 'c']);
  });

  test('a trace ends when the last of its operations without a parent does', () => {
    const { inner, exporter } = setUp();
    give(exporter, eventOf('agent_start', { span_id: 'a' }));
    give(exporter, eventOf('agent_start', { span_id: 'b' }));
    give(exporter, eventOf('agent_end', { span_id: 'a' }));
    expect(exporter.stats().pending).toBe(3);
    give(exporter, eventOf('agent_end', { span_id: 'b', status: 'error' }));

    expect(inner.events).toHaveLength(4);
  });

  test('a call that is told whole, and an end whose start nobody heard, end their trace', () => {
    const { exporter } = setUp();
    give(exporter, eventOf('llm_call', { span_id: 'a', response: 'Buy.' }));
    expect(exporter.stats()).toMatchObject({ pending: 0, dropped: 1 });
    give(exporter, eventOf('tool_end', { trace_id: 'u', span_id: 'a' }));
    expect(exporter.stats()).toMatchObject({ pending: 0, dropped: 2 });
  });

  test('judges runs without ids by their pattern, each anew', () => {
    const { inner, exporter } = setUp();
    const run = (...inside: TraceEvent[]): TraceEvent[] => [
      bare('pattern_start'),
      bare('agent_start'),
      ...inside,
      bare('agent_end'),
      bare('pattern_end'),
    ];

    give(exporter, ...run(), ...run(bare('error')), bare('cost_record'), ...run());

    expect(inner.events.map(({ event_type }) => event_type)).toEqual([
      'pattern_start',
      'agent_start',
      'error',
      'agent_end',
      'pattern_end',
      'cost_record',
    ]);
  });

  test('what has neither trace nor pattern joins the newest open pattern', () => {
    const { inner, exporter } = setUp();
    const start = eventOf('pattern_start', { span_id: 'a' });

    give(exporter, bare('pattern_start'), start, stray('llm_call'), stray('error'));
    expect(inner.events).toEqual([start, stray('llm_call'), stray('error')]);
    give(exporter, stray('pattern_end'));
    expect(inner.events.at(-1)).toEqual(stray('pattern_end'));
    give(exporter, stray('pattern_end'));

    expect(inner.events).toHaveLength(4);
    expect(exporter.stats()).toMatchObject({ delivered: 4, dropped: 2, pending: 0 });
  });

  test('an end without ids ends the newest pattern of its trace', () => {
    const { inner, exporter } = setUp();
    give(exporter, eventOf('pattern_start', { span_id: 'a' }), eventOf('pattern_end'));
    give(exporter, eventOf('pattern_start', { trace_id: 'u', span_id: 'a' }), bare('pattern_end'));

    expect(inner.events).toEqual([]);
    expect(exporter.stats()).toMatchObject({ dropped: 4, pending: 0 });
  });

  test('a pattern that did not end with its trace is not joined', () => {
    const { inner, exporter } = setUp();
    give(
      exporter,
      eventOf('agent_start', { span_id: 'a' }),
      eventOf('pattern_start', { span_id: 'b', parent_span_id: 'a' }),
      eventOf('agent_end', { span_id: 'a' }),
    );
    give(exporter, stray('error'));

    expect(inner.events).toEqual([stray('error')]);
  });

  test('remembers a bounded number of open patterns', () => {
    const { inner, exporter } = setUp();
    for (let i = 0; i <= 1_000; i++)
      give(exporter, eventOf('pattern_start', { trace_id: String(i), span_id: 'a' }));
    for (let i = 0; i <= 1_000; i++) give(exporter, stray('pattern_end'));

    // the first was handed on, since too many were open; and of 1,001 ends one had no pattern left
    expect(inner.events.map(({ event_type }) => event_type)).toEqual([
      'pattern_start',
      'pattern_end',
    ]);
  });

  test.each<[string, TracePayload]>([
    ['a root', {}],
    ['an operation below one elsewhere', { parent_span_id: 'r', traceparent: '00-t-r-01' }],
  ])('the end of %s may come before its start', (_, above) => {
    const { inner, exporter } = setUp();
    const start = eventOf('agent_start', { span_id: 'a', ...above });
    const end = eventOf('agent_end', { span_id: 'a', ...above, traceparent: undefined });

    give(exporter, end, start);
    expect(exporter.stats()).toMatchObject({ pending: 0, dropped: 2 });
    give(exporter, eventOf('agent_start', { span_id: 'b' }));
    give(exporter, eventOf('agent_end', { span_id: 'c' }), eventOf('agent_end', { span_id: 'b' }));
    give(exporter, eventOf('agent_start', { span_id: 'c' }));

    expect(inner.events).toEqual([]);
    expect(exporter.stats()).toMatchObject({ pending: 0, dropped: 6 });
  });

  test('passes at once what has neither trace nor pattern, and what has an id of no use', () => {
    const { inner, exporter } = setUp();
    const gap = stray('trace_gap');
    const huge = eventOf('agent_start', { trace_id: 'x'.repeat(1_000) });

    give(exporter, bare('pattern_start'), gap, huge);

    expect(inner.events).toEqual([gap, huge]);
  });

  test('takes what it holds when it comes: the app goes on changing it', () => {
    const { inner, exporter } = setUp();
    const messages_in = [{ role: 'user', content: 'first' }];
    give(exporter, eventOf('llm_call', { span_id: 'a', messages_in }));
    messages_in.push({ role: 'user', content: 'second' });
    give(exporter, eventOf('error'));

    expect(inner.events[0]?.payload['messages_in']).toEqual([{ role: 'user', content: 'first' }]);
  });

  test.each(['flush', 'shutdown'] as const)('%s hands on what is not over', async (method) => {
    const { inner, exporter } = setUp();
    const run = sampleRun();
    give(exporter, ...run.slice(0, 4));

    await exporter[method]();

    expect(inner.events).toEqual(run.slice(0, 4));
    give(exporter, ...run.slice(4));
    expect(inner.events).toEqual(method === 'flush' ? run : run.slice(0, 4));
    expect(exporter.stats()).toEqual({
      accepted: method === 'flush' ? 8 : 4,
      dropped: method === 'flush' ? 0 : 4,
      delivered: method === 'flush' ? 8 : 4,
      failed: 0,
      pending: 0,
      ...(method === 'shutdown' && { error: 'an event came after shutdown' }),
    });
  });

  test('of too many traces, the one that was silent longest is handed on', () => {
    const { inner, exporter } = setUp({ maxOpenTraces: 2 });
    const start = (trace_id: string): TraceEvent =>
      eventOf('agent_start', { trace_id, span_id: 'a' });
    give(exporter, start('1'), start('2'), eventOf('compression', { trace_id: '1' }), start('3'));

    expect(inner.events.map(({ payload }) => payload['trace_id'])).toEqual(['2']);
    expect(exporter.stats()).toMatchObject({ delivered: 1, pending: 3 });
  });

  test('of too many characters, the traces that were silent longest are handed on', () => {
    const { inner, exporter } = setUp();
    const input = 'x'.repeat(4 * 1024 * 1024);
    for (let i = 0; i < 9; i++)
      give(exporter, eventOf('agent_start', { trace_id: String(i), span_id: 'a', input }));

    expect(inner.events.map(({ payload }) => payload['trace_id'])).toEqual(['0', '1']);
    expect(exporter.stats()).toMatchObject({ pending: 7 });
  });

  test('remembers a bounded number of traces that are over', () => {
    const { inner, exporter } = setUp();
    const run = (trace_id: string): TraceEvent[] => [
      eventOf('agent_start', { trace_id, span_id: 'a' }),
      eventOf('agent_end', { trace_id, span_id: 'a' }),
    ];
    for (let i = 0; i <= 10_000; i++) give(exporter, ...run(`run ${i}`));

    give(exporter, eventOf('compression', { trace_id: 'run 0' }));
    give(exporter, eventOf('compression', { trace_id: 'run 1' }));

    expect(exporter.stats()).toMatchObject({ pending: 1, dropped: 20_003 });
    expect(inner.events).toEqual([]);
  });

  describe('as time goes by', () => {
    beforeEach(() => {
      vi.useFakeTimers();
      return () => vi.useRealTimers();
    });

    test('a trace that was silent for 30 minutes is handed on with the next event', () => {
      const { inner, exporter } = setUp();
      give(exporter, eventOf('agent_start', { trace_id: '1', span_id: 'a' }));
      vi.advanceTimersByTime(20 * 60_000);
      give(exporter, eventOf('agent_start', { trace_id: '2', span_id: 'a' }));
      vi.advanceTimersByTime(10 * 60_000);
      give(exporter, createTraceEvent({ timestamp: 1, event_type: 'trace_gap' }));

      expect(inner.events.map(({ payload }) => payload['trace_id'])).toEqual(['1', undefined]);
    });
  });

  test('counts what an exporter throws on or rejects as it breaks its contract', async () => {
    const inner = new MemoryExporter();
    const broken = Object.assign(Object.create(inner) as MemoryExporter, {
      name: 'broken',
      exportEvent: (event: TraceEvent): unknown => {
        if (event.event_type === 'error') throw new Error('no');
        return Promise.reject(new Error('later'));
      },
      stats: () => inner.stats(),
    });
    const exporter = keepErrors(broken);

    give(exporter, eventOf('agent_start', { span_id: 'a' }), eventOf('error'));
    await new Promise((resolve) => setImmediate(resolve));

    expect(exporter.stats()).toEqual({
      accepted: 1,
      dropped: 0,
      delivered: 0,
      failed: 1,
      pending: 0,
      error: 'no',
    });
  });

  test('the runs of a tracer on a bus: the receipt says what was held back', async () => {
    const { inner, exporter } = setUp();
    const bus = new TraceEventBus();
    bus.attach(exporter);
    const tracer = createTracer(bus);

    await tracer.pattern('good', async () => tracer.agent('bull', () => 1));
    await tracer
      .pattern('bad', async () =>
        tracer.agent('bull', () => {
          throw new Error('no');
        }),
      )
      .catch(() => {});

    expect(inner.events.map(({ pattern_type }) => pattern_type)).toEqual(
      inner.events.map(() => 'bad'),
    );
    expect(await bus.shutdown()).toEqual([
      { exporter: 'memory', delivered: 5, failed: 0, dropped: 4, pending: 0 },
    ]);
  });

  test('its sums hold whatever comes', () => {
    const events = fc
      .record({
        event_type: fc.constantFrom('pattern_start', 'pattern_end', 'llm_call', 'error', 'own'),
        pattern_type: fc.constantFrom('', 'debate'),
        payload: fc.record(
          {
            trace_id: fc.constantFrom('1', '2', '3', ''),
            span_id: fc.constantFrom('a', 'b', ''),
            parent_span_id: fc.constantFrom('a', ''),
            response: fc.constant('x'),
            cost_usd: fc.constantFrom(1, Number.NaN, -1),
          },
          { requiredKeys: [] },
        ),
      })
      .map((init) => createTraceEvent({ timestamp: 1, ...init }));
    fc.assert(
      fc.property(fc.array(events), fc.integer({ min: 1, max: 3 }), (given, maxOpenTraces) => {
        const { inner, exporter } = setUp({ maxOpenTraces, minCostUsd: 3 });
        for (const [index, event] of given.entries()) {
          give(exporter, event);
          const { accepted, dropped, delivered, failed, pending } = exporter.stats();
          expect(accepted + dropped).toBe(index + 1);
          expect(delivered + failed + pending).toBe(accepted);
          expect(delivered).toBe(inner.events.length);
        }
        void exporter.shutdown();
        expect(exporter.stats().pending).toBe(0);
      }),
    );
  });

  test('refuses what is no exporter, and options it does not know', () => {
    expect(() => keepErrors({} as TraceExporter)).toThrow(
      'keepErrors: the exporter has no exportEvent, flush',
    );
    for (const options of [{ maxOpenTraces: 0 }, { slowMs: -1 }, { minCost: 1 }])
      expect(() => setUp(options)).toThrow(/^keepErrors: /);
  });
});
