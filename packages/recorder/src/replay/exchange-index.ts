import { hash } from 'node:crypto';
import { canonicalJson, sortedJson } from '../canonical.ts';
import { type Circumstances, type EqualQuestion, EqualQuestions } from './equal-questions.ts';
import type { Answer, Compared, Exchange, ExchangeKind, Question } from './exchange.ts';
import { comparable } from './question.ts';
import { type Place, Shelf } from './shelf.ts';
import { exactSimilarity, similarity, SKETCH_SIZE, sketchOf } from './similarity.ts';

/** A question that is asked now. */
export interface Asked {
  readonly kind: ExchangeKind;
  readonly question: Question;
  readonly agent_name: string;
  readonly pattern_type: string;
  readonly session_id: string;
}

/** An exchange whose question and answer are on the shelf. */
export interface Recorded extends EqualQuestion {
  readonly kind: ExchangeKind;
  readonly compared: Compared;
  readonly agent_name: string;
  readonly line: number;
  readonly optional: boolean;
  readonly questionPlace: Place;
  readonly answerPlace: Place;
  inside: Recorded | undefined;
}

export interface Nearest {
  readonly recorded: Recorded;
  /** As it is compared with what was asked. */
  readonly question: Question;
}

/** Of the questions that look most alike, as many are read and compared. */
const MAX_COMPARED = 8;
/** What the same agent is worth: as much as a quarter of the words. */
const SAME_AGENT = 0.25;

/** Finds answers by their questions. Keeps a few hundred bytes of each, and the rest on a shelf. */
export class ExchangeIndex {
  readonly #shelf: Shelf;
  readonly #groups = new Map<string, EqualQuestions<Recorded>>();
  readonly #all: Recorded[] = [];
  #sketches = new Uint32Array(1024 * SKETCH_SIZE);
  /** Those inside of one that comes later, by its span. */
  readonly #inner = new Map<string, Recorded[]>();
  /** Of what is compared by the keys that are asked: which keys that were so far. */
  readonly #askedKeys = new Set<string>();
  #promptKinds = new Set<boolean>();
  /** One string for each name, however many exchanges have it. */
  readonly #names = new Map<string, string>();

  constructor(shelf: Shelf = new Shelf()) {
    this.#shelf = shelf;
  }

  get size(): number {
    return this.#all.length;
  }

  add(exchange: Exchange): void {
    const { kind, question, compared, line, order, optional = false, span, inside } = exchange;
    const text = sortedJson(question);
    const recorded: Recorded = {
      kind,
      compared,
      agent_name: this.#name(exchange.agent_name),
      pattern_type: this.#name(exchange.pattern_type),
      session_id: this.#name(exchange.session_id),
      line,
      order,
      optional,
      whole: exchange.answer.problem === undefined,
      exact: numberOf(text),
      questionPlace: this.#shelf.put(text),
      answerPlace: this.#shelf.put(JSON.stringify(exchange.answer)),
      used: false,
      inside: undefined,
    };
    this.#sketch(text);
    this.#all.push(recorded);
    if (inside !== undefined && inside !== span) append(this.#inner, inside, recorded);
    if (span !== undefined) {
      for (const inner of this.#inner.get(span) ?? []) inner.inside = recorded;
      this.#inner.delete(span);
    }
    // those that are compared by what is asked are grouped when that is known
    if (compared === 'asked') return;
    const hasModel = question['model'] !== undefined;
    if (compared === 'prompt') this.#promptKinds.add(hasModel);
    this.#group(keyOf(kind, compared, comparable(question, compared, [], hasModel)), recorded);
  }

  /** The answer that is next in turn, which is used up by that; `used` where there are no more. */
  take(asked: Asked): Recorded | 'used' | undefined {
    const { question, pattern_type, session_id } = asked;
    const circumstances = (): Circumstances => ({
      exact: numberOf(sortedJson(question)),
      pattern_type,
      session_id,
    });
    let found: 'used' | undefined;
    for (const key of this.#keysOf(asked)) {
      const group = this.#groups.get(key);
      if (group === undefined) continue;
      const next = group.next(circumstances);
      if (next !== undefined) {
        next.used = true;
        return next;
      }
      found = 'used';
    }
    return found;
  }

  answerOf({ answerPlace }: Recorded): Answer {
    return JSON.parse(this.#shelf.get(answerPlace)) as Answer;
  }

  /**
   * The recorded question that is most like one, of the same kind, rather of the same agent. Goes by the
   * sketches first, and reads the few that are best.
   */
  nearest({ kind, question, agent_name }: Asked): Nearest | undefined {
    const text = sortedJson(question);
    const sketch = new Uint32Array(SKETCH_SIZE);
    sketchOf(text, sketch, 0);
    let best: { recorded: Recorded; score: number }[] = [];
    for (const [index, recorded] of this.#all.entries()) {
      if (recorded.kind !== kind) continue;
      const score =
        similarity(this.#sketches, index * SKETCH_SIZE, sketch, 0) +
        (recorded.agent_name === agent_name ? SAME_AGENT : 0);
      const last = best.at(-1);
      if (best.length === MAX_COMPARED && last !== undefined && score <= last.score) continue;
      best.push({ recorded, score });
      best = best.toSorted((a, b) => b.score - a.score).slice(0, MAX_COMPARED);
    }
    let nearest: Nearest | undefined;
    let nearestScore = -1;
    for (const { recorded } of best) {
      const stored = this.#shelf.get(recorded.questionPlace);
      const score =
        exactSimilarity(stored, text) + (recorded.agent_name === agent_name ? SAME_AGENT : 0);
      if (score <= nearestScore) continue;
      nearestScore = score;
      nearest = { recorded, question: JSON.parse(stored) as Question };
    }
    return nearest;
  }

  /** What nobody asked for, in the order of the file. */
  unused(): Recorded[] {
    return this.#all
      .filter((recorded) => !recorded.used && !recorded.optional && !isInsideUsed(recorded))
      .toSorted((a, b) => a.line - b.line);
  }

  close(): void {
    this.#shelf.close();
  }

  #keysOf({ kind, question }: Asked): string[] {
    const keys = [keyOf(kind, 'all', question)];
    for (const hasModel of this.#promptKinds)
      keys.push(keyOf(kind, 'prompt', comparable(question, 'prompt', [], hasModel)));
    if (kind === 'routing_decision') keys.push(this.#askedKey(kind, question));
    return keys;
  }

  /** Groups what is compared by these keys, the first time that they are asked. */
  #askedKey(kind: ExchangeKind, question: Question): string {
    const keys = Object.keys(question).toSorted();
    const id = keys.join('\n');
    if (!this.#askedKeys.has(id)) {
      this.#askedKeys.add(id);
      for (const recorded of this.#all) {
        if (recorded.compared !== 'asked' || recorded.kind !== kind) continue;
        const stored = JSON.parse(this.#shelf.get(recorded.questionPlace)) as Question;
        const part = comparable(stored, 'asked', keys, false);
        if (part !== undefined) this.#group(keyOf(kind, 'asked', part), recorded);
      }
    }
    return keyOf(kind, 'asked', question);
  }

  #group(key: string, recorded: Recorded): void {
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = new EqualQuestions()));
    group.add(recorded);
  }

  #sketch(text: string): void {
    const offset = this.#all.length * SKETCH_SIZE;
    if (offset === this.#sketches.length) {
      const larger = new Uint32Array(2 * offset);
      larger.set(this.#sketches);
      this.#sketches = larger;
    }
    sketchOf(text, this.#sketches, offset);
  }

  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    this.#names.set(name, name);
    return name;
  }
}

/** 48 bits of a hash: enough among questions that are equal but for their white space. */
function numberOf(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 12), 16);
}

function keyOf(kind: ExchangeKind, compared: Compared, question: Question | undefined): string {
  return hash('sha256', `${kind} ${compared} ${canonicalJson(question)}`, 'base64');
}

function isInsideUsed({ inside }: Recorded): boolean {
  for (let outer = inside; outer !== undefined; outer = outer.inside) if (outer.used) return true;
  return false;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
