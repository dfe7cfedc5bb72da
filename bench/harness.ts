/** One thing that is timed. It runs in one process with its peer, round about. */
export interface Subject {
  readonly name: string;
  /** At most this many times the peer's time. */
  readonly goal?: number;
  readonly start: () => Running | Promise<Running>;
}

export interface Running {
  /** Before each round, not timed. */
  readonly prepare?: (iterations: number) => void | Promise<void>;
  /** Does the work and returns how often it can show to have done it, so that nothing is optimised away. */
  readonly round: (iterations: number) => number | Promise<number>;
  /** What the last round took, where the subject knows better than the clock around it. */
  readonly elapsedMs?: () => number;
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

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly name: string;
  /** Nanoseconds per iteration. */
  readonly ns: Spread;
  /** Its time by the peer's of the same round. Absent on the peer. */
  readonly ratio?: Spread;
  readonly goal?: number | undefined;
}

export interface Result {
  readonly title: string;
  readonly per: string;
  readonly iterations: number;
  readonly rounds: number;
  readonly rows: readonly Row[];
  readonly note?: string | undefined;
}

const WARM_UP_ROUNDS = 2;

/** Runs the subjects in turn, round by round (A B A B …), after rounds that only warm up. */
export async function compare({
  title,
  per,
  iterations,
  rounds,
  subjects,
  peer,
  note,
}: Comparison): Promise<Result> {
  const all: { subject: Subject; running: Running; ns: number[] }[] = [];
  for (const subject of [...subjects, peer])
    all.push({ subject, running: await subject.start(), ns: [] });
  try {
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (const { subject, running, ns } of all) {
        const elapsedMs = await time(subject.name, running, iterations);
        if (round >= 0) ns.push((elapsedMs * 1e6) / iterations);
      }
    }
  } finally {
    for (const { running } of all) await running.stop?.();
  }
  const peerNs = all.at(-1)?.ns ?? [];
  const rows = all.map(({ subject, ns }) =>
    subject === peer
      ? { name: subject.name, ns: spread(ns) }
      : {
          name: subject.name,
          ns: spread(ns),
          ratio: spread(ns.map((value, round) => value / (peerNs[round] ?? Number.NaN))),
          goal: subject.goal,
        },
  );
  return { title, per, iterations, rounds, rows, note };
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

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return {
    median: (low + high) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}
