const numbers = new Intl.NumberFormat('en-US');
const twoDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });

/** `1,204`. */
export function formatCount(count: number): string {
  return numbers.format(count);
}

/** `340 ms`, `1.2 s`, `2m 03s`. */
export function formatDuration(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  if (ms < 1000) return `${ms} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`;
}

/** US dollars with cents; below ten cents the first two digits that are not 0. */
export function formatUsd(usd: number): string {
  return `$${usd >= 0.1 || usd === 0 ? usd.toFixed(2) : twoDigits.format(usd)}`;
}

/** A finite number, or `undefined` for everything else a payload may hold in its place. */
export function numberIn(value: unknown): number | undefined {
  return Number.isFinite(value) ? (value as number) : undefined;
}
