import { type Difference, findDifferences } from '../difference.ts';
import { Aligner, type Match } from './align.ts';
import { kindOfDifference, partsOf } from './compared.ts';
import { Order } from './order.ts';
import { numberedLabels, type RunNode, walk } from './run-node.ts';
import type { DifferenceKind, DurationPair, TraceDifference } from './types.ts';

const MAX_KEPT = 1_000;
/** Operations named in a place; of a tree that is deeper, the last ones. */
const MAX_PLACE = 8;
const MAX_LABEL = 80;

export interface Comparison {
  readonly differences: TraceDifference[];
  readonly more: number;
  readonly durations: DurationPair[];
}

/** An operation that is in both runs. */
interface Pair {
  readonly expected: RunNode;
  readonly actual: RunNode;
  readonly place: Place;
}

interface Place {
  readonly label: string;
  readonly above: Place | undefined;
}

type Timed = Omit<DurationPair, 'place'> & { readonly place: Place };

interface Found extends Difference {
  readonly what: DifferenceKind;
  readonly place: Place;
  /** When the expected run came to it. */
  readonly at: number;
}

/** What is still to be done, the next one last. */
type Task = () => readonly Task[];

export function compareTrees(
  expected: readonly RunNode[],
  actual: readonly RunNode[],
  ignore: readonly string[],
): Comparison {
  return new Comparing(ignore).run(expected, actual);
}

class Comparing {
  readonly #ignore: readonly string[];
  readonly #aligner: Aligner;
  #found: Found[] = [];
  #more = 0;
  readonly #durations: Timed[] = [];

  constructor(ignore: readonly string[]) {
    this.#ignore = ignore;
    this.#aligner = new Aligner(ignore.map((path) => path.split('.')));
  }

  run(expected: readonly RunNode[], actual: readonly RunNode[]): Comparison {
    // a stack of its own: trees may be as deep as a hostile file makes them
    const tasks: Task[] = [() => this.#siblings(expected, actual, undefined, -Infinity)];
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop())
      tasks.push(...task().toReversed());
    this.#keepEarliest();
    return {
      differences: this.#found.map((found) => ({
        what: found.what,
        place: shown(found.place),
        path: found.path,
        expected: found.expected,
        actual: found.actual,
      })),
      more: this.#more,
      durations: this.#durations
        .toSorted((a, b) => change(b) - change(a))
        .slice(0, MAX_KEPT)
        .map(({ place, expected_ms, actual_ms }) => ({
          place: shown(place),
          expected_ms,
          actual_ms,
        })),
    };
  }

  #siblings(
    expected: readonly RunNode[],
    actual: readonly RunNode[],
    above: Place | undefined,
    since: number,
  ): Task[] {
    const matches = this.#aligner.align(expected, actual);
    const labels = numberedLabels(expected);
    const tasks: Task[] = [];
    const matched = new Set(matches.map((match) => match.expected));
    const order = matches.some(({ crossing }) => crossing)
      ? new Order(
          matches.map((match) => [
            expected[match.expected] as RunNode,
            actual[match.actual] as RunNode,
          ]),
        )
      : undefined;
    for (const match of matches) {
      const pair: Pair = {
        expected: expected[match.expected] as RunNode,
        actual: actual[match.actual] as RunNode,
        place: { label: labels[match.expected] as string, above },
      };
      if (match.crossing && order?.isBroken(pair.expected, pair.actual) === true)
        this.#add('order', pair.place, pair.expected.start, {
          path: '',
          expected: match.expected + 1,
          actual: match.actual + 1,
        });
      tasks.push(() => this.#pair(pair));
    }
    expected.forEach((node, i) => {
      if (!matched.has(i))
        this.#add('missing', { label: labels[i] as string, above }, node.start, {
          path: '',
          expected: briefly(node),
          actual: undefined,
        });
    });
    this.#extra(expected, actual, matches, above, since);
    return tasks;
  }

  /** Each after the operation that it follows, on the clock of the expected run. */
  #extra(
    expected: readonly RunNode[],
    actual: readonly RunNode[],
    matches: readonly Match[],
    above: Place | undefined,
    since: number,
  ): void {
    const ofActual = new Map(matches.map((match) => [match.actual, match.expected]));
    if (ofActual.size === actual.length) return;
    const labels = numberedLabels(actual);
    let at = since;
    actual.forEach((node, j) => {
      const other = ofActual.get(j);
      if (other !== undefined) at = (expected[other] as RunNode).end;
      else
        this.#add('extra', { label: labels[j] as string, above }, at, {
          path: '',
          expected: undefined,
          actual: briefly(node),
        });
    });
  }

  #pair({ expected, actual, place }: Pair): Task[] {
    if (expected.duration_ms !== undefined && actual.duration_ms !== undefined)
      this.#durations.push({
        place,
        expected_ms: expected.duration_ms,
        actual_ms: actual.duration_ms,
      });
    const [wanted, got] = partsOf(expected, actual);
    this.#parts(expected.kind, place, expected.start, wanted.asked, got.asked);
    return [
      () => this.#siblings(expected.children, actual.children, place, expected.start),
      () => {
        this.#parts(expected.kind, place, expected.end, wanted.answered, got.answered);
        return [];
      },
    ];
  }

  #parts(kind: string, place: Place, at: number, expected: unknown, actual: unknown): void {
    for (const difference of findDifferences(expected, actual, this.#ignore))
      this.#add(kindOfDifference(kind, difference.path), place, at, difference);
  }

  #add(what: DifferenceKind, place: Place, at: number, difference: Difference): void {
    this.#found.push({ what, place, at, ...difference });
    if (this.#found.length > 20 * MAX_KEPT) this.#keepEarliest();
  }

  #keepEarliest(): void {
    const inTime = this.#found.toSorted((a, b) => a.at - b.at);
    this.#found = inTime.slice(0, MAX_KEPT);
    this.#more += inTime.length - this.#found.length;
  }
}

function change({ expected_ms, actual_ms }: Timed): number {
  return Math.abs(expected_ms - actual_ms);
}

function shown(place: Place): string {
  const labels: string[] = [];
  let next: Place | undefined = place;
  for (; next !== undefined && labels.length < MAX_PLACE; next = next.above)
    labels.push(clip(next.label));
  if (next !== undefined) labels.push('…');
  return labels.toReversed().join(' → ');
}

function clip(label: string): string {
  return label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL)}…` : label;
}

/** What is missing, or more, as data. */
function briefly(node: RunNode): Record<string, unknown> {
  let calls = 0;
  for (const { kind } of walk(node.children))
    if (kind === 'llm_call' || kind === 'tool') calls += 1;
  return { kind: node.kind, name: node.name, ...(calls > 0 && { calls }), asked: node.asked };
}
