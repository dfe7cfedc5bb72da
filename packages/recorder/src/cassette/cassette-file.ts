import { escapeControls } from '@pyagent-trace/core';
import { existsSync } from 'node:fs';
import { canonicalHash, canonicalJson } from '../canonical.ts';
import { readRecording } from '../read-recording.ts';
import { ReplayMissError } from '../replay-miss-error.ts';
import type { IgnoredPath } from '../replay/question.ts';
import { type Place, Shelf } from '../replay/shelf.ts';
import { exactSimilarity } from '../replay/similarity.ts';
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
  used: number;
}

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
    const equals = index.get(this.#hash(question));
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
    const isUsed = index.has(this.#hash(question));
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

  #hash(question: Question): string {
    return canonicalHash(compared(question, this.#ignored));
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
      const hash = this.#hash(exchange.request);
      const equals = index.get(hash) ?? { answers: [], used: 0 };
      equals.answers.push({
        line,
        subject: subjectOf(exchange.request),
        place: this.#shelf.put(JSON.stringify(exchange)),
        askedAt: entry.timestamp - exchange.duration_ms / 1000,
      });
      index.set(hash, equals);
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
    let nearest: { asked: Question; line: number; similarity: number } | undefined;
    for (const { answers } of index.values()) {
      const [first] = answers;
      if (first === undefined) continue;
      const { request } = this.#read(first);
      if (request.method !== asked.method || request.path !== asked.path) continue;
      const question = compared(request, this.#ignored);
      const similarity = exactSimilarity(canonicalJson(question), text);
      if (nearest === undefined || similarity > nearest.similarity)
        nearest = { asked: question, line: first.line, similarity };
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
