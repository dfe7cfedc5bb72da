import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Alarm } from './alarm.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Alarm', () => {
  test('rings once, at the time it was armed for first', () => {
    const ring = vi.fn<() => void>();
    const alarm = new Alarm(ring);
    alarm.arm(100);
    alarm.arm(10);
    vi.advanceTimersByTime(99);
    expect(ring).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(ring).toHaveBeenCalledOnce();
    alarm.arm(10);
    vi.advanceTimersByTime(10);
    expect(ring).toHaveBeenCalledTimes(2);
  });

  test('leaves no timer when it is stopped', () => {
    const alarm = new Alarm(() => {});
    alarm.arm(100);
    alarm.stop();
    alarm.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not keep the process alive', () => {
    vi.useRealTimers();
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const alarm = new Alarm(() => {});
    alarm.arm(100);
    expect(setTimer.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([
      false,
    ]);
    alarm.stop();
    setTimer.mockRestore();
  });
});
