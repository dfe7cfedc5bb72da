import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kindOf, kindsOf } from './kinds.ts';
import { PAYLOAD_SHAPES } from './payload-schemas.ts';

const schemas = Object.values(PAYLOAD_SHAPES).flatMap((shape) => Object.values(shape));

describe('kindsOf', () => {
  test('names kinds of which zod takes every value', () => {
    const value = fc.oneof(
      fc.anything({ withDate: true, withMap: true, withBigInt: true, withSparseArray: true }),
      fc.double(),
      fc.maxSafeInteger(),
    );
    let settled = 0;
    fc.assert(
      fc.property(fc.constantFrom(...schemas), value, (schema, item) => {
        if ((kindsOf(schema) & kindOf(item)) === 0) return;
        settled += 1;
        expect(schema.safeParse(item).success).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(settled).toBeGreaterThan(100);
  });

  test('settles nearly all that payloads hold', () => {
    const { model, input_tokens, cost_usd, messages_in, metadata, stream, response, result } =
      PAYLOAD_SHAPES.llm_call;
    const values: [(typeof schemas)[number], unknown][] = [
      [model, 'gpt-4o'],
      [response, null],
      [input_tokens, 12],
      [cost_usd, 0.5],
      [cost_usd, 0],
      [messages_in, [{ role: 'user', content: 'Hi' }]],
      [metadata, { a: 1 }],
      [stream, true],
      [result, ['anything']],
    ];

    for (const [schema, value] of values) expect(kindsOf(schema) & kindOf(value)).not.toBe(0);
    expect(kindsOf(input_tokens) & kindOf(-1)).toBe(0);
  });
});
