import type { HrTime } from '@opentelemetry/api';

/**
 * Unix seconds as OpenTelemetry takes them, with the microseconds exact.
 *
 * Never a number: an SDK reads a small one as time since the process began, and any as milliseconds.
 */
export function hrTime(seconds: number): HrTime {
  const micros = Math.round(seconds * 1e6);
  const whole = Math.floor(micros / 1e6);
  return [whole, (micros - whole * 1e6) * 1000];
}
