import { existsSync, readFileSync } from 'node:fs';
import { TraceError, TraceEventBus, type TraceEvent } from '@pyagent-trace/core';
import { array, assert, constantFrom, double, oneof, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CostEntry } from './cost-entry.ts';
import { CostTracker } from './cost-tracker.ts';

const VECTORS = new URL('../../../../shared/vectors/cost.json', import.meta.url);
const ENTRY: CostEntry = {
  model: 'gpt-4o',
  input_tokens: 500,
  output_tokens: 200,
  cost_usd: 0.003,
};

type Pair = readonly [path: string, value: number];
type SeedRecord = [string, string, string, number, number, number];

describe('CostTracker', () => {
  test.skipIf(!existsSync(VECTORS))(
    "sums as the seed does (skipped without the seed's vectors)",
    () => {
      const { record, summary } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
        record: SeedRecord[];
        summary: Record<string, number | Record<string, number>>;
      };
      const tracker = new CostTracker();
      for (const [pattern_type, agent_name, model, input_tokens, output_tokens, cost_usd] of record)
        tracker.record({ pattern_type, agent_name, model, input_tokens, output_tokens, cost_usd });
      const { by_provider: _provider, unpriced: _unpriced, ...ours } = tracker.summary();
      const [oursAsPairs, seedAsPairs] = [ours, summary].map(pairsOf) as [Pair[], Pair[]];
      expect(oursAsPairs.map(([path]) => path)).toEqual(seedAsPairs.map(([path]) => path));
      for (const [i, [, value]] of seedAsPairs.entries())
        expect(oursAsPairs[i]?.[1]).toBeCloseTo(value, 12);
    },
  );

  test('sums an entry in every breakdown', () => {
    const tracker = new CostTracker();
    tracker.record({
      ...ENTRY,
      pattern_type: 'debate',
      agent_name: 'bull',
      provider: 'openai',
      trace_id: 't1',
      session_id: 's1',
      user_id: 'u1',
      timestamp: 130,
    });
    tracker.record({ ...ENTRY, pattern_type: 'debate', timestamp: 7_300 });
    expect(tracker.totalCost).toBe(0.006);
    expect(tracker.totalTokens).toBe(1400);
    expect({
      pattern: tracker.byPattern(),
      agent: tracker.byAgent(),
      model: tracker.byModel(),
      provider: tracker.byProvider(),
      session: tracker.bySession(),
      user: tracker.byUser(),
      trace: tracker.byTrace(),
    }).toEqual({
      pattern: { debate: 0.006 },
      agent: { bull: 0.003, '': 0.003 },
      model: { 'gpt-4o': 0.006 },
      provider: { openai: 0.003, '': 0.003 },
      session: { s1: 0.003, '': 0.003 },
      user: { u1: 0.003, '': 0.003 },
      trace: { t1: 0.003, debate: 0.003 },
    });
    expect(tracker.byTime(3600)).toEqual([
      { timestamp: 0, calls: 1, input_tokens: 500, output_tokens: 200, cost_usd: 0.003 },
      { timestamp: 7200, calls: 1, input_tokens: 500, output_tokens: 200, cost_usd: 0.003 },
    ]);
  });

  test('takes any string for a name', () => {
    const names = ['__proto__', 'constructor', 'toString', '', '(other)'];
    const tracker = new CostTracker();
    for (const name of names) {
      const all = { pattern_type: name, agent_name: name, model: name, session_id: name };
      tracker.record({ ...ENTRY, ...all, user_id: name, trace_id: name, provider: name });
    }
    const { by_pattern, by_agent, by_model, by_provider } = tracker.summary();
    const breakdowns = [by_pattern, by_agent, by_model, by_provider];
    for (const breakdown of [...breakdowns, tracker.bySession(), tracker.byUser()]) {
      expect(Object.entries(breakdown)).toEqual(names.map((name) => [name, 0.003]));
      expect(Object.getPrototypeOf(breakdown)).toBe(Object.prototype);
    }
    expect(({} as Record<string, unknown>)['0.003']).toBeUndefined();
  });

  test('refuses what is no count, no cost or no name, with place and value', () => {
    const tracker = new CostTracker();
    const record = (change: object): unknown =>
      problemOf(() => tracker.record({ ...ENTRY, ...change }));
    expect(record({ input_tokens: -1 })).toBe(count('input_tokens', '-1'));
    expect(record({ output_tokens: Number.NaN })).toBe(count('output_tokens', 'NaN'));
    expect(record({ output_tokens: Infinity })).toBe(count('output_tokens', 'Infinity'));
    expect(record({ cache_read_tokens: 0.5 })).toBe(count('cache_read_tokens', '0.5'));
    expect(record({ input_tokens: undefined })).toBe(
      count('input_tokens', 'a value of type undefined'),
    );
    expect(record({ input_tokens: 5n })).toBe(count('input_tokens', 'a value of type bigint'));
    const cost = 'CostTracker.record: cost_usd: expected US dollars, 0 or more, got';
    expect(record({ cost_usd: -0.1 })).toBe(`${cost} -0.1`);
    expect(record({ cost_usd: Number.NaN })).toBe(`${cost} NaN`);
    expect(record({ cost_usd: '1' })).toBe(`${cost} a value of type string`);
    expect(record({ agent_name: 7 })).toBe(
      'CostTracker.record: agent_name: expected a string, got 7',
    );
    expect(record({ timestamp: -1 })).toBe(
      'CostTracker.record: timestamp: expected Unix seconds, got -1',
    );
    expect(record({ cache_read_tokens: 300, cache_creation_tokens: 300 })).toBe(
      'CostTracker.record: input_tokens: expected to include 600 cached tokens, got 500',
    );
    expect(record({ reasoning_tokens: 201 })).toBe(
      'CostTracker.record: output_tokens: expected to include 201 reasoning tokens, got 200',
    );
    expect(() => tracker.record(null as never)).toThrow('expected an entry');
    expect(tracker.summary()).toMatchObject({ total_cost_usd: 0, entries: 0 });
  });

  test('one wrong entry spoils no total', () => {
    const tracker = new CostTracker();
    tracker.record(ENTRY);
    expect(() => tracker.record({ ...ENTRY, cost_usd: Number.NaN })).toThrow(TraceError);
    tracker.record(ENTRY);
    expect(tracker.totalCost).toBe(0.006);
  });

  test('emits a cost_record for each entry, with its ids', () => {
    const events: TraceEvent[] = [];
    const tracker = new CostTracker({ bus: { emit: (event) => void events.push(event) } });
    tracker.record({
      ...ENTRY,
      pattern_type: 'debate',
      agent_name: 'bull',
      timestamp: 12.5,
      trace_id: 't',
      span_id: 's',
      cache_read_tokens: 100,
    });
    expect(events).toEqual([
      {
        timestamp: 12.5,
        event_type: 'cost_record',
        agent_name: 'bull',
        pattern_type: 'debate',
        payload: {
          trace_id: 't',
          span_id: 's',
          model: 'gpt-4o',
          input_tokens: 500,
          output_tokens: 200,
          cache_read_tokens: 100,
          cost_usd: 0.003,
        },
      },
    ]);
  });

  test('does not hear its own records, though a processor hands on copies of them', () => {
    const bus = new TraceEventBus({
      processors: [(event) => ({ ...event, agent_name: 'hidden', payload: { ...event.payload } })],
    });
    const tracker = new CostTracker({ bus });
    bus.attach(tracker);
    for (let i = 0; i < 3; i++) tracker.record({ ...ENTRY, timestamp: 1 });
    expect(tracker.summary().entries).toBe(3);
    expect(tracker.totalCost).toBeCloseTo(0.009, 12);
  });

  test('keeps entries on request, and none otherwise', () => {
    const keeping = new CostTracker({ keepEntries: true });
    const plain = new CostTracker();
    for (const tracker of [keeping, plain]) tracker.record({ ...ENTRY, timestamp: 5 });
    expect(keeping.entries).toEqual([{ ...ENTRY, timestamp: 5, pattern_type: '', agent_name: '' }]);
    expect(plain.entries).toEqual([]);
  });

  test('a sink that throws does not reach the app', () => {
    const tracker = new CostTracker({
      bus: {
        emit() {
          throw new Error('no');
        },
      },
    });
    tracker.record(ENTRY);
    expect(tracker.totalCost).toBe(0.003);
  });

  test('refuses wrong options at once', () => {
    expect(options({ bus: {} })).toThrow('CostTracker: bus: expected an object with emit()');
    expect(options({ prices: () => 1 })).toThrow(
      'CostTracker: prices: expected an object with price()',
    );
    expect(options({ keepEntrys: true })).toThrow('unknown option "keepEntrys"');
    expect(() => new CostTracker().byTime(90)).toThrow(
      'byTime: expected a multiple of 60 seconds, got 90',
    );
  });

  test('total and every breakdown are the exact sum, to the last bit but one', () => {
    const cost = oneof(
      double({ min: 0, max: 1e9, noNaN: true }),
      double({ min: 0, max: 1e-6, noNaN: true }),
    );
    const name = constantFrom('', 'a', 'b', '__proto__');
    assert(
      property(array(tuple(cost, name), { minLength: 1, maxLength: 200 }), (costs) => {
        const tracker = new CostTracker();
        for (const [cost_usd, agent_name] of costs)
          tracker.record({ ...ENTRY, agent_name, session_id: agent_name, cost_usd });
        const exact = exactSum(costs.map(([usd]) => usd));
        const breakdowns = [tracker.byAgent(), tracker.bySession(), tracker.byModel()];
        for (const sum of [tracker.totalCost, ...breakdowns.map(sumOf)])
          expect(Math.abs(sum - exact)).toBeLessThanOrEqual(2 * Number.EPSILON * exact);
      }),
    );
  });

  test('a hundred-thousandth of a cent counts, whatever was summed before', () => {
    const tracker = new CostTracker();
    const costs = [1e9, ...Array.from({ length: 10_000 }, () => 1e-7), 1e9];
    for (const cost_usd of costs) tracker.record({ ...ENTRY, cost_usd });
    const exact = exactSum(costs); // 2,000,000,000.001
    expect(Math.abs(tracker.totalCost - exact)).toBeLessThanOrEqual(Number.EPSILON * exact);
    expect(tracker.byModel()).toEqual({ 'gpt-4o': tracker.totalCost });
  });

  // 10,000,000 take half a minute: COST_RECORDS=10000000 pnpm exec vitest run --project cost
  test('sums and memory hold over many records', { timeout: 600_000 }, () => {
    const records = Number(process.env['COST_RECORDS'] ?? 200_000);
    const tracker = new CostTracker();
    const agents = Array.from({ length: 100 }, (_, i) => `agent-${i}`);
    let exactPicodollars = 0n;
    for (let i = 0; i < records; i++) {
      const cost_usd = costOf(i);
      exactPicodollars += BigInt(Math.round(cost_usd * 1e12));
      tracker.record({
        ...ENTRY,
        agent_name: agents[i % 100] as string,
        trace_id: `trace-${i}`,
        timestamp: i,
        cost_usd,
      });
    }
    const exact = Number(exactPicodollars) / 1e12;
    const time = tracker.byTime(86_400).reduce((sum, { cost_usd }) => sum + cost_usd, 0);
    const sums = [tracker.byAgent(), tracker.byTrace(), tracker.byModel(), tracker.byUser()];
    for (const sum of [tracker.totalCost, time, ...sums.map(sumOf)])
      expect(Math.abs(sum - exact) / exact).toBeLessThan(1e-12);
    expect(tracker.summary().entries).toBe(records);
    expect(Object.keys(tracker.byTrace()).length).toBeLessThanOrEqual(10_001);
  });
});

/** Numbers with the place they stand at. */
function pairsOf(data: object): Pair[] {
  return Object.entries(data).flatMap(([key, value]: [string, number | object]) =>
    typeof value === 'number'
      ? [[key, value] as const]
      : pairsOf(value).map(([path, number]) => [`${key}/${path}`, number] as const),
  );
}

function problemOf(record: () => void): unknown {
  try {
    record();
  } catch (error) {
    return TraceError.isInstance(error) && error.code === 'invalid_event' ? error.message : error;
  }
  return 'taken';
}

function count(key: string, got: string): string {
  return `CostTracker.record: ${key}: expected a whole number of 0 or more, got ${got}`;
}

function options(value: object): () => CostTracker {
  return () => new CostTracker(value);
}

/** As different as calls are, in fractions that no double has exactly. */
function costOf(i: number): number {
  return ((i * 7919) % 100_003) * 1e-7 + (i % 1000 === 0 ? 3.1 : 0);
}

function sumOf(breakdown: Record<string, number>): number {
  return exactSum(Object.values(breakdown));
}

/** Of doubles, as integers of 2^-1074 each. */
function exactSum(values: readonly number[]): number {
  const bits = new DataView(new ArrayBuffer(8));
  let sum = 0n;
  for (const value of values) {
    bits.setFloat64(0, value);
    const all = bits.getBigUint64(0);
    const exponent = (all >> 52n) & 0x7ffn;
    const fraction = all & 0xfffffffffffffn;
    sum += exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  }
  const length = sum.toString(2).length;
  const shift = BigInt(Math.max(0, length - 64));
  return Number(sum >> shift) * 2 ** (Number(shift) - 1074 + 500) * 2 ** -500;
}
