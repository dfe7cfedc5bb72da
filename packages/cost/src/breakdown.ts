import type { CostEntry } from './cost-entry.ts';
import { Total } from './total.ts';

/**
 * A name takes 300 bytes or so. Agents and models are few; sessions, users and traces are without end,
 * and so are the names that a program makes up for each run.
 */
export const MAX_NAMES = 10_000;

/** Where names beyond the bound are summed. */
export const OTHER = '(other)';

/** Totals by name, of 10,000 names at most: one that was long without a call goes to `(other)`. */
export class Breakdown {
  /** A Map: `__proto__` is a name like any other. */
  readonly #totals = new Map<string, Total>();
  /** Stands at the oldest; starting anew it would pass all that was deleted since the last rehash. */
  readonly #order = this.#totals.entries();

  add(name: string, entry: CostEntry): void {
    let total = this.#totals.get(name);
    if (total === undefined) {
      total = new Total();
      this.#totals.set(name, total);
      if (this.#totals.size > MAX_NAMES) this.#evict();
    }
    total.add(entry);
  }

  rows(): IterableIterator<[name: string, total: Total]> {
    return this.#totals.entries();
  }

  /** US dollars by name, in the order in which the names came. */
  costs(): Record<string, number> {
    return Object.fromEntries(Array.from(this.#totals, ([name, total]) => [name, total.cost_usd]));
  }

  /** The oldest name goes, except that one with a call since the last time gets another round. */
  #evict(): void {
    const other = this.#totals.get(OTHER) ?? new Total();
    this.#totals.set(OTHER, other);
    // ends: what is active now is not when it comes round again
    for (;;) {
      const [name, total] = this.#order.next().value as [string, Total];
      if (total === other) continue;
      this.#totals.delete(name);
      if (!total.active) {
        other.addTotal(total);
        return;
      }
      total.active = false;
      this.#totals.set(name, total);
    }
  }
}
