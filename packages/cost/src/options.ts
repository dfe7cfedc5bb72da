import type { EventSink } from '@pyagent-trace/core';
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
  bus: z.custom<EventSink>(hasMethod('emit'), 'expected an object with emit()').optional(),
  prices: z.custom<PriceSource>(hasMethod('price'), 'expected an object with price()').optional(),
  keepEntries: z.boolean().default(false),
});

function hasMethod(name: string): (value: unknown) => boolean {
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function';
}
