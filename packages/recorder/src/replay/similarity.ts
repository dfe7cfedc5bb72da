// How much two texts have in common, from a few numbers per text: a question that was changed must be
// found among hundreds of thousands at once, and none of them is in memory.

/** Numbers per text. */
export const SKETCH_SIZE = 16;
/** Characters of a text that count, at either end. */
const SAMPLED = 16 * 1024;
const EMPTY = 0xff_ff_ff_ff;

/**
 * A sketch of a text: of its pairs of words, each in one of 16 buckets by its hash, the smallest hash of
 * each bucket. Two texts agree in as many buckets as they share pairs, about (one-permutation MinHash).
 */
export function sketchOf(text: string, sketch: Uint32Array, offset: number): void {
  sketch.fill(EMPTY, offset, offset + SKETCH_SIZE);
  let before = 0;
  eachWord(sampled(text), (word) => {
    const hash = scramble(Math.imul(before, 31) ^ word);
    const bucket = offset + (hash & (SKETCH_SIZE - 1));
    if (hash < (sketch[bucket] as number)) sketch[bucket] = hash;
    before = word;
  });
}

/** From 0 to 1. */
export function similarity(
  a: Uint32Array,
  aOffset: number,
  b: Uint32Array,
  bOffset: number,
): number {
  let filled = 0;
  let equal = 0;
  for (let i = 0; i < SKETCH_SIZE; i++) {
    const left = a[aOffset + i];
    const right = b[bOffset + i];
    if (left === EMPTY && right === EMPTY) continue;
    filled += 1;
    if (left === right) equal += 1;
  }
  return filled === 0 ? 1 : equal / filled;
}

/** The same from the texts themselves: the share of the words that both have. */
export function exactSimilarity(a: string, b: string): number {
  const counts = new Map<number, number>();
  let total = 0;
  let common = 0;
  eachWord(sampled(a), (word) => {
    total += 1;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  });
  eachWord(sampled(b), (word) => {
    total += 1;
    const left = counts.get(word) ?? 0;
    if (left === 0) return;
    common += 1;
    counts.set(word, left - 1);
  });
  return total === 0 ? 1 : (2 * common) / total;
}

function sampled(text: string): string {
  return text.length <= 2 * SAMPLED ? text : `${text.slice(0, SAMPLED)} ${text.slice(-SAMPLED)}`;
}

/** FNV-1a of each run of letters and digits. */
function eachWord(text: string, take: (word: number) => void): void {
  let hash = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isLetter =
      code > 127 ||
      (code > 47 && code < 58) ||
      (code > 64 && code < 91) ||
      (code > 96 && code < 123);
    if (isLetter) hash = Math.imul((hash || 0x811c9dc5) ^ code, 0x01000193);
    else if (hash !== 0) {
      take(hash);
      hash = 0;
    }
  }
  if (hash !== 0) take(hash);
}

/** Spreads a hash over all bits: FNV leaves those of short words alike. */
function scramble(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
