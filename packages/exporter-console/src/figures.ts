/** A count as people read it: `1,204`, from a hundred thousand `102k`, from a million `1.2M`. */
export function formatCount(count: number): string {
  const format = count < 100_000 ? exact : compact;
  return format.format(count).replace('K', 'k');
}

const exact = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact' });

/** `340 ms`, `1.2 s`, `2m 03s`, `1h 02m`. */
export function formatDuration(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  if (ms < 1000) return `${ms} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 3600) return `${Math.floor(total / 60)}m ${pad(total % 60)}s`;
  return `${Math.floor(total / 3600)}h ${pad(Math.floor((total % 3600) / 60))}m`;
}

/** US dollars with cents; below ten cents the first two digits that are not 0. */
export function formatUsd(usd: number): string {
  const format = usd >= 0.1 || usd === 0 ? cents : twoDigits;
  return `$${format.format(usd)}`;
}

const cents = new Intl.NumberFormat('en-US', {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const twoDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** A finite number, or `undefined` for everything else a payload may hold in its place. */
export function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
