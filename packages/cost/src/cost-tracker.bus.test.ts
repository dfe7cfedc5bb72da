import {
  createTraceEvent,
  isTraceExporter,
  TraceEventBus,
  type TraceEvent,
  type TracePayload,
} from '@pyagent-trace/core';
import { SpanAssembler, type Span } from '@pyagent-trace/core/spans';
import { exporterContract, hostilePayloads, sampleRun } from '@pyagent-trace/core/testing';
import { createTracer } from '@pyagent-trace/core/tracer';
import { describe, expect, test } from 'vitest';
import { CostTracker } from './cost-tracker.ts';
import { priceTable } from './price-table.ts';
import type { CostTrackerOptions } from './options.ts';

/** A dollar a token in, two out: the sums can be read. */
const prices = priceTable({
  m: { inputUsdPerMillion: 1e6, outputUsdPerMillion: 2e6 },
  'm-2025-01-01': { inputUsdPerMillion: 10e6, outputUsdPerMillion: 20e6 },
});

interface Heard {
  readonly bus: TraceEventBus;
  readonly tracker: CostTracker;
  /** The cost records on the bus. */
  readonly records: TraceEvent[];
}

function attached(options: CostTrackerOptions = {}): Heard {
  const bus = new TraceEventBus();
  const records: TraceEvent[] = [];
  bus.subscribeFilter(['cost_record'], (one) => void records.push(one));
  const tracker = new CostTracker({ bus, prices, ...options });
  bus.attach(tracker);
  return { bus, tracker, records };
}

function event(event_type: string, payload: TracePayload, more: object = {}): TraceEvent {
  return createTraceEvent({ event_type, agent_name: 'bull', timestamp: 100, payload, ...more });
}

const IDS = { trace_id: 't', span_id: 's', parent_span_id: 'p' };
const NOBODY = { agent_name: '' };
const ANSWER = { ...IDS, response: 'Buy.', input_tokens: 3, output_tokens: 2 };

describe('CostTracker on a bus', () => {
  test('prices each call of a tracer, and emits one cost_record with its ids', () => {
    const { bus, tracker, records } = attached();
    const calls: TraceEvent[] = [];
    bus.subscribeFilter(['llm_response'], (one) => void calls.push(one));
    const tracer = createTracer(bus);
    tracer.pattern('debate', { session_id: 'chat', user_id: 'ann' }, () =>
      tracer.agent('bull', () => {
        for (const input_tokens of [3, 5])
          tracer.llmCall({ provider: 'openai', model: 'm' }, (call) => {
            call.respond({ response: 'Buy.', input_tokens, output_tokens: 2, reasoning_tokens: 1 });
          });
      }),
    );
    expect(records).toEqual(
      calls.map(({ timestamp, payload }, i) => ({
        timestamp,
        event_type: 'cost_record',
        agent_name: 'bull',
        pattern_type: 'debate',
        payload: {
          trace_id: payload['trace_id'],
          span_id: payload['span_id'],
          parent_span_id: payload['parent_span_id'],
          session_id: 'chat',
          user_id: 'ann',
          provider: 'openai',
          model: 'm',
          input_tokens: [3, 5][i],
          output_tokens: 2,
          reasoning_tokens: 1,
          cost_usd: [7, 9][i],
        },
      })),
    );
    expect(tracker.summary()).toEqual({
      total_cost_usd: 16,
      total_tokens: 12,
      entries: 2,
      by_pattern: { debate: 16 },
      by_agent: { bull: 16 },
      by_model: { m: 16 },
      by_provider: { openai: 16 },
      unpriced: {},
    });
    expect(tracker.bySession()).toEqual({ chat: 16 });
    expect(tracker.byUser()).toEqual({ ann: 16 });
  });

  test('the cost is on the span of every assembler on that bus', () => {
    const { bus } = attached();
    const spans: Span[] = [];
    const assembler = new SpanAssembler({ onEnd: (span) => void spans.push(span) });
    bus.subscribe(assembler.add);
    bus.emit(event('llm_call', { ...IDS, model: 'm' }));
    bus.emit(event('llm_response', ANSWER));
    expect(spans.map(({ span_id, attributes }) => [span_id, attributes['cost_usd']])).toEqual([
      ['s', 7],
    ]);
    assembler.shutdown();
  });

  test('prices a call that is recorded after the fact, with ids and without', () => {
    const { bus, tracker, records } = attached();
    bus.emit(event('llm_call', { ...ANSWER, model: 'm' }));
    bus.emit(event('llm_call', { response: '', model: 'm', input_tokens: 1, output_tokens: 0 }));
    expect(records.map(({ payload }) => payload['cost_usd'])).toEqual([7, 1]);
    expect(tracker.totalCost).toBe(8);
  });

  test('prices as the model that answered, else as the one that was asked', () => {
    const { bus, tracker } = attached();
    bus.emit(event('llm_call', { ...IDS, model: 'm' }));
    bus.emit(event('llm_response', { ...ANSWER, model: 'm-2025-01-01' }));
    bus.emit(event('llm_call', { ...IDS, span_id: 's2', model: 'm' }));
    bus.emit(event('llm_response', { ...ANSWER, span_id: 's2', model: 'deployment-7' }));
    expect(tracker.byModel()).toEqual({ 'm-2025-01-01': 70, 'deployment-7': 7 });
  });

  test('takes the cost that the answer has, and does not say it again', () => {
    const { bus, tracker, records } = attached();
    bus.emit(event('llm_response', { ...ANSWER, model: 'm', cost_usd: 0.5 }));
    bus.emit(event('cost_record', { ...IDS, model: 'm', cost_usd: 0.5 }));
    expect(records).toHaveLength(1); // the one above
    expect(tracker.summary()).toMatchObject({ total_cost_usd: 0.5, entries: 1 });
  });

  test('counts a cost_record from elsewhere once, before its answer or after it', () => {
    for (const [first, second] of [
      ['cost_record', 'llm_response'],
      ['llm_response', 'cost_record'],
    ]) {
      const { bus, tracker } = attached();
      const payloads = {
        cost_record: { ...IDS, model: 'm', input_tokens: 3, output_tokens: 2, cost_usd: 7 },
        llm_response: ANSWER,
      } as Record<string, TracePayload>;
      bus.emit(event('llm_call', { ...IDS, model: 'm', provider: 'openai' }));
      for (const type of [first, second, first, second] as string[])
        bus.emit(event(type, payloads[type] as TracePayload));
      expect(tracker.summary()).toMatchObject({
        total_cost_usd: 7,
        entries: 1,
        by_provider: { openai: 7 },
      });
    }
  });

  test('a cost without ids is for the newest call that it fits', () => {
    const { bus, tracker } = attached();
    const cost = { model: 'm', input_tokens: 3, output_tokens: 2, cost_usd: 7 };
    bus.emit(event('llm_call', { ...ANSWER, model: 'm' }));
    bus.emit(event('cost_record', cost)); // of that call
    tracker.record({ ...cost, agent_name: 'bull' }); // of another, since that call has one
    bus.emit(event('cost_record', cost, { agent_name: 'bear' })); // nobody heard of its call
    bus.emit(event('llm_call', { ...IDS, span_id: 's2', model: 'm' }));
    bus.emit(event('cost_record', { ...cost, cost_usd: 5 })); // of the call that is open
    bus.emit(event('llm_response', { ...ANSWER, span_id: 's2' }));
    expect(tracker.byAgent()).toEqual({ bull: 7 + 7 + 5, bear: 7 });
  });

  test('a cost without ids is for no call that has other counts, or a cost_record', () => {
    const { bus, tracker } = attached();
    const cost = { model: 'm', input_tokens: 3, output_tokens: 2, cost_usd: 7 };
    bus.emit(event('llm_call', { ...ANSWER, model: 'm' }));
    bus.emit(event('cost_record', { ...cost, input_tokens: 4 }));
    bus.emit(event('cost_record', { ...cost, output_tokens: 3 }));
    expect(tracker.totalCost).toBe(21);
    bus.emit(event('cost_record', { ...cost, ...IDS })); // of the call
    expect(tracker.totalCost).toBe(21);
    bus.emit(event('cost_record', cost)); // of another one like it
    expect(tracker.totalCost).toBe(28);
  });

  test('pairs calls without ids, as Python emits them', () => {
    const { bus, tracker } = attached();
    const bear = { agent_name: 'bear' };
    bus.emit(event('llm_call', { model: 'm', provider: 'x' }));
    bus.emit(event('llm_call', { model: 'm-2025-01-01', provider: 'y' }, bear));
    bus.emit(event('llm_response', { response: '', input_tokens: 1, output_tokens: null }));
    bus.emit(event('llm_response', { response: '', input_tokens: 1 }, bear));
    expect(tracker.byAgent()).toEqual({ bull: 1, bear: 10 });
    expect(tracker.byProvider()).toEqual({ x: 1, y: 10 });
  });

  test('a cost that comes for a call without a price makes it a priced one', () => {
    const { bus, tracker } = attached();
    bus.emit(event('llm_call', { ...IDS, model: 'mine' }));
    bus.emit(event('llm_response', ANSWER));
    bus.emit(event('llm_call', { response: 'no counts', model: 'mine' }));
    expect(tracker.summary().unpriced).toEqual({ mine: 2 });
    bus.emit(event('cost_record', { ...IDS, cost_usd: 0.25 }));
    bus.emit(event('cost_record', { model: 'mine', input_tokens: 1, cost_usd: 0.5 }));
    expect(tracker.summary()).toMatchObject({
      by_model: { mine: 0.75 },
      entries: 2,
      unpriced: {},
    });
    expect(tracker.stats()).not.toHaveProperty('error');
  });

  test('reports a model without a price, and counts its calls as unpriced, never as 0', async () => {
    const { bus, tracker, records } = attached();
    for (let i = 0; i < 3; i++)
      bus.emit(event('llm_response', { ...ANSWER, span_id: `s${i}`, model: 'mine' }));
    expect(records).toEqual([]);
    expect(tracker.summary()).toMatchObject({ entries: 0, by_model: {}, unpriced: { mine: 3 } });
    expect(tracker.formatSummary()).toContain('?      3                   mine');
    expect(await bus.flush()).toEqual([
      {
        exporter: 'cost',
        delivered: 3,
        failed: 0,
        dropped: 0,
        pending: 0,
        error: 'no price: model "mine"',
      },
    ]);
  });

  test('a call that answered without counts is unpriced, one that failed is not', () => {
    const { bus, tracker } = attached();
    bus.emit(event('llm_response', { span_id: '1', model: 'm', response: 'Buy.' }));
    bus.emit(event('llm_response', { span_id: '2', model: 'm', status: 'error' }));
    bus.emit(event('llm_response', { span_id: '3', model: 'm', status: 'cancelled' }));
    expect(tracker.summary().unpriced).toEqual({ m: 1 });
    const counts = { input_tokens: 3, output_tokens: 2 };
    bus.emit(event('llm_response', { span_id: '4', model: 'm', status: 'cancelled', ...counts }));
    expect(tracker.totalCost).toBe(7);
  });

  test('a stream that was left or broken off is unpriced: what was read of it is billed', async () => {
    const { bus, tracker } = attached();
    const tracer = createTracer(bus);
    const stream = (error?: Error): AsyncGenerator<string> =>
      tracer.llmCall({ model: 'm' }, async function* answer() {
        yield 'Bu';
        if (error !== undefined) throw error;
        yield 'y.';
      });
    for await (const _ of stream()) break;
    expect(tracker.summary().unpriced).toEqual({ m: 1 });
    const broken = stream(new Error('reset'));
    await broken.next();
    await expect(broken.next()).rejects.toThrow('reset');
    expect(tracker.summary().unpriced).toEqual({ m: 2 });
  });

  test('session and user are those of the nearest operation that has one', () => {
    const { bus, tracker } = attached();
    const tracer = createTracer(bus);
    const call = (more: object = {}): void =>
      tracer.llmCall({ model: 'm', ...more }, ({ respond }) => respond(ANSWER));
    tracer.pattern('debate', { session_id: 'chat', user_id: 'ann' }, () => {
      tracer.agent('bull', { session_id: 'aside' }, () => tracer.agent('helper', () => call()));
      tracer.agent('bear', () => call());
      call({ user_id: 'bob' });
    });
    expect(tracker.bySession()).toEqual({ aside: 7, chat: 14 });
    expect(tracker.byUser()).toEqual({ ann: 14, bob: 7 });
  });

  test('what agents and patterns say of their cost repeats their calls', () => {
    const { bus, tracker } = attached();
    bus.emit(event('pattern_start', { trace_id: 't', span_id: 'root' }));
    bus.emit(event('agent_start', { trace_id: 't', span_id: 'p', parent_span_id: 'root' }));
    bus.emit(event('llm_call', { ...ANSWER, model: 'm' }));
    const sums = { cost_estimate: 7, cost_usd: 7, token_estimate: 5 };
    bus.emit(event('cost_record', { trace_id: 't', span_id: 'p', cost_usd: 7 }));
    bus.emit(event('cost_record', { trace_id: 't', span_id: 'root', cost_usd: 7 }, NOBODY));
    bus.emit(event('agent_end', { trace_id: 't', span_id: 'p', ...sums }));
    bus.emit(event('pattern_end', { trace_id: 't', span_id: 'root', ...sums }));
    bus.emit(event('routing_decision', { trace_id: 't', cost_estimate: 3 }));
    expect(tracker.totalCost).toBe(7);
  });

  test('a cost of one call on the span of its agent is counted, and so is the next', () => {
    const { bus, tracker } = attached();
    bus.emit(event('agent_start', { trace_id: 't', span_id: 'p' }));
    for (const input_tokens of [1, 2]) {
      const cost = { model: 'embed', input_tokens, output_tokens: 0, cost_usd: 0.5 };
      tracker.record({ ...cost, agent_name: 'bull', trace_id: 't', span_id: 'p' });
    }
    expect(tracker.summary()).toMatchObject({ total_cost_usd: 1, entries: 2 });
  });

  test('a replay of what was recorded, costs and all, counts each call once', () => {
    const first = attached();
    const recorded: TraceEvent[] = [];
    first.bus.subscribe((one) => void recorded.push(structuredClone(one)));
    const tracer = createTracer(first.bus);
    tracer.pattern('debate', () => {
      for (let i = 1; i <= 50; i++)
        tracer.llmCall({ provider: 'x', model: 'm' }, (call) => {
          call.respond({ response: '', input_tokens: i, output_tokens: 0 });
        });
    });
    const second = attached();
    for (const one of [...recorded, ...recorded]) second.bus.emit(one);
    expect(second.tracker.summary()).toEqual(first.tracker.summary());

    const costsOnly = attached({ prices: priceTable({}) });
    for (const one of recorded) costsOnly.bus.emit(one);
    expect(costsOnly.tracker.summary()).toEqual(first.tracker.summary());
  });

  test('counts what is wrong as failed, with place and value', () => {
    const { bus, tracker } = attached();
    const errors = [
      ['llm_response', { ...ANSWER, model: 'm', input_tokens: -1 }],
      ['llm_response', { ...ANSWER, model: 'm', output_tokens: 1.5 }],
      ['llm_response', { ...ANSWER, model: 'm', cost_usd: Number.NaN }],
      ['llm_response', { ...ANSWER, model: 'm', cache_read_tokens: 4 }],
      ['cost_record', { ...IDS, model: 'm', cost_usd: -1 }],
      ['cost_record', { ...IDS, model: 'm' }],
    ] as const;
    const said = errors.map(([type, payload]) => {
      bus.emit(event(type, payload));
      return tracker.stats().error;
    });
    expect(said).toEqual([
      'llm_response: input_tokens: expected a whole number of 0 or more, got -1',
      'llm_response: output_tokens: expected a whole number of 0 or more, got 1.5',
      'llm_response: cost_usd: expected US dollars, 0 or more, got NaN',
      'llm_response: input_tokens: expected to include 4 cached tokens, got 3',
      'cost_record: cost_usd: expected US dollars, 0 or more, got -1',
      'cost_record: cost_usd: expected US dollars, 0 or more, got a value of type undefined',
    ]);
    expect(tracker.stats()).toMatchObject({ accepted: 6, delivered: 0, failed: 6 });
    expect(bus.stats().errors).toBe(0);
    expect(tracker.summary()).toMatchObject({ entries: 0, unpriced: {} });
    bus.emit(event('llm_response', { ...ANSWER, model: 'm' })); // the same call, right this time
    expect(tracker.totalCost).toBe(7);
  });

  test('a price source that throws or gives no amount leaves the call unpriced', () => {
    for (const source of [{ price: refuse }, { price: () => -1 }, { price: () => Number.NaN }]) {
      const { bus, tracker } = attached({ prices: source });
      bus.emit(event('llm_response', { ...ANSWER, model: 'm' }));
      expect(tracker.summary()).toMatchObject({ entries: 0, unpriced: { m: 1 } });
    }
  });

  test('prices with those of genai-prices on the day of the call, unless told otherwise', () => {
    const bus = new TraceEventBus();
    const tracker = new CostTracker();
    bus.attach(tracker);
    const call = { ...ANSWER, provider: 'openai', model: 'gpt-4o' };
    bus.emit(event('llm_call', { ...call, input_tokens: 1e6, output_tokens: 1e6 }));
    expect(tracker.totalCost).toBeCloseTo(12.5, 9); // $2.50 and $10 a million
  });

  test('looks for the call of a cost without ids among those of the last 1,000 agents', () => {
    const { bus, tracker } = attached();
    for (let i = 0; i <= 1000; i++)
      bus.emit(
        event('llm_response', { ...ANSWER, model: 'm', span_id: `${i}` }, { agent_name: `${i}` }),
      );
    const cost = { model: 'm', input_tokens: 3, output_tokens: 2, cost_usd: 7 };
    for (const agent_name of ['1', '0']) bus.emit(event('cost_record', cost, { agent_name }));
    expect(tracker.summary().entries).toBe(1002);
  });

  test('memory has a bound, whatever the number of calls that never end', () => {
    const { bus, tracker } = attached();
    for (let i = 0; i < 30_000; i++)
      bus.emit(event('llm_call', { trace_id: 't', span_id: `s${i}`, model: 'm' }));
    bus.emit(event('llm_response', { ...ANSWER, span_id: 's29999' }));
    expect(tracker.totalCost).toBe(7);
  });

  test('keeps the contract of exporters', async () => {
    const tracker = new CostTracker({ prices });
    expect(isTraceExporter(tracker)).toBe(true);
    const { exportEvent } = tracker;
    for (const one of sampleRun()) exportEvent(Object.freeze(one));
    for (const { payload } of hostilePayloads())
      for (const type of ['pattern_start', 'llm_call', 'llm_response', 'cost_record', 'unknown']) {
        exportEvent({ ...event(type, {}), payload });
        let value: unknown;
        try {
          value = (payload as { value?: unknown }).value;
        } catch {
          continue;
        }
        const keys = ['response', 'model', 'input_tokens', 'cost_usd', 'span_id', 'trace_id'];
        exportEvent(event(type, Object.fromEntries(keys.map((key) => [key, value]))));
      }
    const { accepted, delivered, failed, pending, dropped } = tracker.stats();
    expect({ sum: delivered + failed, pending, dropped }).toEqual({
      sum: accepted,
      pending: 0,
      dropped: 0,
    });
    const closed = tracker.shutdown();
    expect(tracker.shutdown()).toBe(closed);
    await closed;
    const before = tracker.totalCost;
    exportEvent(event('llm_response', { ...ANSWER, model: 'm' }));
    expect(tracker.stats()).toMatchObject({ dropped: 1, error: 'an event came after shutdown' });
    expect(tracker.totalCost).toBe(before);
  });

  const rules = exporterContract(
    () => {
      const exporter = new CostTracker({ prices });
      return { exporter, arrivedSpanIds: () => [] };
    },
    { cannot: ['refuse', 'hang'] },
  ).filter(({ name }) => name === 'does not keep the process alive');
  // of the others most ask which ids arrived: here nothing does
  test.each(rules)('$name', async ({ run }) => run());
});

function refuse(): never {
  throw new Error('no');
}
