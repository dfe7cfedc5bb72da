// What does it cost to count a cost, and to ask for the sums, beside the seed's way: a list of entries,
// summed on demand?
import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { type CostEntry, type CostSummary, CostTracker, priceTable } from '@pyagent-trace/cost';
import { comparing, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';

const AGENTS = Array.from({ length: 100 }, (_, i) => `agent-${i}`);
const PATTERNS = ['debate', 'pipeline', 'supervisor', 'voting'];
const MODELS = ['claude-sonnet-4', 'gemini-2.5-flash', 'gpt-4o', 'gpt-4o-mini'];

/** The seed's `CostTracker`, without its event. */
export class EntryList {
  readonly #entries: CostEntry[] = [];

  record(entry: CostEntry): void {
    this.#entries.push({ ...entry });
  }

  summary(): Omit<CostSummary, 'by_provider' | 'total_tokens' | 'unpriced'> {
    return {
      entries: this.#entries.length,
      total_cost_usd: this.#entries.reduce((sum, { cost_usd }) => sum + cost_usd, 0),
      by_pattern: this.#by('pattern_type'),
      by_agent: this.#by('agent_name'),
      by_model: this.#by('model'),
    };
  }

  #by(key: 'agent_name' | 'model' | 'pattern_type'): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const entry of this.#entries) {
      const name = entry[key] ?? '';
      sums[name] = (sums[name] ?? 0) + entry.cost_usd;
    }
    return sums;
  }
}

/** An entry of a hundred agents, four patterns and four models, with or without a trace of its own. */
export function entryOf(i: number, traced = false): CostEntry {
  return {
    pattern_type: PATTERNS[i % 4] as string,
    agent_name: AGENTS[i % 100] as string,
    model: MODELS[i % 4] as string,
    input_tokens: 500 + (i % 1000),
    output_tokens: 200,
    cost_usd: (i % 997) * 1e-5,
    ...(traced && { trace_id: `trace-${i}`, span_id: `span-${i}` }),
  };
}

export const measurements: readonly Measurement[] = comparing(
  {
    title: 'a record',
    per: 'record',
    iterations: 100_000,
    rounds: 15,
    subjects: [
      recorded('CostTracker', () => new CostTracker()),
      recorded('CostTracker, each in a trace of its own', () => new CostTracker(), true),
    ],
    peer: recorded("the seed's way: a list", () => new EntryList()),
    note: 'The tracker checks the entry and adds it to seven breakdowns and to its minute; the list keeps it, and grows.',
  },
  {
    title: 'summary() of 100,000 records',
    per: 'summary',
    iterations: 5,
    rounds: 9,
    subjects: [summarised('CostTracker', () => new CostTracker(), 100_000)],
    peer: summarised("the seed's way: a list", () => new EntryList(), 100_000),
  },
  {
    title: 'a call on the bus',
    per: 'call',
    iterations: 20_000,
    rounds: 15,
    subjects: [
      priced('CostTracker, prices of genai-prices', () => new CostTracker()),
      priced(
        'CostTracker, prices of a table',
        () => new CostTracker({ prices: priceTable(TABLE) }),
      ),
    ],
    peer: priced('CostTracker, the answer has its cost', () => new CostTracker(), 0.001),
    note: 'llm_call and llm_response, taken by exportEvent.',
  },
);

const TABLE = { 'gpt-4o': { inputUsdPerMillion: 2.5, outputUsdPerMillion: 10 } };

type Tracker = Pick<EntryList, 'record'> & { summary: () => { entries: number } };

function recorded(name: string, make: () => Tracker, traced?: boolean): Subject {
  return {
    name,
    start: () => ({
      round(iterations) {
        const tracker = make();
        for (let i = 0; i < iterations; i++) tracker.record(entryOf(i, traced));
        return tracker.summary().entries;
      },
    }),
  };
}

function summarised(name: string, make: () => Tracker, records: number): Subject {
  return {
    name,
    start() {
      const tracker = make();
      for (let i = 0; i < records; i++) tracker.record(entryOf(i));
      return {
        round(iterations) {
          let done = 0;
          for (let i = 0; i < iterations; i++) if (tracker.summary().entries === records) done += 1;
          return done;
        },
      };
    },
  };
}

function priced(name: string, make: () => CostTracker, cost_usd?: number): Subject {
  return {
    name,
    start() {
      let events: TraceEvent[] = [];
      return {
        prepare(iterations) {
          events = Array.from({ length: iterations }, (_, i) => callOf(i, cost_usd)).flat();
        },
        round() {
          const tracker = make();
          for (const event of events) tracker.exportEvent(event);
          return tracker.summary().entries;
        },
      };
    },
  };
}

function callOf(i: number, cost_usd: number | undefined): TraceEvent[] {
  const ids = { trace_id: `trace-${i >> 4}`, span_id: `span-${i}` };
  const usage = { input_tokens: 500, output_tokens: 200 };
  return [
    createTraceEvent({
      event_type: 'llm_call',
      agent_name: 'bull',
      payload: { ...ids, provider: 'openai', model: 'gpt-4o' },
    }),
    createTraceEvent({
      event_type: 'llm_response',
      agent_name: 'bull',
      payload: { ...ids, response: 'Buy.', ...usage, cost_usd },
    }),
  ];
}
