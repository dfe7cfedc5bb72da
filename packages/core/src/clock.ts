// The only caller of Date and performance, so that a test which replaces them replaces all time here.

/** A monotonic clock falls behind the wall clock when a laptop sleeps; past this it is set again. */
const MAX_DRIFT_MS = 100;

/** Reading the wall clock costs as much as reading the other one; once in this time is enough. */
const CHECK_EVERY_MS = 1;

let originMs = performance.timeOrigin;
let checkedAtMs = -Infinity;

/**
 * Unix seconds with microseconds, the unit of every timestamp on the wire.
 *
 * `Date.now()` alone has milliseconds only, and two events of one call would often be equal.
 *
 * @param atMs a reading of `monotonicMs` of just now, where one is there already
 */
export function nowSeconds(atMs: number = performance.now()): number {
  const sinceMs = atMs - checkedAtMs;
  if (sinceMs >= CHECK_EVERY_MS || sinceMs < 0) {
    checkedAtMs = atMs;
    const driftMs = Date.now() - (originMs + atMs);
    if (driftMs > MAX_DRIFT_MS || driftMs < -MAX_DRIFT_MS) originMs += driftMs;
  }
  return Math.round((originMs + atMs) * 1000) / 1e6;
}

/** Milliseconds from an arbitrary start; never goes backwards. For durations. */
export function monotonicMs(): number {
  return performance.now();
}
