import { parseOptions } from '@pyagent-trace/core/schema';
import * as z from 'zod';
import type { PricedCall, PriceSource } from './prices.ts';
import { problemOfUsage } from './usage.ts';

/** What a million tokens cost, in US dollars. */
export interface ModelPrice {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
  /** @default inputUsdPerMillion */
  readonly cacheReadUsdPerMillion?: number;
  /** @default inputUsdPerMillion */
  readonly cacheCreationUsdPerMillion?: number;
  /** @default outputUsdPerMillion */
  readonly reasoningUsdPerMillion?: number;
}

const Price = z.number().nonnegative();

const TableSchema = z.record(
  z.string(),
  z.strictObject({
    inputUsdPerMillion: Price,
    outputUsdPerMillion: Price,
    cacheReadUsdPerMillion: Price.optional(),
    cacheCreationUsdPerMillion: Price.optional(),
    reasoningUsdPerMillion: Price.optional(),
  }),
);

/**
 * Prices of your own.
 *
 * @param table by `model`, or by `provider/model`, which goes before
 * @param fallback asked for what the table does not list; without it, that has no price
 * @throws {TraceError} `invalid_option`
 *
 * @example
 * ```ts
 * const prices = priceTable(
 *   { 'my-model': { inputUsdPerMillion: 0.5, outputUsdPerMillion: 1.5 } },
 *   genaiPrices,
 * );
 * ```
 */
export function priceTable(
  table: Readonly<Record<string, ModelPrice>>,
  fallback?: PriceSource,
): PriceSource {
  parseOptions(TableSchema, table, 'priceTable');
  const prices = new Map(Object.entries(table).map(([name, price]) => [name, { ...price }]));
  return {
    price(call) {
      const { provider, model } = call;
      const price = prices.get(`${provider}/${model}`) ?? prices.get(model);
      return price === undefined ? fallback?.price(call) : priceOf(call, price);
    },
  };
}

function priceOf({ usage }: PricedCall, price: ModelPrice): number | undefined {
  const { input_tokens, output_tokens } = usage;
  if (input_tokens === undefined && output_tokens === undefined) return undefined;
  if (problemOfUsage(usage) !== undefined) return undefined;
  const { cache_read_tokens = 0, cache_creation_tokens = 0, reasoning_tokens = 0 } = usage;
  const { inputUsdPerMillion, outputUsdPerMillion } = price;
  const { cacheReadUsdPerMillion = inputUsdPerMillion } = price;
  const { cacheCreationUsdPerMillion = inputUsdPerMillion } = price;
  const { reasoningUsdPerMillion = outputUsdPerMillion } = price;
  const plainInput = (input_tokens ?? 0) - cache_read_tokens - cache_creation_tokens;
  const plainOutput = (output_tokens ?? 0) - reasoning_tokens;
  return (
    (plainInput * inputUsdPerMillion +
      cache_read_tokens * cacheReadUsdPerMillion +
      cache_creation_tokens * cacheCreationUsdPerMillion +
      plainOutput * outputUsdPerMillion +
      reasoning_tokens * reasoningUsdPerMillion) /
    1e6
  );
}
