import { describe, expect, test } from 'vitest';
import { formatCount, formatDuration, formatUsd, numberIn } from './figures.ts';

describe('formatCount', () => {
  test('groups digits', () => {
    expect([0, 999, 1204, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,204', '1,234,567']);
  });
});

describe('formatDuration', () => {
  test('changes the unit with the size, and never says 1000 ms or 60 s', () => {
    expect([0, 0.34, 0.9994, 0.9996, 1.23, 59.94, 59.96, 123, 3720].map(formatDuration)).toEqual([
      '0 ms',
      '340 ms',
      '999 ms',
      '1.0 s',
      '1.2 s',
      '59.9 s',
      '1m 00s',
      '2m 03s',
      '62m 00s',
    ]);
  });
});

describe('formatUsd', () => {
  test('has cents, and below ten cents two digits that say something', () => {
    expect([0, 0.000394, 0.0000123, 0.0234, 0.1, 0.5, 1, 12.345].map(formatUsd)).toEqual([
      '$0.00',
      '$0.00039',
      '$0.000012',
      '$0.023',
      '$0.10',
      '$0.50',
      '$1.00',
      '$12.35',
    ]);
  });
});

describe('numberIn', () => {
  test('knows a number from what a payload may hold in its place', () => {
    expect([12, Number.NaN, Infinity, '12', null, {}].map(numberIn)).toEqual([
      12,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
