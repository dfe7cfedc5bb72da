import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costOf, usageOf } from './usage.ts';

describe('usageOf', () => {
  test('takes cached tokens out of input, and reasoning out of output', () => {
    expect(
      usageOf({
        input_tokens: 100,
        cache_read_tokens: 40,
        cache_creation_tokens: 10,
        output_tokens: 20,
        reasoning_tokens: 5,
      }),
    ).toEqual({
      input: 50,
      output: 15,
      input_cache_read: 40,
      input_cache_creation: 10,
      output_reasoning: 5,
      total: 120,
    });
  });

  test('says nothing of what is not known', () => {
    expect(usageOf({ output_tokens: 3 })).toEqual({ output: 3, total: 3 });
    expect(usageOf({ model: 'm' })).toBeUndefined();
  });

  test('has the rest of a whole of which only a part is known: none', () => {
    expect(usageOf({ cache_read_tokens: 3, reasoning_tokens: 2 })).toEqual({
      input: 0,
      output: 0,
      input_cache_read: 3,
      output_reasoning: 2,
      total: 5,
    });
  });

  test.for([-1, 1.5, '12', null, NaN, 2 ** 60])(
    'leaves out what is no count: %s',
    (input_tokens) => {
      expect(usageOf({ input_tokens, output_tokens: 1 })).toEqual({ output: 1, total: 1 });
    },
  );

  test('has buckets that add up to the total, whatever the counts', () => {
    const tokens = fc.option(fc.nat(1e6), { nil: undefined });
    const counts = fc.record({
      input_tokens: tokens,
      cache_read_tokens: tokens,
      cache_creation_tokens: tokens,
      output_tokens: tokens,
      reasoning_tokens: tokens,
    });
    fc.assert(
      fc.property(counts, (attributes) => {
        const { total = 0, ...buckets } = usageOf(attributes) ?? {};
        const sizes = Object.values(buckets);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(total);
        expect(Math.min(0, ...sizes)).toBe(0);
      }),
    );
  });
});

describe('costOf', () => {
  test('is an amount of dollars or nothing', () => {
    expect([0.5, 0, -1, NaN, '1', null].map((cost_usd) => costOf({ cost_usd }))).toEqual(
      [0.5, 0].concat(Array.from({ length: 4 })),
    );
  });
});
