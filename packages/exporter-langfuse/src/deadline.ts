import { toDelayMs } from '@pyagent-trace/core';

/**
 * Does work with a signal that aborts when the given one does, and with a `TimeoutError` when time is up. The timer goes with
 * the work: that of `AbortSignal.timeout` keeps a process of Deno alive until it rings.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  timeoutMs: number,
  fn: (end: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new DOMException(`not done within ${timeoutMs} ms`, 'TimeoutError')),
    toDelayMs(timeoutMs),
  ).unref();
  try {
    return await fn(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
