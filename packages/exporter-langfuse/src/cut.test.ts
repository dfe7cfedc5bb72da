import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutToBytes, cutToLength } from './cut.ts';

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('cutToBytes', () => {
  test('leaves alone what is small enough', () => {
    const value = { a: [1, 'two', null, true] };
    expect(cutToBytes(value, 100)).toBe(value);
  });

  test('cuts what is too long, and leaves its neighbours whole', () => {
    const messages = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'x'.repeat(5_000) },
      { role: 'user', content: 'Go on.' },
    ];
    const cut = cutToBytes(messages, 1_000) as typeof messages;
    expect(cut[0]).toEqual(messages[0]);
    expect(cut[2]).toEqual(messages[2]);
    expect(cut[1]?.content).toMatch(/^x{500,}\[Truncated: \d{4} more characters\]$/);
    expect(bytesOf(cut)).toBeLessThanOrEqual(1_000);
  });

  test('leaves out items and keys where there are too many to cut each', () => {
    expect(
      cutToBytes(
        Array.from({ length: 10_000 }, (_, i) => i),
        100,
      ),
    ).toEqual([...Array.from({ length: 20 }, (_, i) => i), '[Truncated: 9980 more items]']);
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, i]));
    expect(cutToBytes(fields, 100)).toEqual({
      key0: 0,
      key1: 1,
      key2: 2,
      key3: 3,
      key4: 4,
      '[Truncated]': '95 more keys',
    });
  });

  test('keeps a key called __proto__ a key', () => {
    const value: unknown = JSON.parse(`{"__proto__":{"a":1},"b":"${'x'.repeat(500)}"}`);
    expect(JSON.stringify(cutToBytes(value, 300))).toMatch(
      /^\{"__proto__":\{"a":1\},"b":"x+\[Trunc/,
    );
  });

  test('makes valid JSON of no more bytes than asked for, of any data', () => {
    const data = fc.jsonValue({ depthSize: 'medium', stringUnit: 'binary' });
    fc.assert(
      fc.property(data, fc.integer({ min: 150, max: 5_000 }), (value, maxBytes) => {
        const wide = { value, again: [value, value], text: JSON.stringify(value).repeat(3) };
        const cut = cutToBytes(wide, maxBytes);
        expect(bytesOf(cut)).toBeLessThanOrEqual(maxBytes);
        expect(() => encodeURIComponent(JSON.stringify(cut))).not.toThrow();
      }),
    );
  });
});

describe('cutToLength', () => {
  test('cuts between characters', () => {
    expect(cutToLength('ab😀', 3)).toBe('ab');
    expect(cutToLength('ab😀', 4)).toBe('ab😀');
  });
});
