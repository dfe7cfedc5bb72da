import { describe, expect, test } from 'vitest';
import { exactSimilarity, similarity, SKETCH_SIZE, sketchOf } from './similarity.ts';

function alike(a: string, b: string): number {
  const sketches = new Uint32Array(2 * SKETCH_SIZE);
  sketchOf(a, sketches, 0);
  sketchOf(b, sketches, SKETCH_SIZE);
  return similarity(sketches, 0, sketches, SKETCH_SIZE);
}

const text = Array.from({ length: 400 }, (_, i) => `word${(i * 37) % 101}`).join(' ');

describe('similarity', () => {
  test('is 1 of what is the same, high of what has one other word, low of what shares nothing', () => {
    expect(alike(text, text)).toBe(1);
    expect(alike(text, text.replace('word37 ', 'other '))).toBeGreaterThan(0.7);
    expect(alike(text, text.replaceAll('word', 'thing'))).toBeLessThan(0.2);
    expect(alike('', '')).toBe(1);
  });

  test('looks at both ends of what is long', () => {
    const middle = ' x'.repeat(100_000);
    expect(
      alike(`${middle} ${text}`, `${middle} ${text.replaceAll('word', 'thing')}`),
    ).toBeLessThan(0.3);
    expect(
      alike(`${text} ${middle}`, `${text.replaceAll('word', 'thing')} ${middle}`),
    ).toBeLessThan(0.3);
  });
});

describe('exactSimilarity', () => {
  test('is the share of words that both have', () => {
    expect(exactSimilarity('a b c d', 'd c b x')).toBe(0.75);
    expect(exactSimilarity('', '')).toBe(1);
    expect(exactSimilarity('a a', 'a')).toBeCloseTo(2 / 3);
  });
});
