import { describe, expect, test } from 'vitest';
import { TimeBuckets } from './time-buckets.ts';

const ENTRY = { model: 'm', input_tokens: 1, output_tokens: 2, cost_usd: 0.5 };

describe('TimeBuckets', () => {
  test('sums by the bucket asked for, the oldest first', () => {
    const buckets = new TimeBuckets();
    for (const timestamp of [3_700, 59.9, 61, 0]) buckets.add(timestamp, ENTRY);
    const bucket = { calls: 1, input_tokens: 1, output_tokens: 2, cost_usd: 0.5 };
    const two = { calls: 2, input_tokens: 2, output_tokens: 4, cost_usd: 1 };
    expect(buckets.read(60)).toEqual([
      { timestamp: 0, ...two },
      { timestamp: 60, ...bucket },
      { timestamp: 3_660, ...bucket },
    ]);
    expect(buckets.read(86_400)).toEqual([
      { timestamp: 0, calls: 4, input_tokens: 4, output_tokens: 8, cost_usd: 2 },
    ]);
  });

  test('keeps 10,000 minutes, 10,000 hours before them and days before those', () => {
    const buckets = new TimeBuckets();
    const hours = 12_000;
    for (let hour = 0; hour < hours; hour++) buckets.add(hour * 3_600 + 1_800, ENTRY);
    for (let minute = 0; minute < 10_000; minute++) buckets.add(hours * 3_600 + minute * 60, ENTRY);
    const read = buckets.read(60);
    // 12,000 hours of which the first 2,000 are 84 days
    expect(read).toHaveLength(84 + 10_000 + 10_000);
    expect(read[0]).toMatchObject({ timestamp: 0, calls: 24 });
    expect(read[84]).toMatchObject({ timestamp: 2_000 * 3_600, calls: 1 });
    expect(read.at(-1)).toMatchObject({ timestamp: hours * 3_600 + 9_999 * 60, calls: 1 });
    expect(read.reduce((sum, { calls }) => sum + calls, 0)).toBe(22_000);
  });

  test('refuses a bucket that is no multiple of a minute', () => {
    for (const seconds of [0, -60, 90, 59, Number.NaN, '60'])
      expect(() => new TimeBuckets().read(seconds as number)).toThrow(
        `byTime: expected a multiple of 60 seconds, got ${seconds}`,
      );
  });
});
