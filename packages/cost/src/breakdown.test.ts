import { describe, expect, test } from 'vitest';
import { Breakdown } from './breakdown.ts';

const ENTRY = { model: 'm', input_tokens: 1, output_tokens: 1, cost_usd: 0.1 };

describe('Breakdown', () => {
  test('keeps 10,000 names; the ones that were long without a call go to (other)', () => {
    const breakdown = new Breakdown();
    for (let i = 0; i < 25_000; i++) {
      breakdown.add(`trace-${i}`, ENTRY);
      breakdown.add('busy', ENTRY);
    }
    const costs = breakdown.costs();
    expect(Object.keys(costs)).toHaveLength(10_001);
    expect(costs['busy']).toBeCloseTo(2_500, 9);
    expect(costs['trace-24999']).toBe(0.1);
    expect(costs['trace-0']).toBeUndefined();
    expect(costs['(other)']).toBeCloseTo(1_500.1, 9);
    const sum = Object.values(costs).reduce((all, usd) => all + usd, 0);
    expect(sum).toBeCloseTo(5_000, 8);
    const calls = Array.from(breakdown.rows(), ([, total]) => total.calls);
    expect(calls.reduce((all, count) => all + count, 0)).toBe(50_000);
  });

  test('a name that is called (other) shares its place with those', () => {
    const breakdown = new Breakdown();
    breakdown.add('(other)', ENTRY);
    for (let i = 0; i < 10_005; i++) breakdown.add(`trace-${i}`, ENTRY);
    const costs = breakdown.costs();
    expect(Object.keys(costs)).toHaveLength(10_000);
    expect(costs['(other)']).toBeCloseTo(0.1 * 7, 9);
  });
});
