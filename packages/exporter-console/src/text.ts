import { toPlainData } from '@pyagent-trace/core';
import stringWidth from 'string-width';
import { escapeControls } from '@pyagent-trace/core';
import { formatCount } from './figures.ts';
import { formatValue } from './line.ts';

/** A value from a payload as text for people: escaped, and no longer than a line can show. */
export interface Preview {
  readonly text: string;
  /** Characters of the whole, as JavaScript counts them. */
  readonly length: number;
}

/** More columns than a terminal has. */
export const MAX_WIDTH = 1_000;
/** A text that is cut shorter than this says nothing. */
const MIN_TEXT = 10;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** `undefined` for what has nothing to show. */
export function previewOf(value: unknown): Preview | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const whole = formatValue(typeof value === 'string' ? value : toPlainData(value));
  return { text: escapeControls(whole.slice(0, MAX_WIDTH)), length: whole.length };
}

/**
 * A preview in so many columns. One that is cut says how long the whole is if most of it is missing,
 * and gives way if there is next to no room.
 */
export function fitPreview({ text, length }: Preview, columns: number): string {
  if (length <= MAX_WIDTH && stringWidth(text) <= columns) return text;
  if (columns < MIN_TEXT) return '';
  const size = ` ${formatCount(length)} characters`;
  const room = columns - size.length;
  return room >= MIN_TEXT && length > 2 * columns ? cut(text, room) + size : cut(text, columns);
}

/** Text in so many columns, cut if need be. */
export function fit(text: string, columns: number): string {
  return stringWidth(text) <= columns ? text : cut(text, columns);
}

/** Ends the text with `…` in the last column. Never leaves half a character. */
function cut(text: string, columns: number): string {
  let kept = '';
  let room = columns;
  for (const { segment } of graphemes.segment(text)) {
    room -= stringWidth(segment);
    if (room < 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}
