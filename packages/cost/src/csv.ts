import { type CostTotals, DIMENSIONS } from './cost-totals.ts';
import type { Total } from './total.ts';

const COLUMNS = [
  'calls',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_creation_tokens',
  'reasoning_tokens',
  'cost_usd',
] as const satisfies readonly (keyof Total)[];

/** One line for the total, one for each name of each breakdown; unpriced calls have no cost. */
export function toCsv({ all, by, unpriced }: CostTotals): string {
  const lines = [
    ['breakdown', 'name', ...COLUMNS],
    ['total', '', ...valuesOf(all)],
    ...DIMENSIONS.flatMap((dimension) =>
      Array.from(by[dimension].rows(), ([name, total]) => [
        dimension,
        toCell(name),
        ...valuesOf(total),
      ]),
    ),
    ...Array.from(unpriced, ([model, calls]) => [
      'unpriced',
      toCell(model),
      String(calls),
      ...COLUMNS.slice(1).map(() => ''),
    ]),
  ];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function valuesOf(total: Total): string[] {
  return COLUMNS.map((column) => String(total[column]));
}

/**
 * A name as a cell. What a spreadsheet would run as a formula gets an apostrophe, and what would end the
 * cell gets quotes. https://owasp.org/www-community/attacks/CSV_Injection
 */
function toCell(name: string): string {
  const text = /^[=+\-@\t\r\n]/.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
