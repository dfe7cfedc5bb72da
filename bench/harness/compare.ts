import { type Spread, spreadOf } from './spread.ts';
import {
  count,
  factor,
  factorOf,
  goalCell,
  type Measurement,
  type Table,
  timeOf,
  type Verdict,
} from './table.ts';

/** One thing that is timed. It runs in one process with its peer, round about. */
export interface Subject {
  readonly name: string;
  readonly goal?: Goal | undefined;
  readonly start: () => Running | Promise<Running>;
}

export interface Goal {
  /** At most this many times the peer's time. */
  readonly ratio?: number;
  /** Less than this, in milliseconds. */
  readonly ms?: number;
  /** Less time than each of these subjects. */
  readonly ahead?: readonly string[];
  /** What stands in the way, said where the goal is missed. */
  readonly remains?: string;
}

export interface Running {
  /** Before each round, not timed. */
  readonly prepare?: (iterations: number) => void | Promise<void>;
  /** Does the work and returns how often it can show to have done it, so that nothing is optimised away. */
  readonly round: (iterations: number) => number | Promise<number>;
  /** What the last round took, where the subject knows better than the clock around it. */
  readonly elapsedMs?: () => number;
  /** Bytes that the last round went through. */
  readonly bytes?: () => number;
  readonly stop?: () => void | Promise<void>;
}

/** Subjects that answer one question. */
export interface Comparison {
  readonly title: string;
  /** What is done once per iteration: `event`, `line`. */
  readonly per: string;
  /** Fixed, so that every round allocates the same. */
  readonly iterations: number;
  readonly rounds: number;
  readonly subjects: readonly Subject[];
  /** What the subjects are measured against. */
  readonly peer: Subject;
  /** What a reader has to know to judge the figures. */
  readonly note?: string;
}

/** The rounds of one subject. */
export interface Timed {
  readonly name: string;
  readonly goal?: Goal | undefined;
  /** Nanoseconds per iteration. */
  readonly ns: readonly number[];
  /** Megabytes, of a million bytes, per second. Empty where nobody counts bytes. */
  readonly rates: readonly number[];
}

const WARM_UP_ROUNDS = 2;
/** Iterations are those of whole triples. */
const TINY = { iterations: 12, rounds: 1, warmUpRounds: 0 };

/** Comparisons as measurements. */
export function comparing(...comparisons: readonly Comparison[]): readonly Measurement[] {
  return comparisons.map((comparison) => ({
    title: comparison.title,
    async measure(scale) {
      if (scale === 'full') return toTable(comparison, await compare(comparison));
      const iterations = Math.min(comparison.iterations, TINY.iterations);
      const tiny = { ...comparison, iterations, rounds: TINY.rounds };
      return toTable(tiny, await compare(tiny, TINY.warmUpRounds));
    },
  }));
}

/** Runs the subjects in turn, round by round (A B A B …), after rounds that only warm up. The peer is the last. */
export async function compare(
  { iterations, rounds, subjects, peer }: Comparison,
  warmUpRounds = WARM_UP_ROUNDS,
): Promise<readonly Timed[]> {
  const all: { subject: Subject; running: Running; ns: number[]; rates: number[] }[] = [];
  try {
    for (const subject of [...subjects, peer])
      all.push({ subject, running: await subject.start(), ns: [], rates: [] });
    for (let round = -warmUpRounds; round < rounds; round++) {
      for (const { subject, running, ns, rates } of all) {
        const elapsedMs = await time(subject.name, running, iterations);
        if (round < 0) continue;
        ns.push((elapsedMs * 1e6) / iterations);
        if (running.bytes !== undefined) rates.push(running.bytes() / (elapsedMs * 1e3));
      }
    }
  } finally {
    for (const { running } of all) await running.stop?.();
  }
  return all.map(({ subject: { name, goal }, ns, rates }) => ({ name, goal, ns, rates }));
}

async function time(name: string, running: Running, iterations: number): Promise<number> {
  await running.prepare?.(iterations);
  // Nobody pays for what another one left behind. A full collection would also throw away compiled code
  // (of the subject with more code, more), which no program does every 50 ms.
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
  const start = performance.now();
  const pending = running.round(iterations);
  const done = typeof pending === 'number' ? pending : await pending;
  const elapsedMs = performance.now() - start;
  if (done !== iterations) throw new Error(`${name}: did ${done} of ${iterations} iterations`);
  return running.elapsedMs?.() ?? elapsedMs;
}

/** The peer's row is the last. */
export function toTable(
  { title, per, note, iterations, rounds }: Omit<Comparison, 'subjects' | 'peer'>,
  timed: readonly Timed[],
): Table {
  const peer = timed.at(-1);
  const hasRates = timed.some(({ rates }) => rates.length > 0);
  return {
    title,
    note,
    head: ['', `per ${per}`, ...(hasRates ? ['MB/s'] : []), 'by its peer', 'goal'],
    rows: timed.map((row) => [
      row.name,
      timeOf(spreadOf(row.ns)),
      ...(hasRates ? [rate(row)] : []),
      row === peer ? '1 (the peer)' : factorOf(ratio(row, peer)),
      goalCell(verdicts(row, timed), row.goal?.remains),
    ]),
    foot: `${rounds} rounds of ${count(iterations)}.`,
  };
}

function rate({ rates }: Timed): string {
  return rates.length === 0 ? '' : spreadOf(rates).median.toPrecision(3);
}

/** What each round took by what another subject took in the same round. */
function ratio({ ns }: Timed, other: Timed | undefined): Spread {
  return spreadOf(ns.map((value, round) => value / (other?.ns[round] ?? Number.NaN)));
}

function verdicts(row: Timed, all: readonly Timed[]): Verdict[] {
  const { ratio: most, ms, ahead } = row.goal ?? {};
  const found: Verdict[] = [];
  if (most !== undefined)
    found.push({ demand: `at most ${most} ×`, met: ratio(row, all.at(-1)).median <= most });
  if (ms !== undefined)
    found.push({ demand: `under ${ms} ms`, met: spreadOf(row.ns).median < ms * 1e6 });
  for (const name of ahead ?? []) {
    const other = all.find((candidate) => candidate.name === name);
    if (other === undefined) throw new Error(`${row.name}: its goal names no subject: ${name}`);
    const { median } = ratio(row, other);
    found.push({ demand: `ahead of ${name} (${factor(median)} ×)`, met: median < 1 });
  }
  return found;
}
