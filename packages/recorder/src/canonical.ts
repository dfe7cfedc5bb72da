import { createHash } from 'node:crypto';
import { toPlainData } from '@pyagent-trace/core';

/**
 * A value as JSON that says what is meant and not how it is written: keys in order, runs of white space in
 * texts as one space, and JSON within a text (the arguments of a tool call) as the data it stands for.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(toPlainData(value)), undefined, 0) ?? 'null';
}

/** SHA-256 of the canonical JSON, 64 hex digits. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonical(value: unknown): unknown {
  if (typeof value === 'string') return canonicalText(value);
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  // own keys only: an assignment to __proto__ would set the prototype
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, canonical(item)]),
  );
}

function canonicalText(text: string): unknown {
  const trimmed = text.trim();
  if (/^[{[]/.test(trimmed)) {
    try {
      return { json: canonical(JSON.parse(trimmed)) };
    } catch {
      // a text that only begins like JSON
    }
  }
  return trimmed.replace(/\s+/g, ' ');
}
