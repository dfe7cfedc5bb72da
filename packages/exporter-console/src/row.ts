import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { fit, fitEnd, fitPreview, type Preview } from './text.ts';

export type Style = Parameters<typeof styleText>[0];

/** One line of the tree, before it is fitted to a width. */
export interface Row {
  readonly depth: number;
  readonly glyph: '┌' | '└' | '•' | '◆' | '✗';
  readonly style: Style;
  /** What the line belongs to, outermost first, as far as its place in the tree does not say it. */
  readonly crumbs: readonly string[];
  readonly label: string;
  readonly text?: Preview | undefined;
  readonly figures?: Figures | undefined;
}

/** The columns at the right edge; empty for what is not known. */
export interface Figures {
  readonly tokens: string;
  readonly cost: string;
  readonly duration: string;
}

/** For `≥$0.00039` and `59.9 s`; what is wider takes of the text. */
const COST_WIDTH = 9;
const DURATION_WIDTH = 6;
const GAP = '  ';
/** Columns that a name keeps, however deep it is. */
const MIN_LABEL = 12;
const LOUD: ReadonlySet<Row['glyph']> = new Set(['◆', '✗']);
/** Levels that are drawn; what is deeper stands below the last. */
export const MAX_LEVELS = 16;

/** A row as text without its line feed, in so many columns. */
export function layOut(row: Row, width: number, color: boolean): string {
  const paint = (style: Style | undefined, text: string): string =>
    color && style !== undefined && text !== ''
      ? styleText(style, text, { validateStream: false })
      : text;
  const guides = '│ '.repeat(Math.min(row.depth, MAX_LEVELS));
  const head = guides.length + `${row.glyph} `.length;
  const path = row.crumbs.map((crumb) => `${crumb} › `).join('');
  const columns = columnsOf(row.figures, width - head - stringWidth(path + row.label));

  let room = width - head - widthOf(columns);
  const label = fit(row.label, Math.max(room, MIN_LABEL));
  room -= stringWidth(label);
  const crumbs = fitEnd(path, room);
  room -= stringWidth(crumbs);
  const shown = row.text === undefined ? '' : fitPreview(row.text, room - GAP.length);
  const text = shown === '' ? '' : GAP + shown;
  room -= stringWidth(text);

  return [
    paint('dim', guides),
    `${paint(LOUD.has(row.glyph) || row.style === 'red' ? row.style : 'dim', row.glyph)} `,
    paint('dim', crumbs),
    paint(row.style, label),
    paint(row.style === 'red' ? 'red' : 'dim', text),
    columns.length > 0 ? ' '.repeat(Math.max(0, room)) : '',
    ...columns.map(([style, column]) => GAP + paint(style, column)),
  ].join('');
}

type Column = readonly [style: Style | undefined, text: string];

/** Right-aligned, from the first that is known. Where the name needs the room, the left ones give way. */
function columnsOf(figures: Figures | undefined, room: number): Column[] {
  if (figures === undefined) return [];
  const { tokens, cost, duration } = figures;
  const all: readonly Column[] = [
    ['dim', tokens],
    ['green', tokens === '' ? cost : cost.padStart(COST_WIDTH)],
    [undefined, tokens + cost === '' ? duration : duration.padStart(DURATION_WIDTH)],
  ];
  const columns = all.filter(([, column]) => column !== '');
  while (columns.length > 1 && widthOf(columns) > room) columns.shift();
  return columns;
}

function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, [, column]) => sum + GAP.length + column.length, 0);
}
