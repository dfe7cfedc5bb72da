import { describe, expect, test } from 'vitest';
import { hrTime } from './time.ts';

describe('hrTime', () => {
  test.each([
    [1_763_803_065.123457, [1_763_803_065, 123_457_000]],
    [1_735_689_600, [1_735_689_600, 0]],
    [1_735_689_600.000001, [1_735_689_600, 1000]],
    [1_735_689_599.9999998, [1_735_689_600, 0]],
    [1.5, [1, 500_000_000]],
    [0, [0, 0]],
  ])('%d s keeps its microseconds', (seconds, expected) => {
    expect(hrTime(seconds)).toEqual(expected);
  });
});
