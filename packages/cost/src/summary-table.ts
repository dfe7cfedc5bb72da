import { type CostTotals, type Dimension } from './cost-totals.ts';
import { escapeControls } from '@pyagent-trace/core';
import type { Total } from './total.ts';

const SHOWN: readonly Dimension[] = ['pattern', 'agent', 'model'];
/** More than a screen has rows for; `toCsv()` has them all. */
const MAX_ROWS = 20;
const MAX_NAME = 60;

const counts = new Intl.NumberFormat('en-US');
/** Micro-dollars: a short call of a cheap model costs some tens of them. */
const dollars = new Intl.NumberFormat('en-US', {
  minimumFractionDigits: 6,
  maximumFractionDigits: 6,
});

type Row = readonly [cost: string, calls: string, input: string, output: string, name: string];

/** Numbers first and the name last: names need no width then, whatever they are written in. */
export function formatSummary({ all, by, unpriced }: CostTotals): string {
  const rows: Row[] = [['cost (USD)', 'calls', 'input', 'output', ''], rowOf('total', all)];
  for (const dimension of SHOWN) {
    const totals = [...by[dimension].rows()].toSorted(([, a], [, b]) => b.cost_usd - a.cost_usd);
    if (totals.length === 0) continue;
    rows.push(['', '', '', '', `by ${dimension}`]);
    for (const [name, total] of totals.slice(0, MAX_ROWS))
      rows.push(rowOf(`  ${nameOf(name)}`, total));
    if (totals.length > MAX_ROWS)
      rows.push(['', '', '', '', `  … ${counts.format(totals.length - MAX_ROWS)} more`]);
  }
  if (unpriced.size > 0) rows.push(['', '', '', '', 'without a price, in no sum']);
  for (const [model, calls] of [...unpriced].slice(0, MAX_ROWS))
    rows.push(['?', counts.format(calls), '', '', `  ${nameOf(model)}`]);
  if (unpriced.size > MAX_ROWS)
    rows.push(['', '', '', '', `  … ${counts.format(unpriced.size - MAX_ROWS)} more`]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padStart(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function rowOf(name: string, { cost_usd, calls, input_tokens, output_tokens }: Total): Row {
  return [
    dollars.format(cost_usd),
    counts.format(calls),
    counts.format(input_tokens),
    counts.format(output_tokens),
    name,
  ];
}

function nameOf(name: string): string {
  if (name === '') return '(none)';
  const characters = Array.from(name.slice(0, 2 * MAX_NAME + 2)); // whole ones
  if (characters.length <= MAX_NAME) return escapeControls(characters.join(''));
  return `${escapeControls(characters.slice(0, MAX_NAME - 1).join(''))}…`;
}
