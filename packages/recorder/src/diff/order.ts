import { groupBy } from './group-by.ts';
import type { RunNode } from './run-node.ts';

type Pair = readonly [expected: RunNode, actual: RunNode];

/** By a time, rising, with the largest (or least) of another one so far. */
interface Index {
  readonly times: readonly number[];
  readonly bounds: readonly number[];
}

/**
 * Which pairs of siblings stand the other way round in the second run. Only what follows each other in
 * both runs has an order: what overlapped in one of them was parallel.
 */
export class Order {
  readonly #groups = new Map<string, { ended: Index; starting: Index }>();
  readonly #byAgent: boolean;

  constructor(pairs: readonly Pair[]) {
    // without durations nobody knows which agents were parallel; each of them is sequential
    this.#byAgent = pairs.some((pair) => pair.some(({ is_point }) => is_point));
    for (const [key, group] of groupBy(pairs, ([node]) => this.#keyOf(node)))
      this.#groups.set(key, {
        ended: indexOf(group, ([a, b]) => [a.end, b.start]),
        // negated, the later half is looked up as the earlier one is
        starting: indexOf(group, ([a, b]) => [-a.start, -b.end]),
      });
  }

  /** Whether one that ended before it starts after it, or the other way round. */
  isBroken(expected: RunNode, actual: RunNode): boolean {
    const group = this.#groups.get(this.#keyOf(expected));
    if (group === undefined) return false;
    return (
      boundBefore(group.ended, expected.start) > actual.end ||
      boundBefore(group.starting, -expected.end) > -actual.start
    );
  }

  #keyOf({ agent_name }: RunNode): string {
    return this.#byAgent ? agent_name : '';
  }
}

function indexOf(pairs: readonly Pair[], numbersOf: (pair: Pair) => [number, number]): Index {
  const numbers = pairs.map(numbersOf).toSorted((a, b) => a[0] - b[0]);
  let bound = -Infinity;
  return {
    times: numbers.map(([time]) => time),
    bounds: numbers.map(([, value]) => (bound = Math.max(bound, value))),
  };
}

/** The bound of all whose time is before the given one. At the same time nothing is before another. */
function boundBefore({ times, bounds }: Index, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? -Infinity : (bounds[low - 1] as number);
}
