import { describe, expect, test } from 'vitest';
import { canonicalHash, canonicalJson } from './canonical.ts';

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('canonicalJson', () => {
  test('orders keys at every level, and leaves the order of lists', () => {
    expect(canonicalJson({ b: [2, 1, { d: 1, c: 2 }], a: null })).toBe(
      '{"a":null,"b":[2,1,{"c":2,"d":1}]}',
    );
  });

  test('takes white space as one space', () => {
    expect(canonicalJson({ text: '  Buy\r\n\tor   sell? \n' })).toBe('{"text":"Buy or sell?"}');
  });

  test('takes JSON in a text as data, and tells it from the data itself', () => {
    const inText = canonicalJson({ arguments: '{"b": 1, "a": [1, 2]}' });

    expect(inText).toBe(canonicalJson({ arguments: '{"a":[1,2],"b":1}' }));
    expect(inText).not.toBe(canonicalJson({ arguments: { a: [1, 2], b: 1 } }));
    expect(canonicalJson('{not JSON')).toBe('"{not JSON"');
  });

  test('takes JSON in a text as text where it is nested deep, however deep the call is', () => {
    for (const levels of [200, 3_000, 100_000])
      expect(canonicalJson(deep(levels)).startsWith('"[[[')).toBe(true);
    expect(canonicalJson(deep(50))).toBe(`{"json":${deep(50)}}`);
  });

  test('tells numbers apart that JavaScript does not', () => {
    expect(canonicalJson('[1e400]')).not.toBe(canonicalJson('[2e400]'));
    expect(canonicalJson('[10000000000000001]')).not.toBe(canonicalJson('[10000000000000000]'));
  });

  test('leaves out what is undefined, as JSON does', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(canonicalJson(undefined)).toBe('null');
  });

  test('keeps __proto__ as a key', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":1,"a":2}'))).toBe('{"__proto__":1,"a":2}');
  });
});

describe('canonicalHash', () => {
  test('is equal for values that are written differently, and else differs', () => {
    expect(canonicalHash({ a: 1, b: 'x y' })).toBe(canonicalHash({ b: 'x\ny', a: 1 }));
    expect(canonicalHash({ a: 1 })).not.toBe(canonicalHash({ a: '1' }));
    expect(canonicalHash({ a: 1 })).toMatch(/^[0-9a-f]{64}$/);
  });
});
