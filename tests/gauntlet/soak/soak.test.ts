// The short form; `pnpm gauntlet soak` takes half an hour, and judges memory too.
import { describe, expect, test } from 'vitest';
import { problemsOf } from './judge.ts';
import { memoryOf } from './memory.ts';
import type { Sample } from './plan.ts';
import { soak } from './soak.ts';

const SECONDS = 5;
const EVENTS_PER_SECOND = 2_000;
const MB = 1024 * 1024;

describe.skipIf(process.platform === 'win32')('soak (skipped on Windows)', () => {
  test(
    'all exporters at once lose nothing, and their destinations count the same',
    { timeout: 120_000 },
    async () => {
      const result = await soak(SECONDS, EVENTS_PER_SECOND);

      expect([...problemsOf(result)]).toEqual([]);
      expect(result.report.conversations).toBeGreaterThan(100);
    },
  );
});

describe('memoryOf', () => {
  test.each([
    ['flat', () => 0, []],
    ['growing by 10 MB', (share: number) => 10 * MB * share, ['the heap grew by 9.0 MB']],
    ['growing before a tenth is over', (share: number) => (share < 0.1 ? 0 : 50 * MB), []],
    ['noisy', (_: number, index: number) => (index % 2) * 5 * MB, []],
  ])('judges a heap that is %s', (_, heapOf, problems) => {
    const samples = Array.from({ length: 101 }, (__, index): Sample => {
      const heapBytes = 50 * MB + heapOf(index / 100, index);
      return { atSeconds: index * 18, heapBytes, rssBytes: 300 * MB };
    });
    expect(memoryOf(samples, 1_800).problems).toEqual(problems);
  });
});
