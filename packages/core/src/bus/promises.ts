import { toDelayMs } from '../delay.ts';

/** Whether `await` would wait for the value. Never throws. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return (
      ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      typeof (value as { then?: unknown }).then === 'function'
    );
  } catch {
    return false;
  }
}

/** Keeps the rejection of a promise that nobody awaits from ending the process. */
export async function ignoreRejection(promise: PromiseLike<unknown>): Promise<void> {
  try {
    await promise;
  } catch {
    // that it came to nothing is told elsewhere
  }
}

/**
 * Waits for a promise, but no longer than the time given. Keeps the process alive meanwhile: somebody
 * awaits the answer. Never rejects.
 *
 * @returns what went wrong, or `undefined`
 */
export async function within(
  promise: PromiseLike<unknown>,
  timeoutMs: number,
): Promise<{ readonly timedOut: boolean; readonly error: unknown } | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => resolve({ timedOut: true, error: undefined }),
      toDelayMs(timeoutMs),
    );
    const settle = (outcome?: { timedOut: boolean; error: unknown }): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    void outcomeOf(promise).then(settle);
  });
}

async function outcomeOf(
  promise: PromiseLike<unknown>,
): Promise<{ timedOut: boolean; error: unknown } | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return { timedOut: false, error };
  }
}
