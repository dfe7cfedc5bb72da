import {
  type ExporterStats,
  messageOf,
  type TraceEvent,
  type TraceExporter,
} from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import { Bookkeeper } from './bookkeeper.ts';
import { type CostEntry, requireEntry } from './cost-entry.ts';
import { toCsv } from './csv.ts';
import { genaiPrices } from './genai-prices.ts';
import { type CostTrackerOptions, OptionsSchema } from './options.ts';
import { formatSummary } from './summary-table.ts';
import type { TimeBucket } from './time-buckets.ts';

/** Everything in one object. The first six keys are those of Python's `summary()`. */
export interface CostSummary {
  readonly total_cost_usd: number;
  /** Input and output. */
  readonly total_tokens: number;
  /** Calls that have a cost. */
  readonly entries: number;
  /** US dollars. */
  readonly by_pattern: Readonly<Record<string, number>>;
  readonly by_agent: Readonly<Record<string, number>>;
  readonly by_model: Readonly<Record<string, number>>;
  readonly by_provider: Readonly<Record<string, number>>;
  /** Calls without a price, by model. They are in no sum. */
  readonly unpriced: Readonly<Record<string, number>>;
}

/**
 * Sums what model calls cost. Attached to a bus it prices every call it hears of; what has a cost
 * already is counted as it is. Memory grows with the number of names, not of calls.
 *
 * @example
 * ```ts
 * const tracker = new CostTracker({ bus });
 * bus.attach(tracker);
 * // … the app runs …
 * console.log(tracker.formatSummary());
 * ```
 */
export class CostTracker implements TraceExporter {
  readonly name = 'cost';
  readonly #book: Bookkeeper;
  #delivered = 0;
  #failed = 0;
  #dropped = 0;
  #error: string | undefined;
  #shutdown: Promise<void> | undefined;

  /** @throws {TraceError} `invalid_option` */
  constructor(options: CostTrackerOptions = {}) {
    const { bus, prices, keepEntries } = parseOptions(OptionsSchema, options, 'CostTracker');
    this.#book = new Bookkeeper(bus, prices ?? genaiPrices, keepEntries);
  }

  /**
   * Counts a cost that the app knows, and emits a `cost_record` on the bus of the options. One for a
   * call that has a cost already does neither.
   *
   * @throws {TraceError} `invalid_event` when a count, the cost or a name is none
   */
  record(entry: CostEntry): void {
    requireEntry(entry);
    this.#book.record(entry);
  }

  /** US dollars. */
  get totalCost(): number {
    return this.#book.totals.all.cost_usd;
  }

  /** Input and output. */
  get totalTokens(): number {
    const { input_tokens, output_tokens } = this.#book.totals.all;
    return input_tokens + output_tokens;
  }

  /** Every cost in the order it came, with `keepEntries`; else none. */
  get entries(): readonly CostEntry[] {
    return this.#book.entries;
  }

  /** US dollars by pattern, as everything below. Ten thousand names; what is beyond is `(other)`. */
  byPattern(): Record<string, number> {
    return this.#book.totals.by.pattern.costs();
  }

  byAgent(): Record<string, number> {
    return this.#book.totals.by.agent.costs();
  }

  byModel(): Record<string, number> {
    return this.#book.totals.by.model.costs();
  }

  byProvider(): Record<string, number> {
    return this.#book.totals.by.provider.costs();
  }

  bySession(): Record<string, number> {
    return this.#book.totals.by.session.costs();
  }

  byUser(): Record<string, number> {
    return this.#book.totals.by.user.costs();
  }

  /** A call without a `trace_id` is in the trace of its pattern's name. */
  byTrace(): Record<string, number> {
    return this.#book.totals.by.trace.costs();
  }

  /**
   * By time, the oldest first; stretches without a call are left out. What is older than 10,000 minutes
   * in which calls were made is kept by the hour, then by the day: a shorter bucket has all of that hour.
   *
   * @param bucketSeconds a multiple of 60
   * @throws {TraceError} `invalid_option`
   */
  byTime(bucketSeconds: number): TimeBucket[] {
    return this.#book.totals.time.read(bucketSeconds);
  }

  summary(): CostSummary {
    return {
      total_cost_usd: this.totalCost,
      total_tokens: this.totalTokens,
      entries: this.#book.totals.all.calls,
      by_pattern: this.byPattern(),
      by_agent: this.byAgent(),
      by_model: this.byModel(),
      by_provider: this.byProvider(),
      unpriced: Object.fromEntries(this.#book.totals.unpriced),
    };
  }

  /** A table for people: totals, patterns, agents and models, the dearest first. */
  formatSummary(): string {
    return formatSummary(this.#book.totals);
  }

  /** All breakdowns but the one by time, as CSV (RFC 4180). */
  toCsv(): string {
    return toCsv(this.#book.totals);
  }

  readonly exportEvent = (event: TraceEvent): void => {
    if (this.#shutdown !== undefined) {
      this.#dropped += 1;
      this.#error = 'an event came after shutdown';
      return;
    }
    try {
      this.#book.take(event);
      this.#delivered += 1;
    } catch (error) {
      this.#failed += 1;
      this.#error = messageOf(error);
    }
  };

  /** Nothing waits: resolves at once. */
  async flush(): Promise<void> {}

  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.flush());
  }

  /** Where nothing else is wrong, `error` tells of the newest call without a price. */
  stats(): ExporterStats {
    const error = this.#error ?? this.#book.problem;
    return {
      accepted: this.#delivered + this.#failed,
      dropped: this.#dropped,
      delivered: this.#delivered,
      failed: this.#failed,
      pending: 0,
      ...(error !== undefined && { error }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
