import { calcPrice } from '@pydantic/genai-prices';
import { toProviderId } from './mapping/provider-id.ts';
import type { PriceSource } from './prices.ts';
import { problemOfUsage } from './usage.ts';

/**
 * The prices of `@pydantic/genai-prices`: those of the day of the call, tiers and cached tokens
 * included. A model without a provider has the price of the company that makes it; a provider that is
 * not listed has none, since a model is not everywhere as dear.
 */
export const genaiPrices: PriceSource = {
  price({ provider, model, usage, timestamp }) {
    const { input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens } = usage;
    if (input_tokens === undefined && output_tokens === undefined) return undefined;
    if (problemOfUsage(usage) !== undefined) return undefined;
    try {
      const calculation = calcPrice(
        {
          input_tokens: input_tokens ?? 0,
          output_tokens: output_tokens ?? 0,
          cache_read_tokens: cache_read_tokens ?? 0,
          cache_write_tokens: cache_creation_tokens ?? 0,
          output_reasoning_tokens: usage.reasoning_tokens ?? 0,
        },
        model,
        {
          ...(provider && { providerId: toProviderId(provider) }),
          ...(timestamp !== undefined && { timestamp: new Date(timestamp * 1000) }),
        },
      );
      return calculation?.total_price;
    } catch {
      return undefined; // a model whose listed prices do not go together, or a date that is none
    }
  },
};
