import { formatDifference, printable } from './difference.ts';
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
          `The runs differ first at ${clip(printable(first.place))}`,
          `  ${line(first)}`,
          '',
          `${count(differences.length + more, 'difference')} [-expected-]{+actual+}`,
          ...byPlace(shown),
          ...(rest > 0 ? [`and ${rest} more`] : []),
        ]),
    '',
    ...totals(diff.totals.expected, diff.totals.actual),
    ...warnings.slice(0, MAX_WARNINGS).map((warning) => clip(`warning: ${printable(warning)}`)),
  ].join('\n');
}

function byPlace(differences: readonly TraceDifference[]): string[] {
  let place: string | undefined;
  return differences.flatMap((difference) => {
    const isNew = difference.place !== place;
    place = difference.place;
    return [...(isNew ? [clip(printable(place))] : []), `  ${line(difference)}`];
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

const ROWS: readonly (readonly [string, (totals: RunTotals) => string])[] = [
  ['model calls', ({ llm_calls }) => String(llm_calls)],
  ['tool calls', ({ tool_calls }) => String(tool_calls)],
  ['failed', ({ failed }) => String(failed)],
  ['input tokens', ({ input_tokens }) => String(input_tokens)],
  ['output tokens', ({ output_tokens }) => String(output_tokens)],
  ['cost (USD)', ({ cost_usd }) => cost_usd.toFixed(6)],
  ['duration (ms)', ({ duration_ms }) => duration_ms.toFixed(0)],
];

function totals(expected: RunTotals, actual: RunTotals): string[] {
  const rows = [
    ['', 'expected', 'actual'],
    ...ROWS.map(([name, value]) => [name, value(expected), value(actual)]),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join('  ')
      .trimEnd(),
  );
}
