const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * A delay that `setTimeout` keeps: of what is longer than 24.8 days, negative or no number it makes one of 1 ms,
 * and warns.
 */
export function toDelayMs(ms: number): number {
  return ms > 0 ? Math.min(ms, MAX_DELAY_MS) : 0;
}
