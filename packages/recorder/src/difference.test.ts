import { describe, expect, test } from 'vitest';
import { findDifferences, formatDifference } from './difference.ts';

describe('findDifferences', () => {
  test('names the place, what was expected and what is there', () => {
    const expected = { model: 'a', messages_in: [{ role: 'user', content: 'Buy?' }], seed: 1 };
    const actual = { model: 'a', messages_in: [{ role: 'user', content: 'Sell?' }], top_p: 1 };

    expect(findDifferences(expected, actual)).toEqual([
      { path: 'messages_in.0.content', expected: 'Buy?', actual: 'Sell?' },
      { path: 'seed', expected: 1, actual: undefined },
      { path: 'top_p', expected: undefined, actual: 1 },
    ]);
  });

  test('leaves out the places that are ignored, with * for any key', () => {
    const differences = findDifferences(
      { id: 1, list: [{ id: 1, text: 'a' }] },
      { id: 2, list: [{ id: 2, text: 'b' }] },
      ['id', 'list.*.id'],
    );

    expect(differences).toEqual([{ path: 'list.0.text', expected: 'a', actual: 'b' }]);
  });

  test('tells a list from an object, and null from nothing', () => {
    expect(findDifferences([], {})).toEqual([{ path: '', expected: [], actual: {} }]);
    expect(findDifferences({ a: null }, {})).toEqual([
      { path: 'a', expected: null, actual: undefined },
    ]);
  });

  test('stops at 1,000', () => {
    expect(findDifferences(Array(5_000).fill(1), Array(5_000).fill(2))).toHaveLength(1_000);
  });
});

function sentence(word: string): string {
  return `${'so '.repeat(50)}buy ${word} today${' ok'.repeat(50)}`;
}

describe('formatDifference', () => {
  test('marks the words that changed, with what stands around them', () => {
    expect(
      formatDifference({ path: 'content', expected: sentence('gold'), actual: sentence('silver') }),
    ).toBe(
      'content: …so so so so so so so so so so so so buy [-gold-]{+silver+} today ok ok ok ok ok ok ok ok ok ok ok …',
    );
  });

  test('shows what is missing and what is more', () => {
    expect(formatDifference({ path: 'seed', expected: 1, actual: undefined })).toBe('seed: [-1-]');
    expect(formatDifference({ path: 'seed', expected: undefined, actual: [1] })).toBe(
      'seed: {+[1]+}',
    );
    expect(formatDifference({ path: '', expected: 1, actual: '1' })).toBe('[-1-]{+"1"+}');
  });

  test('sends no control characters to a terminal', () => {
    const text = formatDifference({ path: 'a\u001b', expected: '\u001b[2Jx', actual: 'y\u202e\n' });

    expect(text).toMatch(/^[\x20-\x7e]*$/);
  });

  test('shows texts that are large, or have nothing in common, without comparing their words', () => {
    const large = formatDifference({
      path: '',
      expected: 'a '.repeat(1e6),
      actual: 'b '.repeat(1e6),
    });
    expect(large.length).toBeLessThan(1_000);
    expect(large).toMatch(/^\[-a a .*…-\]\{\+b b .*…\+\}$/);
  });
});
