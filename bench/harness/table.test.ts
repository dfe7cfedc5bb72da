import { describe, expect, test } from 'vitest';
import { spreadOf } from './spread.ts';
import { factor, kilobytes, markdown, timeOf } from './table.ts';

describe('markdown', () => {
  test('writes the note, the table and what was measured', () => {
    const text = markdown({
      title: 'reading',
      note: 'A note.',
      head: ['', 'per line'],
      rows: [['ours', '1 µs']],
      foot: '3 rounds of 2.',
    });
    expect(text).toBe(
      [
        '### reading',
        '',
        'A note.',
        '',
        '|  | per line |',
        '| --- | --- |',
        '| ours | 1 µs |',
        '',
        '3 rounds of 2.',
        '',
      ].join('\n'),
    );
  });
});

describe('factor', () => {
  test.each([
    [26.691, '26.69'],
    [0.5, '0.50'],
    [0.0026, '0.0026'],
    [0.0000123, '0.000012'],
  ])('writes %d as %s: a small one keeps two digits', (value, text) => {
    expect(factor(value)).toBe(text);
  });
});

describe('timeOf', () => {
  test.each([
    [{ median: 0.3704, min: 0.25, max: 1 }, '0.370 ns (0.250 – 1.00)'],
    [{ median: 999, min: 12.345, max: 1234.5 }, '999 ns (12.3 – 1235)'],
    [{ median: 1500, min: 1000, max: 2000 }, '1.50 µs (1.00 – 2.00)'],
    [{ median: 8.56e6, min: 6.98e6, max: 12e6 }, '8.56 ms (6.98 – 12.0)'],
  ])('gives all three in the unit of the median: %o', (spread, text) => {
    expect(timeOf(spread)).toBe(text);
  });
});

describe('kilobytes', () => {
  test('counts 1,024 bytes', () => {
    expect([kilobytes(6554), kilobytes(112_640)]).toEqual(['6.40 kB', '110 kB']);
  });
});

describe('spreadOf', () => {
  test('takes the middle of an odd number of values', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  });

  test('takes the mean of the two in the middle of an even number', () => {
    expect(spreadOf([4, 10, 2, 1])).toEqual({ median: 3, min: 1, max: 10 });
  });
});
