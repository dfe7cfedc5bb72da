import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { escapeControls } from '@pyagent-trace/core';
import { canonicalJson } from '../canonical.ts';
import { readRecording } from '../read-recording.ts';
import { ReplayMissError } from '../replay-miss-error.ts';
import type { IgnoredPath } from '../replay/question.ts';
import { type Place, Shelf } from '../replay/shelf.ts';
import { exactSimilarity, similarity, SKETCH_SIZE, sketchOf } from '../replay/similarity.ts';
import { compared, differencesOf } from './compared.ts';
import { type Exchange, toExchange } from './exchange.ts';
import type { TakenAnswer } from './replay.ts';
import type { Question } from './request.ts';

/** A recorded answer that nobody asked for. */
export interface UnusedResponse {
  /** Its line in the file, from 1. */
  readonly line: number;
  /** What it answers: `POST https://api.openai.com/v1/chat/completions`. */
  readonly subject: string;
}

interface Recorded extends UnusedResponse {
  readonly place: Place;
  /** When it was asked, Unix seconds. */
  readonly askedAt: number;
}

/** Equal questions have their answers in the order in which they were asked. */
interface Equals {
  readonly answers: Recorded[];
  readonly kind: string;
  /** Of the question. */
  readonly sketch: Uint32Array;
  used: number;
}

/** Of the questions whose sketches are most alike, as many are read and compared. */
const MAX_COMPARED = 50;

/** What a cassette has to say. Read once, when the first question is asked. */
export class CassetteFile {
  readonly #path: string;
  readonly #ignored: readonly IgnoredPath[];
  readonly #shelf = new Shelf();
  #index: Promise<Map<string, Equals>> | undefined;

  constructor(path: string, ignore: readonly string[]) {
    this.#path = path;
    this.#ignored = ignore.map((place) => place.split('.'));
  }

  /**
   * The next answer to a question; `undefined` if there is none left.
   *
   * @throws {TraceError} `read_failed`, `invalid_line`
   */
  async take(question: Question): Promise<TakenAnswer | undefined> {
    const index = await this.#load();
    const equals = index.get(hashOf(this.#textOf(question)));
    const recorded = equals?.answers[equals.used];
    if (equals === undefined || recorded === undefined) return undefined;
    equals.used += 1;
    return { exchange: this.#read(recorded), place: `${this.#path}:${recorded.line}` };
  }

  async unused(): Promise<UnusedResponse[]> {
    const index = await this.#load();
    return [...index.values()]
      .flatMap(({ answers, used }) => answers.slice(used))
      .toSorted((a, b) => a.line - b.line)
      .map(({ line, subject }) => ({ line, subject }));
  }

  /** What to say of a question that has no answer. */
  async miss(question: Question): Promise<ReplayMissError> {
    const index = await this.#load();
    const asked = compared(question, this.#ignored);
    const isUsed = index.has(hashOf(canonicalJson(asked)));
    const nearest = isUsed ? undefined : this.#nearest(index, asked);
    return new ReplayMissError({
      source: this.#path,
      subject: subjectOf(question),
      asked,
      reason: isUsed ? 'used' : 'unknown',
      nearest,
      differences: nearest === undefined ? [] : differencesOf(nearest.asked, asked),
    });
  }

  close(): void {
    this.#shelf.close();
  }

  /** What is compared. */
  #textOf(question: Question): string {
    return canonicalJson(compared(question, this.#ignored));
  }

  #load(): Promise<Map<string, Equals>> {
    return (this.#index ??= this.#readIndex());
  }

  async #readIndex(): Promise<Map<string, Equals>> {
    const index = new Map<string, Equals>();
    if (!existsSync(this.#path)) return index;
    const reader = readRecording(this.#path);
    for await (const entry of reader) {
      const { line } = reader.place();
      const exchange = toExchange(entry, reader.place());
      if (exchange === undefined) continue;
      const text = this.#textOf(exchange.request);
      const key = hashOf(text);
      let equals = index.get(key);
      if (equals === undefined) {
        const kind = kindOf(exchange.request);
        equals = { answers: [], kind, sketch: toSketch(text), used: 0 };
        index.set(key, equals);
      }
      equals.answers.push({
        line,
        subject: subjectOf(exchange.request),
        place: this.#shelf.put(JSON.stringify(exchange)),
        askedAt: entry.timestamp - exchange.duration_ms / 1000,
      });
    }
    for (const { answers } of index.values()) answers.sort((a, b) => a.askedAt - b.askedAt);
    return index;
  }

  /** Among those of the same method and path, the one with the most words in common. */
  #nearest(
    index: ReadonlyMap<string, Equals>,
    asked: Question,
  ): { readonly asked: Question; readonly line: number } | undefined {
    const text = canonicalJson(asked);
    const sketch = toSketch(text);
    const kind = kindOf(asked);
    const likely = [...index.values()]
      .filter((equals) => equals.kind === kind)
      .map(({ answers, sketch: other }) => ({ answers, score: similarity(other, 0, sketch, 0) }))
      .toSorted((a, b) => b.score - a.score)
      .slice(0, MAX_COMPARED);
    let nearest: { asked: Question; line: number; similarity: number } | undefined;
    for (const { answers } of likely) {
      const first = answers[0] as Recorded;
      const question = compared(this.#read(first).request, this.#ignored);
      const exact = exactSimilarity(canonicalJson(question), text);
      if (nearest === undefined || exact > nearest.similarity)
        nearest = { asked: question, line: first.line, similarity: exact };
    }
    return nearest && { asked: nearest.asked, line: nearest.line };
  }

  #read({ place }: Recorded): Exchange {
    return JSON.parse(this.#shelf.get(place)) as Exchange;
  }
}

function subjectOf({ method, origin, path }: Question): string {
  return escapeControls(`${method} ${origin}${path}`);
}

function kindOf({ method, path }: Question): string {
  return `${method} ${path}`;
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64');
}

function toSketch(text: string): Uint32Array {
  const sketch = new Uint32Array(SKETCH_SIZE);
  sketchOf(text, sketch, 0);
  return sketch;
}
