import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { monotonicMs, nowSeconds } from './clock.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');

describe('nowSeconds', () => {
  let wallMs: number;
  let runMs: number;

  beforeEach(() => {
    wallMs = NOON;
    runMs = 1_000;
    vi.spyOn(Date, 'now').mockImplementation(() => wallMs);
    vi.spyOn(performance, 'now').mockImplementation(() => runMs);
    nowSeconds(); // sets the clock to the wall
    runMs += 1;
    wallMs += 1;
  });
  afterEach(() => void vi.restoreAllMocks());

  test('is Unix seconds', () => {
    expect(nowSeconds()).toBe(NOON / 1000 + 0.001);
  });

  test('has microseconds, which the wall clock has not', () => {
    runMs += 0.001;

    expect(nowSeconds()).toBe(1772366400.001001);
    runMs += 0.0012;
    expect(nowSeconds()).toBe(1772366400.001002);
  });

  test('does not follow a small step of the wall clock, and so never goes back', () => {
    runMs += 10;
    wallMs -= 50;

    expect(nowSeconds()).toBe(1772366400.011);
  });

  test.each([
    ['a sleep', 3_600_000],
    ['a correction back', -86_400_000],
  ])('is set to the wall clock after %s', (_name, stepMs) => {
    wallMs += stepMs;
    runMs += 1;
    expect(nowSeconds()).toBe(wallMs / 1000);

    runMs += 5.5;
    wallMs += 5;
    expect(nowSeconds()).toBe(wallMs / 1000 + 0.0005);
  });
});

describe('nowSeconds and monotonicMs', () => {
  test('agree: a reading given gives its own time', () => {
    const atMs = monotonicMs();
    expect(nowSeconds(atMs + 0.25) - nowSeconds(atMs)).toBeCloseTo(0.00025, 6);
  });
});

describe('monotonicMs', () => {
  test('does not care for the wall clock', () => {
    vi.spyOn(performance, 'now').mockReturnValue(12.5);
    vi.spyOn(Date, 'now').mockReturnValue(0);

    expect(monotonicMs()).toBe(12.5);
    vi.restoreAllMocks();
  });
});
