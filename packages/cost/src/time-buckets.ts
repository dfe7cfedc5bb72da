import { TraceError } from '@pyagent-trace/core';
import type { CostEntry } from './cost-entry.ts';
import { Total } from './total.ts';

/** What the calls of one stretch of time cost. */
export interface TimeBucket {
  /** Unix seconds at which the stretch begins. */
  readonly timestamp: number;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** US dollars. */
  readonly cost_usd: number;
}

const MINUTE = 60;
/** In seconds; each a multiple of the one before. */
const RESOLUTIONS = [MINUTE, 60 * MINUTE, 24 * 60 * MINUTE] as const;
/** A week of minutes, a year of hours. Days are as many as there are. */
const MAX_BUCKETS = 10_000;

/** Totals by time: by the minute, what is older by the hour, what is older still by the day. */
export class TimeBuckets {
  readonly #levels = RESOLUTIONS.map(() => new Map<number, Total>());

  add(timestamp: number, entry: CostEntry): void {
    this.#bucket(0, timestamp).add(entry);
  }

  /** @throws {TraceError} `invalid_option` */
  read(bucketSeconds: number): TimeBucket[] {
    if (
      !Number.isSafeInteger(bucketSeconds) ||
      bucketSeconds < MINUTE ||
      bucketSeconds % MINUTE > 0
    )
      throw new TraceError(
        'invalid_option',
        `byTime: expected a multiple of ${MINUTE} seconds, got ${String(bucketSeconds)}`,
      );
    const buckets = new Map<number, Total>();
    for (const level of this.#levels)
      for (const [start, total] of level) totalAt(buckets, start, bucketSeconds).addTotal(total);
    return [...buckets]
      .toSorted(([a], [b]) => a - b)
      .map(([timestamp, { calls, input_tokens, output_tokens, cost_usd }]) => ({
        timestamp,
        calls,
        input_tokens,
        output_tokens,
        cost_usd,
      }));
  }

  #bucket(level: number, timestamp: number): Total {
    const buckets = this.#levels[level] as Map<number, Total>;
    const total = totalAt(buckets, timestamp, RESOLUTIONS[level] as number);
    if (buckets.size > MAX_BUCKETS && level + 1 < RESOLUTIONS.length) this.#evict(level, buckets);
    return total;
  }

  #evict(level: number, buckets: Map<number, Total>): void {
    for (const [start, total] of buckets) {
      buckets.delete(start);
      this.#bucket(level + 1, start).addTotal(total);
      return;
    }
  }
}

function totalAt(buckets: Map<number, Total>, timestamp: number, seconds: number): Total {
  const start = Math.floor(timestamp / seconds) * seconds;
  let total = buckets.get(start);
  if (total === undefined) {
    total = new Total();
    buckets.set(start, total);
  }
  return total;
}
