import { escapeControls } from '@pyagent-trace/core';
import { diffWordsWithSpace } from 'diff';

/** One place where two values differ. */
export interface Difference {
  /** The keys and indices that lead there, joined by dots; empty for the whole value. */
  readonly path: string;
  /** `undefined` where the actual value has something more. */
  readonly expected: unknown;
  /** `undefined` where the actual value lacks something. */
  readonly actual: unknown;
}

const MAX_DIFFERENCES = 1_000;

/**
 * The places where plain data differs, in the order of the keys.
 *
 * @param ignore places that are not compared, such as `messages_in.*.id`; `*` is any key or index
 * @returns at most 1,000
 */
export function findDifferences(
  expected: unknown,
  actual: unknown,
  ignore: readonly string[] = [],
): Difference[] {
  const found: Difference[] = [];
  const ignored = ignore.map((path) => path.split('.'));
  compare([], expected, actual, found, ignored);
  return found;
}

function compare(
  path: readonly string[],
  expected: unknown,
  actual: unknown,
  found: Difference[],
  ignored: readonly (readonly string[])[],
): void {
  if (found.length === MAX_DIFFERENCES || Object.is(expected, actual)) return;
  if (ignored.some((pattern) => matches(pattern, path))) return;
  if (!isContainer(expected) || !isContainer(actual) || isList(expected) !== isList(actual)) {
    found.push({ path: path.join('.'), expected, actual });
    return;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)]))
    compare([...path, key], own(expected, key), own(actual, key), found, ignored);
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length && pattern.every((key, i) => key === '*' || key === path[i])
  );
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

function own(value: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Characters of a text that are compared word by word, and of a value that is shown. */
const MAX_COMPARED = 20_000;
const MAX_SHOWN = 300;
/** Characters around a change that are shown. */
const CONTEXT = 40;

/**
 * A difference on a line: what was removed as `[-old-]`, what was added as `{+new+}`. Has no control
 * characters, whatever the data has.
 */
export function formatDifference({ path, expected, actual }: Difference): string {
  const place = path === '' ? '' : `${cut(path)}: `;
  if (expected === undefined) return `${place}{+${shown(actual)}+}`;
  if (actual === undefined) return `${place}[-${shown(expected)}-]`;
  if (typeof expected !== 'string' || typeof actual !== 'string')
    return `${place}[-${shown(expected)}-]{+${shown(actual)}+}`;
  return place + changedWords(expected, actual);
}

function changedWords(expected: string, actual: string): string {
  // the search is quadratic in the number of changes: texts with nothing in common are shown as they are
  const changes =
    Math.max(expected.length, actual.length) > MAX_COMPARED
      ? undefined
      : diffWordsWithSpace(expected, actual, { maxEditLength: 200 });
  if (changes === undefined) return `[-${cut(expected)}-]{+${cut(actual)}+}`;
  return changes
    .map(({ value, added, removed }, i) => {
      if (removed) return `[-${cut(value)}-]`;
      if (added) return `{+${cut(value)}+}`;
      return escapeControls(around(value, i === 0, i === changes.length - 1));
    })
    .join('');
}

/** Of what is equal, only what stands beside a change. */
function around(text: string, isFirst: boolean, isLast: boolean): string {
  const start = isFirst ? '' : text.slice(0, CONTEXT);
  const end = isLast ? '' : text.slice(-CONTEXT);
  const kept = (isFirst ? 0 : CONTEXT) + (isLast ? 0 : CONTEXT);
  return text.length <= kept ? text : `${start}…${end}`;
}

function shown(value: unknown): string {
  return cut(JSON.stringify(value) ?? String(value));
}

function cut(text: string): string {
  return escapeControls(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
