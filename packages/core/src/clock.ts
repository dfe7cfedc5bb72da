// The only caller of Date and performance, so that a test which replaces them replaces all time here.

/** A monotonic clock falls behind the wall clock when a laptop sleeps; past this it is set again. */
const MAX_DRIFT_MS = 100;

let originMs = performance.timeOrigin;

/**
 * Unix seconds with microseconds, the unit of every timestamp on the wire.
 *
 * `Date.now()` alone has milliseconds only, and two events of one call would often be equal.
 */
export function nowSeconds(): number {
  const wallMs = Date.now();
  let nowMs = originMs + performance.now();
  const driftMs = wallMs - nowMs;
  if (driftMs > MAX_DRIFT_MS || driftMs < -MAX_DRIFT_MS) {
    originMs += driftMs;
    nowMs = wallMs;
  }
  return Math.round(nowMs * 1000) / 1e6;
}

/** Milliseconds from an arbitrary start; never goes backwards. For durations. */
export function monotonicMs(): number {
  return performance.now();
}
