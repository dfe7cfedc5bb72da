import { createHash } from 'node:crypto';
import { toPlainData } from '@pyagent-trace/core';

/**
 * A value as JSON that says what is meant and not how it is written: keys in order, runs of white space in
 * texts as one space, and JSON within a text (the arguments of a tool call) as the data it stands for.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(toPlainData(value), canonicalText, 0)) ?? 'null';
}

/** A value as JSON with its keys in order, and its texts as they are. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(sorted(toPlainData(value), (text) => text, 0)) ?? 'null';
}

/** SHA-256 of the canonical JSON, 64 hex digits. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** Levels of nesting: more than plain data has. What is deeper, within a text, is text. */
const MAX_LEVELS = 150;

/** @throws RangeError where the value is nested too deep */
function sorted(value: unknown, ofText: (text: string) => unknown, level: number): unknown {
  if (typeof value === 'string') return ofText(value);
  if (level > MAX_LEVELS) throw new RangeError('nested too deep');
  if (Array.isArray(value)) return value.map((item) => sorted(item, ofText, level + 1));
  if (typeof value !== 'object' || value === null) return value;
  // own keys only: an assignment to __proto__ would set the prototype
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item, ofText, level + 1)]),
  );
}

function canonicalText(text: string): unknown {
  const trimmed = text.trim();
  // a number that JavaScript does not keep would be taken for its neighbour
  if (/^[{[]/.test(trimmed) && !/\d{16}|\de[+-]?\d{3}/i.test(trimmed)) {
    try {
      return { json: sorted(JSON.parse(trimmed), canonicalText, 0) };
    } catch {
      // a text that only begins like JSON, or is nested too deep
    }
  }
  return trimmed.replace(/\s+/g, ' ');
}
