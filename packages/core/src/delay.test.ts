import { describe, expect, test } from 'vitest';
import { toDelayMs } from './delay.ts';

describe('toDelayMs', () => {
  test('leaves a delay as it is, and makes one of everything else', () => {
    expect([1.5, 2 ** 31 - 1, 2 ** 31, Infinity, 0, -1, Number.NaN].map(toDelayMs)).toEqual([
      1.5,
      2 ** 31 - 1,
      2 ** 31 - 1,
      2 ** 31 - 1,
      0,
      0,
      0,
    ]);
  });
});
