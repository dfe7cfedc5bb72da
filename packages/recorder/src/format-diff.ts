import { escapeControls } from '@pyagent-trace/core';
import { formatDifference } from './difference.ts';
import type { RunTotals, TraceDiff, TraceDifference } from './diff/types.ts';

const MAX_SHOWN = 40;
const MAX_LINE = 800;
const MAX_WARNINGS = 5;

/**
 * The comparison as text: the first difference, all of them by operation, then the totals. `[-expected-]`
 * stands before `{+actual+}`. At most 40 differences and no control characters, whatever the runs hold.
 */
export function formatDiff(diff: TraceDiff): string {
  const { first, differences, more, warnings } = diff;
  const shown = differences.slice(0, MAX_SHOWN);
  const rest = differences.length - shown.length + more;
  return [
    ...(first === undefined
      ? ['The runs are equal.']
      : [
          `The runs differ first at ${clip(escapeControls(first.place))}`,
          `  ${line(first)}`,
          '',
          `${count(differences.length + more, 'difference')} [-expected-]{+actual+}`,
          ...byPlace(shown),
          ...(rest > 0 ? [`and ${rest} more`] : []),
        ]),
    '',
    ...totals(diff.totals.expected, diff.totals.actual),
    ...warnings
      .slice(0, MAX_WARNINGS)
      .map((warning) => clip(`warning: ${escapeControls(warning)}`)),
  ].join('\n');
}

function byPlace(differences: readonly TraceDifference[]): string[] {
  let place: string | undefined;
  return differences.flatMap((difference) => {
    const isNew = difference.place !== place;
    place = difference.place;
    return [...(isNew ? [clip(escapeControls(place))] : []), `  ${line(difference)}`];
  });
}

function line(difference: TraceDifference): string {
  const { what, expected, actual } = difference;
  if (what === 'order')
    return `order: expected as number ${String(expected)}, is number ${String(actual)}`;
  return clip(`${what} ${formatDifference(difference)}`);
}

function clip(text: string): string {
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

const ROWS: readonly (readonly [name: string, valueOf: (totals: RunTotals) => string])[] = [
  ['model calls', ({ llm_calls }) => `${llm_calls}`],
  ['tool calls', ({ tool_calls }) => `${tool_calls}`],
  ['failed', ({ failed }) => `${failed}`],
  ['input tokens', ({ input_tokens }) => `${input_tokens}`],
  ['output tokens', ({ output_tokens }) => `${output_tokens}`],
  ['cost', ({ cost_usd }) => (cost_usd === 0 ? 'none told' : `$${cost_usd.toFixed(6)}`)],
  ['duration', ({ duration_ms }) => `${duration_ms.toFixed(0)} ms`],
];

function totals(expected: RunTotals, actual: RunTotals): string[] {
  const width = Math.max(...ROWS.map(([name]) => name.length));
  return ROWS.map(
    ([name, valueOf]) => `${name.padEnd(width)}  ${valueOf(expected)} → ${valueOf(actual)}`,
  );
}
