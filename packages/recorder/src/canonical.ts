import { createHash } from 'node:crypto';
import { toPlainData } from '@pyagent-trace/core';

/**
 * A value as JSON that says what is meant and not how it is written: keys in order, runs of white space in
 * texts as one space, and JSON within a text (the arguments of a tool call) as the data it stands for.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(toPlainData(value), canonicalText)) ?? 'null';
}

/** A value as JSON with its keys in order, and its texts as they are. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(sorted(toPlainData(value), (text) => text)) ?? 'null';
}

/** SHA-256 of the canonical JSON, 64 hex digits. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function sorted(value: unknown, ofText: (text: string) => unknown): unknown {
  if (typeof value === 'string') return ofText(value);
  if (Array.isArray(value)) return value.map((item) => sorted(item, ofText));
  if (typeof value !== 'object' || value === null) return value;
  // own keys only: an assignment to __proto__ would set the prototype
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item, ofText)]),
  );
}

function canonicalText(text: string): unknown {
  const trimmed = text.trim();
  // a number of more digits than JavaScript keeps would be taken for its neighbour
  if (/^[{[]/.test(trimmed) && !/\d{16}/.test(trimmed)) {
    try {
      return { json: sorted(JSON.parse(trimmed), canonicalText) };
    } catch {
      // a text that only begins like JSON
    }
  }
  return trimmed.replace(/\s+/g, ' ');
}
