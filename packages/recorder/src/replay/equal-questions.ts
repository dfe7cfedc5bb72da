// Of recorded questions that are equal, the one whose answer is next.

/** What two equal questions may differ in, the most telling first. */
export interface Circumstances {
  readonly session_id: string;
  /** Of the question with its white space. */
  readonly exact: number;
  readonly pattern_type: string;
}

export interface EqualQuestion extends Circumstances {
  readonly order: number;
  /** Has an answer that can be given. */
  readonly whole: boolean;
  used: boolean;
}

interface Queue<T> {
  readonly members: T[];
  /** Those before it are used. */
  first: number;
}

/** Bits of a fit, by what they say. */
const WHOLE = 8;
const SESSION = 4;
const EXACT = 2;
const PATTERN = 1;

/**
 * Equal questions in the order of asking. The next is the first of those that fit best, which takes as long
 * among 100,000 as among two: for each fit there are queues, made when the first one is asked for.
 */
export class EqualQuestions<T extends EqualQuestion> {
  readonly #members: T[] = [];
  #isSorted = true;
  readonly #queues: (Map<string, Queue<T>> | undefined)[] = [];

  /** Not after the first `next`. */
  add(member: T): void {
    const last = this.#members.at(-1);
    // they come in the order of their ends, and nearly always of their starts too
    if (last !== undefined && last.order > member.order) this.#isSorted = false;
    this.#members.push(member);
  }

  /** That can be given, of the same session, with the same white space, in the same pattern; the first of those. */
  next(circumstances: () => Circumstances): T | undefined {
    const [only] = this.#members;
    if (this.#members.length === 1) return only?.used === true ? undefined : only;
    const asked = circumstances();
    for (let fit = 2 * WHOLE - 1; fit >= 0; fit--) {
      const queue = this.#queuesOf(fit).get(keyOf(fit, asked));
      if (queue === undefined) continue;
      while (queue.members[queue.first]?.used === true) queue.first += 1;
      const member = queue.members[queue.first];
      if (member !== undefined) return member;
    }
    return undefined;
  }

  #queuesOf(fit: number): Map<string, Queue<T>> {
    let queues = this.#queues[fit];
    if (queues !== undefined) return queues;
    if (!this.#isSorted) this.#members.sort((a, b) => a.order - b.order);
    this.#isSorted = true;
    this.#queues[fit] = queues = new Map();
    for (const member of this.#members) {
      if ((fit & WHOLE) !== 0 && !member.whole) continue;
      const key = keyOf(fit, member);
      const queue = queues.get(key);
      if (queue === undefined) queues.set(key, { members: [member], first: 0 });
      else queue.members.push(member);
    }
    return queues;
  }
}

/** What has to be the same. */
function keyOf(fit: number, { session_id, exact, pattern_type }: Circumstances): string {
  return JSON.stringify([
    (fit & SESSION) !== 0 && session_id,
    (fit & EXACT) !== 0 && exact,
    (fit & PATTERN) !== 0 && pattern_type,
  ]);
}
