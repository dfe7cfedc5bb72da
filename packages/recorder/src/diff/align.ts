import { isDeepStrictEqual } from 'node:util';
import type { TracePayload } from '@pyagent-trace/core';
import { diffArrays } from 'diff';
import { canonicalHash } from '../canonical.ts';
import { type IgnoredPath, without } from '../replay/question.ts';
import { groupBy } from './group-by.ts';
import { Order } from './order.ts';
import type { RunNode } from './run-node.ts';

/** Indices of siblings that are the same operation. */
export interface Match {
  readonly expected: number;
  readonly actual: number;
  /** Found by what it asks, beside the order of the others. */
  readonly crossing: boolean;
}

/** Changes between two lists for which the alignment looks; the search is quadratic in them. */
const MAX_EDITS = 1_000;

type KeyOf = (node: RunNode) => string | undefined;

/**
 * Which siblings of one run are which of the other: first those that ask the same, then those with the
 * same last message, then those of the same kind and name. Each time in order, then, of those that are
 * left, regardless of it: parallel operations start in any order. Linear in the number of
 * siblings for a bounded number of changes, and no worse for more.
 */
export class Aligner {
  readonly #ignored: readonly IgnoredPath[];
  readonly #questions = new WeakMap<RunNode, string>();

  constructor(ignored: readonly IgnoredPath[]) {
    this.#ignored = ignored;
  }

  align(expected: readonly RunNode[], actual: readonly RunNode[]): Match[] {
    const table = new MatchTable(expected, actual);
    table.trim((a, b) => this.#asksTheSame(a, b));
    const levels: readonly KeyOf[] = [
      (node) => this.#question(node),
      (node) => this.#lastMessage(node),
      nameKey,
    ];
    levels.forEach((keyOf, level) => {
      if (table.isComplete()) return;
      table.matchInOrder(keyOf);
      table.matchCrossing(keyOf, level === 0);
    });
    return table.matches();
  }

  #asksTheSame(a: RunNode, b: RunNode): boolean {
    return identity(a) === identity(b) && isDeepStrictEqual(this.#asked(a), this.#asked(b));
  }

  #asked({ asked }: RunNode): TracePayload {
    return this.#ignored.length === 0 ? asked : (without(asked, this.#ignored) as TracePayload);
  }

  #question(node: RunNode): string {
    const known = this.#questions.get(node);
    if (known !== undefined) return known;
    const key = identity(node) + canonicalHash(this.#asked(node));
    this.#questions.set(node, key);
    return key;
  }

  /** What is new in a conversation, whatever changed in the history before it. */
  #lastMessage(node: RunNode): string | undefined {
    const messages = this.#asked(node)['messages_in'];
    return Array.isArray(messages) && messages.length > 1
      ? nameKey(node) + canonicalHash(messages.at(-1))
      : undefined;
  }
}

function identity({ kind, name, agent_name }: RunNode): string {
  return JSON.stringify([kind, name, agent_name]);
}

/** A model is what a call asks for, not what it is. */
function nameKey({ kind, name, agent_name }: RunNode): string {
  return JSON.stringify([kind, kind === 'llm_call' ? '' : name, agent_name]);
}

/** Matches under construction: each index is used once. */
class MatchTable {
  readonly #expected: readonly RunNode[];
  readonly #actual: readonly RunNode[];
  /** The index in the other list, or -1. */
  readonly #ofExpected: Int32Array;
  readonly #ofActual: Int32Array;
  readonly #crossing = new Set<number>();
  #count = 0;

  constructor(expected: readonly RunNode[], actual: readonly RunNode[]) {
    this.#expected = expected;
    this.#actual = actual;
    this.#ofExpected = new Int32Array(expected.length).fill(-1);
    this.#ofActual = new Int32Array(actual.length).fill(-1);
  }

  isComplete(): boolean {
    return this.#count === Math.min(this.#expected.length, this.#actual.length);
  }

  matches(): Match[] {
    return this.#indices(this.#ofExpected, true).map((expected) => ({
      expected,
      actual: this.#ofExpected[expected] as number,
      crossing: this.#crossing.has(expected),
    }));
  }

  /** Nearly every list begins and ends as the other does. */
  trim(isSame: (a: RunNode, b: RunNode) => boolean): void {
    const [a, b] = [this.#expected, this.#actual];
    const shorter = Math.min(a.length, b.length);
    let start = 0;
    while (start < shorter && isSame(a[start] as RunNode, b[start] as RunNode)) {
      this.#add(start, start);
      start += 1;
    }
    for (let i = 1; i <= shorter - start; i++) {
      const [last, other] = [a.length - i, b.length - i];
      if (!isSame(a[last] as RunNode, b[other] as RunNode)) return;
      this.#add(last, other);
    }
  }

  /** The longest common sequence of keys between each two matches that are in order. */
  matchInOrder(keyOf: KeyOf): void {
    for (const [left, right] of this.#gaps()) {
      const [a, b] = [keyed(left, this.#expected, keyOf), keyed(right, this.#actual, keyOf)];
      const changes = diffArrays(
        a.map(({ key }) => key),
        b.map(({ key }) => key),
        { maxEditLength: MAX_EDITS },
      );
      let [i, j] = [0, 0];
      for (const { added, removed, count } of changes ?? []) {
        if (!added && !removed)
          for (let k = 0; k < count; k++)
            this.#add((a[i + k] as Keyed).index, (b[j + k] as Keyed).index);
        if (!added) i += count;
        if (!removed) j += count;
      }
    }
  }

  /** @param any also such as stand in another order than those that are matched */
  matchCrossing(keyOf: KeyOf, any: boolean): void {
    // the last first: the next one is taken from the end
    const free = groupBy(
      keyed(this.#left(this.#ofActual), this.#actual, keyOf).toReversed(),
      ({ key }) => key,
    );
    if (free.size === 0) return;
    const order = any ? undefined : this.order();
    for (const { key, index } of keyed(this.#left(this.#ofExpected), this.#expected, keyOf)) {
      const other = free.get(key)?.at(-1)?.index;
      if (other === undefined) continue;
      const [a, b] = [this.#expected[index] as RunNode, this.#actual[other] as RunNode];
      if (order?.isBroken(a, b) === true) continue;
      free.get(key)?.pop();
      this.#add(index, other);
      this.#crossing.add(index);
    }
  }

  /** Of those that are matched. */
  order(): Order {
    return new Order(
      this.matches().map(({ expected, actual }) => [
        this.#expected[expected] as RunNode,
        this.#actual[actual] as RunNode,
      ]),
    );
  }

  #add(expected: number, actual: number): void {
    this.#ofExpected[expected] = actual;
    this.#ofActual[actual] = expected;
    this.#count += 1;
  }

  #left(side: Int32Array): number[] {
    return this.#indices(side, false);
  }

  #indices(side: Int32Array, matched: boolean): number[] {
    const indices: number[] = [];
    side.forEach((other, index) => {
      if ((other !== -1) === matched) indices.push(index);
    });
    return indices;
  }

  /** What is not matched, between each two matches that are in order. */
  *#gaps(): Generator<[left: number[], right: number[]], void, void> {
    let [i, j] = [0, 0];
    const take = (endI: number, endJ: number): [number[], number[]] => {
      const left: number[] = [];
      const right: number[] = [];
      for (; i < endI; i++) if (this.#ofExpected[i] === -1) left.push(i);
      for (; j < endJ; j++) if (this.#ofActual[j] === -1) right.push(j);
      return [left, right];
    };
    for (const { expected, actual, crossing } of this.matches()) {
      if (crossing) continue;
      const gap = take(expected, actual);
      if (gap[0].length > 0 && gap[1].length > 0) yield gap;
    }
    const last = take(this.#expected.length, this.#actual.length);
    if (last[0].length > 0 && last[1].length > 0) yield last;
  }
}

interface Keyed {
  readonly index: number;
  readonly key: string;
}

function keyed(indices: readonly number[], nodes: readonly RunNode[], keyOf: KeyOf): Keyed[] {
  return indices.flatMap((index) => {
    const key = keyOf(nodes[index] as RunNode);
    return key === undefined ? [] : [{ index, key }];
  });
}
