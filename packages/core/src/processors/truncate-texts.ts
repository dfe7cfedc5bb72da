import { define } from '../plain.ts';
import { MAX_BYTES_PER_CHARACTER, startOf, writtenBytes } from './written-bytes.ts';

/** A value that was cut: where it is in the payload, and its size before. */
export interface Cut {
  readonly path: string;
  readonly bytes: number;
}

/** A text is not cut below this, so that there is room to say how much is missing. */
const MIN_TEXT_BYTES = 64;
const MARKER_BYTES = 40;

/** Ids and statuses. A longer one is neither. */
const FIXED_KEY = /(?:^|_)id$|^(?:traceparent|status)$/;
const MAX_FIXED_CHARACTERS = 256;

const MAX_NUMBER_BYTES = 25;
/** Quotes, colon, comma. */
const ENTRY_BYTES = 4;

/** No less than what plain data takes up as JSON; Infinity if one of its texts may be over the limit. */
export function roughBytes(value: unknown, maxTextBytes: number): number {
  if (typeof value === 'string') {
    const bytes = value.length * MAX_BYTES_PER_CHARACTER;
    return bytes > maxTextBytes ? Infinity : bytes + ENTRY_BYTES;
  }
  if (typeof value !== 'object' || value === null) return MAX_NUMBER_BYTES;
  let bytes = ENTRY_BYTES;
  if (Array.isArray(value)) {
    for (const item of value) bytes += roughBytes(item, maxTextBytes) + 1;
    return bytes;
  }
  for (const [key, item] of Object.entries(value))
    bytes += key.length * MAX_BYTES_PER_CHARACTER + ENTRY_BYTES + roughBytes(item, maxTextBytes);
  return bytes;
}

/** The sizes of the texts in plain data that may be cut. */
export function textSizes(value: unknown, key = '', sizes: number[] = []): number[] {
  if (typeof value === 'string') {
    if (!isFixed(key, value)) sizes.push(writtenBytes(value));
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) textSizes(item, name, sizes);
  }
  return sizes;
}

/** The size that no text may exceed, so that all together take no more than so many bytes. */
export function limitFor(sizes: readonly number[], maxBytes: number): number {
  let left = maxBytes;
  let count = sizes.length;
  for (const size of sizes.toSorted((a, b) => a - b)) {
    if (size * count > left) return Math.max(MIN_TEXT_BYTES, Math.floor(left / count));
    left -= size;
    count -= 1;
  }
  return Infinity;
}

/** Plain data with its texts cut to a size. The same value, if none is over it. */
export function cutTexts(
  value: unknown,
  maxBytes: number,
  cuts: Cut[],
  key = '',
  path = '',
): unknown {
  if (typeof value === 'string') {
    if (value.length * MAX_BYTES_PER_CHARACTER <= maxBytes || isFixed(key, value)) return value;
    const bytes = writtenBytes(value);
    if (bytes <= maxBytes) return value;
    cuts.push({ path, bytes });
    const start = startOf(value, maxBytes - MARKER_BYTES);
    return `${start}[Truncated: ${value.length - start.length} more characters]`;
  }
  if (typeof value !== 'object' || value === null) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, item] of Object.entries(value)) {
    const next = cutTexts(item, maxBytes, cuts, name, path === '' ? name : `${path}.${name}`);
    if (Object.is(next, item)) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    define(copy, name, next);
  }
  return copy ?? value;
}

function isFixed(key: string, text: string): boolean {
  return text.length <= MAX_FIXED_CHARACTERS && FIXED_KEY.test(key);
}
