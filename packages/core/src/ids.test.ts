import { afterEach, describe, expect, test, vi } from 'vitest';
import { newSpanId, newTraceId } from './ids.ts';

afterEach(() => void vi.restoreAllMocks());

describe.each([
  ['newTraceId', newTraceId, /^[0-9a-f]{32}$/],
  ['newSpanId', newSpanId, /^[0-9a-f]{16}$/],
] as const)('%s', (_name, newId, format) => {
  const ids = Array.from({ length: 20_000 }, () => newId());

  test('gives lower-case hex digits', () => {
    expect(ids.filter((id) => !format.test(id))).toEqual([]);
  });

  test('never gives the same twice', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('prefers no digit', () => {
    const counts = new Map<string, number>();
    for (const digit of ids.join('')) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    const expected = ids.join('').length / 16;

    expect(counts.size).toBe(16);
    // six standard deviations: a fair draw fails once in 30 million runs
    for (const count of counts.values())
      expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected));
  });

  test('does not give zeros alone, which mean "no id"', async () => {
    vi.resetModules();
    const filled: number[] = [];
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      (array as Uint8Array).fill(filled.length === 0 ? 0 : 0xab);
      filled.push(1);
      return array;
    });
    const fresh = await import('./ids.ts');
    const id = fresh[newId.name as 'newSpanId']();

    expect(id).toBe('ab'.repeat(id.length / 2));
    expect(filled).toHaveLength(2);
  });
});
