import { describe, expect, test } from 'vitest';
import { type Growth, grow, toTable } from './grow.ts';
import type { Spread } from './spread.ts';

describe('grow', () => {
  test('runs every size and fails one that cannot show its items', async () => {
    const seen: number[] = [];
    const growth = {
      ...GROWTH,
      start: () => ({ run: (items: number) => seen.push(items) && items }),
    };
    const rows = await grow(growth, [50_000, 100_000]);
    expect(rows.map(({ items }) => items)).toEqual([50_000, 100_000]);
    expect(seen).toEqual([100_000, 50_000, 50_000, 100_000]);

    const lazy = { ...GROWTH, start: () => ({ run: () => 7 }) };
    await expect(grow(lazy, [8])).rejects.toThrow('more runs: did 7 of 8');
  });
});

describe('toTable', () => {
  const rows = [
    { items: 10, ns: ns(100), heap: 1e5 },
    { items: 100, ns: ns(50), heap: 3e6 },
    { items: 1000, ns: ns(160), heap: 3.9e6 },
  ];

  test('holds the most against the fewest in time and against the size before in memory', () => {
    expect(toTable(GROWTH, rows).rows).toEqual([
      ['10', '100 ns (100 – 100)', '1', '0.10 MB', ''],
      ['100', '50.0 ns (50.0 – 50.0)', '0.50 ×', '3.00 MB', ''],
      [
        '1,000',
        '160 ns (160 – 160)',
        '1.60 ×',
        '3.90 MB',
        'time per item at most 1.5 × that of the fewest: **missed**; heap at most 1 MB above that of 100: met. It copies.',
      ],
    ]);
  });

  test('holds the heap per item against that of fewer where it may grow with them', () => {
    const cells = [45e6, 46e6].map((heap) => {
      const last = { items: 1000, ns: ns(100), heap };
      return toTable({ ...GROWTH, heap: 'linear' }, [...rows.slice(0, 2), last]).rows[2]?.[4];
    });
    const demand = 'heap per item at most 1.5 × that of 100';
    expect(cells).toEqual([
      `time per item at most 1.5 × that of the fewest: met; ${demand}: met`,
      `time per item at most 1.5 × that of the fewest: met; ${demand}: **missed**. It copies.`,
    ]);
  });
});

function ns(median: number): Spread {
  return { median, min: median, max: median };
}

const GROWTH: Growth = {
  title: 'more runs',
  per: 'run',
  sizes: [],
  heap: 'flat',
  note: 'A note.',
  remains: 'It copies.',
  start: () => ({ run: (items) => items }),
};
