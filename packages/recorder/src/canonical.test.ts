import { describe, expect, test } from 'vitest';
import { canonicalHash, canonicalJson } from './canonical.ts';

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
