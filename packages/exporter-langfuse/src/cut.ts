// Cuts data to a size and leaves it valid: each part gets a fair share, so that of forty messages one that
// is too long is cut, and not the thirty-nine others.

/** What is cut to less than this says nothing any more; then whole parts are left out. */
const MIN_SHARE_BYTES = 64;
/** Room for a marker. */
const MARKER_BYTES = 48;

type Sizes = Map<object, number>;

/** Plain data, cut so that as JSON in UTF-8 it has no more than so many bytes. */
export function cutToBytes(value: unknown, maxBytes: number): unknown {
  return cut(value, maxBytes, new Map());
}

function cut(value: unknown, maxBytes: number, sizes: Sizes): unknown {
  if (sizeOf(value, sizes) <= maxBytes) return value;
  if (typeof value === 'string') return cutText(value, maxBytes);
  if (typeof value !== 'object' || value === null) return value; // no number is that long
  return Array.isArray(value)
    ? cutItems(value, maxBytes, sizes)
    : cutFields(Object.entries(value), maxBytes, sizes);
}

function cutItems(items: readonly unknown[], maxBytes: number, sizes: Sizes): unknown[] {
  const room = maxBytes - 2 - MARKER_BYTES;
  const whole = items.map((item) => sizeOf(item, sizes) + 1);
  const share = shareOf(whole, room);
  const kept = share >= MIN_SHARE_BYTES ? items.length : fitting(whole, room);
  const result = items
    .slice(0, kept)
    .map((item) => (kept === items.length ? cut(item, share - 1, sizes) : item));
  if (kept < items.length) result.push(`[Truncated: ${items.length - kept} more items]`);
  return result;
}

function cutFields(
  fields: readonly (readonly [string, unknown])[],
  maxBytes: number,
  sizes: Sizes,
): Record<string, unknown> {
  const room = maxBytes - 2 - MARKER_BYTES;
  const names = fields.map(([name]) => sizeOfText(name) + 2);
  const whole = fields.map(([, item], index) => sizeOf(item, sizes) + (names[index] ?? 0));
  const share = shareOf(whole, room);
  const longestName = names.reduce((longest, bytes) => Math.max(longest, bytes), 0);
  const kept = share - longestName >= MIN_SHARE_BYTES ? fields.length : fitting(whole, room);
  // no prototype: a key may be called __proto__
  const result = Object.create(null) as Record<string, unknown>;
  for (const [index, [name, item]] of fields.slice(0, kept).entries())
    result[name] = kept === fields.length ? cut(item, share - (names[index] ?? 0), sizes) : item;
  if (kept < fields.length) result['[Truncated]'] = `${fields.length - kept} more keys`;
  return result;
}

/** How many bytes each part may have for all to fit: the small ones leave their rest to the large ones. */
function shareOf(sizes: readonly number[], room: number): number {
  let left = room;
  const ascending = sizes.toSorted((a, b) => a - b);
  for (const [index, size] of ascending.entries()) {
    const share = left / (ascending.length - index);
    if (size > share) return Math.floor(share);
    left -= size;
  }
  return Infinity;
}

/** How many parts fit as they are, from the first on. */
function fitting(sizes: readonly number[], room: number): number {
  let left = room;
  const kept = sizes.findIndex((size) => (left -= size) < 0);
  return kept === -1 ? sizes.length : kept;
}

function cutText(text: string, maxBytes: number): string {
  let end = Math.min(text.length, Math.max(0, maxBytes - MARKER_BYTES));
  let start = cutToLength(text, end);
  for (let bytes; (bytes = sizeOfText(start)) > maxBytes - MARKER_BYTES && end > 0;) {
    end = Math.max(0, Math.min(end - 1, Math.floor((end * (maxBytes - MARKER_BYTES)) / bytes)));
    start = cutToLength(text, end);
  }
  return `${start}[Truncated: ${text.length - start.length} more characters]`;
}

/** The first characters of a text; half a surrogate pair is no character. */
export function cutToLength(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** Bytes of plain data as JSON. */
function sizeOf(value: unknown, sizes: Sizes): number {
  if (typeof value === 'string') return sizeOfText(value);
  if (typeof value !== 'object' || value === null) return String(value).length;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += sizeOf(item, sizes) + 1;
  else
    for (const [name, item] of Object.entries(value))
      bytes += sizeOfText(name) + 2 + sizeOf(item, sizes);
  sizes.set(value, bytes);
  return bytes;
}

function sizeOfText(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
