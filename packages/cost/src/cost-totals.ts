import { Breakdown, MAX_NAMES, OTHER } from './breakdown.ts';
import type { CostEntry } from './cost-entry.ts';
import { TimeBuckets } from './time-buckets.ts';
import { Total } from './total.ts';

/** What calls are summed by. */
export const DIMENSIONS = [
  'pattern',
  'agent',
  'model',
  'provider',
  'session',
  'user',
  'trace',
] as const;

export type Dimension = (typeof DIMENSIONS)[number];

/** Sums of entries, and counts of calls that have no price. Keeps no entry. */
export class CostTotals {
  readonly all = new Total();
  readonly by: Readonly<Record<Dimension, Breakdown>> = {
    pattern: new Breakdown(),
    agent: new Breakdown(),
    model: new Breakdown(),
    provider: new Breakdown(),
    session: new Breakdown(),
    user: new Breakdown(),
    trace: new Breakdown(),
  };
  readonly time = new TimeBuckets();
  /** Calls by model. A Map: `__proto__` is a name like any other. */
  readonly unpriced = new Map<string, number>();

  add(entry: CostEntry, timestamp: number): void {
    const { by } = this;
    const { pattern_type = '' } = entry;
    this.all.add(entry);
    by.pattern.add(pattern_type, entry);
    by.agent.add(entry.agent_name ?? '', entry);
    by.model.add(entry.model, entry);
    by.provider.add(entry.provider ?? '', entry);
    by.session.add(entry.session_id ?? '', entry);
    by.user.add(entry.user_id ?? '', entry);
    // without an id the pattern is the trace, as everywhere
    by.trace.add(entry.trace_id ?? pattern_type, entry);
    this.time.add(timestamp, entry);
  }

  /** @param calls -1 takes back a call whose cost came late */
  addUnpriced(model: string, calls: 1 | -1): void {
    const { unpriced } = this;
    const isBeyond = !unpriced.has(model) && unpriced.size >= MAX_NAMES;
    const name = isBeyond ? OTHER : model;
    const count = (unpriced.get(name) ?? 0) + calls;
    if (count > 0) unpriced.set(name, count);
    else unpriced.delete(name);
  }
}
