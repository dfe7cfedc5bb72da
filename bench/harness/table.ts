import type { Spread } from './spread.ts';

/** `tiny` only shows that a measurement runs. */
export type Scale = 'full' | 'tiny';

/** One table of the page. */
export interface Measurement {
  readonly title: string;
  readonly measure: (scale: Scale) => Promise<Table>;
}

export interface Table {
  readonly title: string;
  /** What a reader has to know to judge the figures. */
  readonly note?: string | undefined;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How much was measured. */
  readonly foot: string;
}

/** A table as Markdown. */
export function markdown({ title, note, head, rows, foot }: Table): string {
  return [
    `### ${title}`,
    '',
    ...(note === undefined ? [] : [note, '']),
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
    foot,
    '',
  ].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** One demand, and whether the figures meet it. */
export interface Verdict {
  readonly demand: string;
  readonly met: boolean;
}

/** The cell of a goal. `remains` is added where something is missed. */
export function goalCell(verdicts: readonly Verdict[], remains?: string): string {
  const text = verdicts
    .map(({ demand, met }) => `${demand}: ${met ? 'met' : '**missed**'}`)
    .join('; ');
  const missed = verdicts.some(({ met }) => !met);
  return missed && remains !== undefined ? `${text}. ${remains}` : text;
}

/** A factor with two decimals, or two digits where that would be nothing. */
export function factor(value: number): string {
  return value >= 0.1 || value === 0 ? value.toFixed(2) : value.toPrecision(2);
}

export function factorOf({ median, min, max }: Spread): string {
  return `${factor(median)} × (${factor(min)} – ${factor(max)})`;
}

export function timeOf(spread: Spread): string {
  const [unit, divisor] = unitOf(spread.median);
  const figure = (ns: number): string =>
    ns / divisor < 1000 ? (ns / divisor).toPrecision(3) : (ns / divisor).toFixed(0);
  return `${figure(spread.median)} ${unit} (${figure(spread.min)} – ${figure(spread.max)})`;
}

function unitOf(ns: number): [unit: string, divisor: number] {
  if (ns < 1e3) return ['ns', 1];
  return ns < 1e6 ? ['µs', 1e3] : ['ms', 1e6];
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** Bytes in kB of 1,024, as package sizes are given. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(bytes < 100 * 1024 ? 2 : 0)} kB`;
}

/** Megabytes of a million bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
