import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { fit, fitPreview, type Preview } from './text.ts';

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
/** Levels that are drawn; what is deeper stands below the last. Leaves room for a name in 40 columns. */
export const MAX_LEVELS = 12;

/** A row as text without its line feed, in so many columns. */
export function layOut(row: Row, width: number, color: boolean): string {
  const paint = (style: Style, text: string): string =>
    color && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  const guides = '│ '.repeat(Math.min(row.depth, MAX_LEVELS));
  let room = width - guides.length - '┌ '.length;
  const crumbs = [...row.crumbs, ''].join(' › ');
  const path = crumbs + row.label;
  const figures = row.figures === undefined ? '' : align(row.figures, room - stringWidth(path));
  room -= figures.length;
  const name = fit(path, room);
  room -= stringWidth(name);
  const shown = row.text === undefined ? '' : fitPreview(row.text, room - GAP.length);
  const text = shown === '' ? '' : GAP + shown;
  room -= stringWidth(text);

  return [
    paint('dim', guides),
    `${paint(row.style, row.glyph)} `,
    paint('dim', name.slice(0, crumbs.length)),
    paint(row.style, name.slice(crumbs.length)),
    paint(row.style === 'red' ? 'red' : 'dim', text),
    figures && figures.padStart(figures.length + room),
  ].join('');
}

/** The known ones, right-aligned. Where the name needs the room, the left ones give way. */
function align({ tokens, cost, duration }: Figures, room: number): string {
  const right = duration.padStart(DURATION_WIDTH);
  const columns = cost.padStart(COST_WIDTH) + GAP + right;
  return (
    [tokens + GAP + columns, columns, right]
      .map((known) => GAP + known.trimStart())
      .find(({ length }) => length <= room) ?? GAP + duration
  );
}
