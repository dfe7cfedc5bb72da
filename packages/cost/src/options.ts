import type { EventSink } from '@pyagent-trace/core';
import { objectWith } from '@pyagent-trace/core/schema';
import * as z from 'zod';
import type { PriceSource } from './prices.ts';

export interface CostTrackerOptions {
  /**
   * Where a `cost_record` is emitted for each cost that is found.
   *
   * @default none is emitted
   */
  readonly bus?: EventSink;
  /** @default genaiPrices */
  readonly prices?: PriceSource;
  /**
   * Keeps every cost, for `entries`. Memory then grows with the number of calls.
   *
   * @default false
   */
  readonly keepEntries?: boolean;
}

export const OptionsSchema = z.strictObject({
  bus: objectWith<EventSink>('emit').optional(),
  prices: objectWith<PriceSource>('price').optional(),
  keepEntries: z.boolean().default(false),
});
