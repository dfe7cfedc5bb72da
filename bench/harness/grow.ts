import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Spread, spreadOf } from './spread.ts';
import {
  count,
  factor,
  goalCell,
  megabytes,
  type Measurement,
  type Table,
  timeOf,
} from './table.ts';

/** The same work on more and more items. */
export interface Growth {
  readonly title: string;
  /** What there are more and more of: `event`, `run`. */
  readonly per: string;
  readonly sizes: readonly number[];
  /** `flat`: from some size on it keeps no more. `linear`: as much of each item as with fewer. */
  readonly heap: 'flat' | 'linear';
  readonly note: string;
  /** What stands in the way, said where the goal is missed. */
  readonly remains?: string;
  readonly start: () => Grown | Promise<Grown>;
}

export interface Grown {
  /** Not timed; what it keeps is counted. */
  readonly prepare?: (items: number) => void;
  /** Returns how many items it can show. */
  readonly run: (items: number) => number | Promise<number>;
  /** Timed like `run`, after the heap was measured. */
  readonly finish?: () => void;
  readonly stop?: () => unknown;
}

interface Row {
  readonly items: number;
  /** Nanoseconds per item. */
  readonly ns: Spread;
  /** Bytes, after garbage collection. */
  readonly heap: number;
}

/** More items meet slower caches, and a heap that is collected more often. */
const MAX_TIME_RATIO = 1.5;
const MAX_FLAT_BYTES = 1e6;
const MAX_HEAP_RATIO = 1.5;
const MAX_REPEATS = 15;
const ITEMS_PER_SIZE = 100_000;
const TINY_SIZES = [12, 24];

export function growing(...growths: readonly Growth[]): readonly Measurement[] {
  return growths.map((growth) => ({
    title: growth.title,
    measure: async (scale) =>
      toTable(growth, await grow(growth, scale === 'tiny' ? TINY_SIZES : growth.sizes)),
  }));
}

export async function grow(growth: Growth, sizes: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const warmUp = sizes[Math.min(1, sizes.length - 1)] as number;
  await repeat(growth, warmUp);
  for (const items of sizes) rows.push(await repeat(growth, items));
  return rows;
}

async function repeat(growth: Growth, items: number): Promise<Row> {
  const repeats = Math.min(MAX_REPEATS, Math.max(1, Math.floor(ITEMS_PER_SIZE / items)));
  const ns: number[] = [];
  const heap: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const once = await growOnce(growth, items);
    ns.push(once.ns);
    // against the heap without it, not before it: V8 throws away old code meanwhile
    heap.push(once.heap - (await heapUsed()));
  }
  return { items, ns: spreadOf(ns), heap: spreadOf(heap).median };
}

/** A call of its own, so that nothing of it is held when it is over. `heap` is that with all it kept. */
async function growOnce(growth: Growth, items: number): Promise<{ ns: number; heap: number }> {
  const grown = await growth.start();
  grown.prepare?.(items);
  const start = performance.now();
  const done = await grown.run(items);
  const runMs = performance.now() - start;
  const heap = await heapUsed();
  const finish = performance.now();
  grown.finish?.();
  const ns = ((runMs + performance.now() - finish) * 1e6) / items;
  await grown.stop?.();
  if (done !== items) throw new Error(`${growth.title}: did ${done} of ${items}`);
  return { ns, heap };
}

async function heapUsed(): Promise<number> {
  await nextTurn(); // what a WeakRef was asked for stays for the turn
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

export function toTable(growth: Growth, rows: readonly Row[]): Table {
  const { title, per, note } = growth;
  const [first] = rows;
  return {
    title,
    note,
    head: [`${per}s`, `per ${per}`, 'by the fewest', 'heap kept', 'goal'],
    rows: rows.map((row) => [
      count(row.items),
      timeOf(row.ns),
      row === first ? '1' : `${factor(row.ns.median / (first?.ns.median ?? Number.NaN))} ×`,
      megabytes(row.heap),
      row === rows.at(-1) ? goals(growth, rows) : '',
    ]),
    foot: `Up to ${MAX_REPEATS} times each, after rounds that only warm up; the heap is measured after a full collection.`,
  };
}

function goals({ heap, remains }: Growth, rows: readonly Row[]): string {
  const [first, before, last] = [rows.at(0), rows.at(-2), rows.at(-1)] as [Row, Row, Row];
  const time = {
    demand: `time per item at most ${MAX_TIME_RATIO} × that of the fewest`,
    met: last.ns.median <= MAX_TIME_RATIO * first.ns.median,
  };
  const flat = {
    demand: `heap at most ${MAX_FLAT_BYTES / 1e6} MB above that of ${count(before.items)}`,
    met: last.heap - before.heap <= MAX_FLAT_BYTES,
  };
  const linear = {
    demand: `heap per item at most ${MAX_HEAP_RATIO} × that of ${count(before.items)}`,
    met: last.heap / last.items <= (MAX_HEAP_RATIO * before.heap) / before.items,
  };
  return goalCell([time, heap === 'flat' ? flat : linear], remains);
}
