import { describe, expect, test } from 'vitest';
import { priceTable } from './price-table.ts';

const TABLE = {
  'gpt-4o': { inputUsdPerMillion: 2, outputUsdPerMillion: 10, cacheReadUsdPerMillion: 1 },
  'azure/gpt-4o': { inputUsdPerMillion: 3, outputUsdPerMillion: 11 },
};
const USAGE = { input_tokens: 1_000_000, output_tokens: 100_000 };

describe('priceTable', () => {
  test('prices a model, and a model of a provider before it', () => {
    const prices = priceTable(TABLE);
    expect(prices.price({ model: 'gpt-4o', usage: USAGE })).toBe(3);
    expect(prices.price({ provider: 'openai', model: 'gpt-4o', usage: USAGE })).toBe(3);
    expect(prices.price({ provider: 'azure', model: 'gpt-4o', usage: USAGE })).toBe(4.1);
  });

  test('prices cached and reasoning tokens for themselves where it lists them', () => {
    const usage = { ...USAGE, cache_read_tokens: 500_000, cache_creation_tokens: 100_000 };
    expect(priceTable(TABLE).price({ model: 'gpt-4o', usage })).toBe(0.8 + 0.5 + 0.2 + 1);
    const all = priceTable({
      m: {
        inputUsdPerMillion: 1,
        outputUsdPerMillion: 10,
        cacheReadUsdPerMillion: 0.1,
        cacheCreationUsdPerMillion: 2,
        reasoningUsdPerMillion: 20,
      },
    });
    const call = { model: 'm', usage: { ...usage, reasoning_tokens: 50_000 } };
    expect(all.price(call)).toBeCloseTo(0.4 + 0.05 + 0.2 + 0.5 + 1, 12);
  });

  test('has no price for what it does not list, unless a fallback has', () => {
    const call = { model: 'mine', usage: USAGE };
    expect(priceTable(TABLE).price(call)).toBeUndefined();
    expect(priceTable(TABLE, { price: () => 42 }).price(call)).toBe(42);
    expect(priceTable(TABLE).price({ model: '__proto__', usage: USAGE })).toBeUndefined();
  });

  test('has no price without counts, or with counts that cannot be right', () => {
    expect(price({})).toBeUndefined();
    expect(price({ input_tokens: Number.NaN })).toBeUndefined();
    expect(price({ input_tokens: 5, cache_read_tokens: 6 })).toBeUndefined();
    expect(price({ input_tokens: 0 })).toBe(0);
  });

  test('refuses a wrong table at once, naming the place', () => {
    expect(table({ inputUsdPerMillion: 1 })).toThrow('priceTable: m.outputUsdPerMillion: expected');
    expect(table({ inputUsdPerMillion: -1, outputUsdPerMillion: 1 })).toThrow(
      'priceTable: m.inputUsdPerMillion',
    );
    expect(table({ inputUsdPerMillion: 1, outputUsdPerMillion: 1, input: 1 })).toThrow(
      'unknown option "input"',
    );
  });

  test('is not changed by what happens to the table later', () => {
    const own = { m: { inputUsdPerMillion: 1, outputUsdPerMillion: 1 } };
    const prices = priceTable(own);
    own.m.inputUsdPerMillion = 5;
    expect(prices.price({ model: 'm', usage: { input_tokens: 1e6 } })).toBe(1);
  });
});

function price(usage: object): number | undefined {
  return priceTable(TABLE).price({ model: 'gpt-4o', usage });
}

function table(entry: object): () => unknown {
  return () => priceTable({ m: entry } as never);
}
