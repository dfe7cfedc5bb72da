import type { CostEntry } from './cost-entry.ts';

/** What calls used and cost together. */
export class Total {
  calls = 0;
  input_tokens = 0;
  output_tokens = 0;
  cache_read_tokens = 0;
  cache_creation_tokens = 0;
  reasoning_tokens = 0;
  /** Whether anything was added since a full breakdown looked for what it can do without. */
  active = true;
  #sum = 0;
  /** What rounding took from `#sum`. */
  #lost = 0;

  /** US dollars. */
  get cost_usd(): number {
    return this.#sum + this.#lost;
  }

  add(entry: CostEntry): void {
    this.calls += 1;
    this.#addUsage(entry);
    this.#addCost(entry.cost_usd);
    this.active = true;
  }

  addTotal(other: Total): void {
    this.calls += other.calls;
    this.#addUsage(other);
    this.#addCost(other.#sum);
    this.#addCost(other.#lost);
  }

  #addUsage(usage: Omit<CostEntry, 'model' | 'cost_usd'>): void {
    this.input_tokens += usage.input_tokens;
    this.output_tokens += usage.output_tokens;
    this.cache_read_tokens += usage.cache_read_tokens ?? 0;
    this.cache_creation_tokens += usage.cache_creation_tokens ?? 0;
    this.reasoning_tokens += usage.reasoning_tokens ?? 0;
  }

  /**
   * Neumaier's sum: rounding errors are summed beside. In the order in which calls come, a plain sum of
   * ten million would differ from the sum of its breakdown by more than 1e-12 of it.
   */
  #addCost(usd: number): void {
    const sum = this.#sum + usd;
    this.#lost += this.#sum >= usd ? this.#sum - sum + usd : usd - sum + this.#sum;
    this.#sum = sum;
  }
}
