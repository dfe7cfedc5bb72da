import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { benches } from './benches.ts';
import { compare, spread, type Subject } from './harness.ts';
import { table } from './report.ts';

const built = existsSync(new URL('../packages/core/dist/index.js', import.meta.url));

/** Whole triples, so that every bench can be run so short. */
const ITERATIONS = 60;

describe('benches', () => {
  for (const [bench, comparisons] of Object.entries(benches))
    for (const comparison of comparisons)
      test.skipIf(bench === 'imports' && !built)(
        `${bench}: ${comparison.title}: every subject does what it is timed for${bench === 'imports' ? ' (skipped unless core is built)' : ''}`,
        async () => {
          const iterations = Math.min(comparison.iterations, ITERATIONS);
          const { rows } = await compare({ ...comparison, iterations, rounds: 1 });
          const { subjects, peer } = comparison;
          expect(rows.map(({ name }) => name)).toEqual([...subjects, peer].map(({ name }) => name));
          for (const { ns } of rows) expect(ns.median).toBeGreaterThan(0);
        },
      );
});

describe('compare', () => {
  test('runs the subjects in turn and times no warm-up round', async () => {
    const order: string[] = [];
    const { rows } = await compare({
      title: 'order',
      per: 'call',
      iterations: 2,
      rounds: 2,
      subjects: [fake('a', 30, order)],
      peer: fake('b', 60, order),
    });
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b']);
    expect(rows).toEqual([
      {
        name: 'a',
        ns: { median: 15e6, min: 15e6, max: 15e6 },
        ratio: { median: 0.5, min: 0.5, max: 0.5 },
        goal: undefined,
      },
      { name: 'b', ns: { median: 30e6, min: 30e6, max: 30e6 } },
    ]);
  });

  test('fails a subject that cannot show the work it is timed for', async () => {
    const lazy: Subject = { name: 'lazy', start: () => ({ round: () => 1 }) };
    await expect(
      compare({ title: '', per: '', iterations: 2, rounds: 1, subjects: [], peer: lazy }),
    ).rejects.toThrow('lazy: did 1 of 2 iterations');
  });
});

describe('spread', () => {
  test('takes the middle of an odd number of values', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  });

  test('takes the mean of the two in the middle of an even number', () => {
    expect(spread([4, 10, 2, 1])).toEqual({ median: 3, min: 1, max: 10 });
  });
});

describe('table', () => {
  test('says which goal was met and which was missed', () => {
    const ns = { median: 1500, min: 1000, max: 2000 };
    const ratio = { median: 1.5, min: 1, max: 2 };
    const text = table({
      title: 'reading',
      per: 'line',
      iterations: 1000,
      rounds: 3,
      note: 'A note.',
      rows: [
        { name: 'ours', ns, ratio, goal: 2 },
        { name: 'ours, safe', ns, ratio, goal: 1.25 },
        { name: 'theirs', ns: { median: 999, min: 12.345, max: 1234.5 } },
      ],
    });
    expect(text).toBe(
      [
        '### reading',
        '',
        'A note.',
        '',
        '|  | per line | by its peer | goal |',
        '| --- | --- | --- | --- |',
        '| ours | 1.50 µs (1.00 – 2.00) | 1.50 × (1.00 – 2.00) | at most 2 ×: met |',
        '| ours, safe | 1.50 µs (1.00 – 2.00) | 1.50 × (1.00 – 2.00) | at most 1.25 ×: **missed** |',
        '| theirs | 999 ns (12.3 – 1235) | 1 (the peer) |  |',
        '',
        '3 rounds of 1,000.',
        '',
      ].join('\n'),
    );
  });
});

/** Takes a hundred times as long in the two rounds that warm up. */
function fake(name: string, elapsedMs: number, order: string[]): Subject {
  return {
    name,
    start() {
      let rounds = 0;
      return {
        round(iterations) {
          rounds += 1;
          order.push(name);
          return iterations;
        },
        elapsedMs: () => (rounds > 2 ? elapsedMs : 100 * elapsedMs),
      };
    },
  };
}
