import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf, TraceError } from '@pyagent-trace/core';
import type { TraceSource } from '@pyagent-trace/core/read';
import { canonicalHash } from '../canonical.ts';
import { printable } from '../difference.ts';
import { readRecording } from '../read-recording.ts';
import { ReplayMissError } from '../replay-miss-error.ts';
import { type Exchange, toExchange } from './exchange.ts';
import { without } from './ignore.ts';
import { distance } from './nearest.ts';
import type { TakenAnswer } from './replay.ts';
import type { Question } from './request.ts';

/** A recorded answer that nobody asked for. */
export interface UnusedAnswer {
  /** Its line in the file, from 1. */
  readonly line: number;
  /** What it answers: `POST https://api.openai.com/v1/chat/completions`. */
  readonly subject: string;
}

/** Where an answer is. */
interface Place extends UnusedAnswer {
  readonly byteOffset: number;
  /** When it was asked, Unix seconds. */
  readonly askedAt: number;
}

/** Equal questions have their answers in the order in which they were asked. */
interface Equals {
  readonly places: Place[];
  used: number;
}

const READ_BYTES = 64 * 1024;
const LINE_FEED = 10;
/** gzip and zstd. */
const ARCHIVES = [Buffer.of(0x1f, 0x8b), Buffer.of(0x28, 0xb5, 0x2f, 0xfd)];

/** What a cassette has to say. Keeps where the answers are; an answer is read when it is asked for. */
export class CassetteFile {
  readonly #path: string;
  readonly #ignore: readonly string[];
  #index: Promise<Map<string, Equals>> | undefined;

  constructor(path: string, ignore: readonly string[]) {
    this.#path = path;
    this.#ignore = ignore;
  }

  /**
   * The next answer to a question, and where it is from; `undefined` if there is none left.
   *
   * @throws {TraceError} `read_failed`, `invalid_line`
   */
  async take(question: Question): Promise<TakenAnswer | undefined> {
    const index = await this.#load();
    const equals = index.get(this.#hash(question));
    const place = equals?.places[equals.used];
    if (equals === undefined || place === undefined) return undefined;
    equals.used += 1;
    return { exchange: await this.#read(place), place: `${this.#path}:${place.line}` };
  }

  async unused(): Promise<UnusedAnswer[]> {
    const index = await this.#load();
    return [...index.values()]
      .flatMap(({ places, used }) => places.slice(used))
      .toSorted((a, b) => a.line - b.line)
      .map(({ line, subject }) => ({ line, subject }));
  }

  /** What to say of a question that has no answer. Reads the file once more. */
  async miss(question: Question): Promise<ReplayMissError> {
    const index = await this.#load();
    const last = index.get(this.#hash(question))?.places.at(-1);
    const source = this.#path;
    const subject = subjectOf(question);
    const asked = without(question, this.#ignore);
    if (last !== undefined) {
      const { request } = await this.#read(last);
      const nearest = { asked: request, line: last.line };
      return new ReplayMissError({
        source,
        subject,
        asked,
        reason: 'used',
        nearest,
        differences: [],
      });
    }
    const nearest = await this.#nearest(question);
    return new ReplayMissError({
      source,
      subject,
      asked,
      reason: 'unknown',
      nearest,
      differences: nearest?.differences ?? [],
    });
  }

  #hash(question: Question): string {
    return canonicalHash(without(question, this.#ignore));
  }

  #load(): Promise<Map<string, Equals>> {
    return (this.#index ??= this.#readIndex());
  }

  async #readIndex(): Promise<Map<string, Equals>> {
    const index = new Map<string, Equals>();
    if (!existsSync(this.#path)) return index;
    for await (const { exchange, ...place } of exchangesOf(this.#path)) {
      const hash = this.#hash(exchange.request);
      const equals = index.get(hash) ?? { places: [], used: 0 };
      equals.places.push({ ...place, subject: subjectOf(exchange.request) });
      index.set(hash, equals);
    }
    for (const { places } of index.values()) places.sort((a, b) => a.askedAt - b.askedAt);
    return index;
  }

  async #nearest(
    question: Question,
  ): Promise<(ReturnType<typeof distance> & { asked: Question; line: number }) | undefined> {
    let nearest: (ReturnType<typeof distance> & { asked: Question; line: number }) | undefined;
    if (!existsSync(this.#path)) return undefined;
    for await (const { exchange, line } of exchangesOf(this.#path)) {
      const { request } = exchange;
      if (request.method !== question.method || request.path !== question.path) continue;
      const found = distance(request, question, this.#ignore);
      if (nearest === undefined || found.size < nearest.size)
        nearest = { ...found, asked: request, line };
    }
    return nearest;
  }

  /** @throws {TraceError} `read_failed`, if the line is not what it was when the index was made */
  async #read({ line, byteOffset }: Place): Promise<Exchange> {
    let cause: unknown;
    try {
      const bytes = await readLine(this.#path, byteOffset);
      for await (const { exchange } of exchangesOf([bytes])) return exchange;
    } catch (error) {
      cause = error;
    }
    const problem = 'the file was changed while it is replayed';
    throw new TraceError('read_failed', `${this.#path}:${line}: ${problem}`, { cause });
  }
}

type Found = Omit<Place, 'subject'> & { readonly exchange: Exchange };

async function* exchangesOf(source: TraceSource): AsyncGenerator<Found> {
  const reader = readRecording(source);
  for await (const entry of reader) {
    const place = reader.place();
    const exchange = toExchange(entry, place);
    if (exchange === undefined) continue;
    const askedAt = entry.timestamp - exchange.duration_ms / 1000;
    yield { line: place.line, byteOffset: place.byteOffset, askedAt, exchange };
  }
}

function subjectOf({ method, origin, path }: Question): string {
  return printable(`${method} ${origin}${path}`);
}

async function readLine(path: string, byteOffset: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const parts: Buffer[] = [];
    for (let offset = byteOffset; ; offset += READ_BYTES) {
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(READ_BYTES),
        0,
        READ_BYTES,
        offset,
      );
      const part = buffer.subarray(0, bytesRead);
      const end = part.indexOf(LINE_FEED);
      parts.push(end === -1 ? part : part.subarray(0, end));
      if (end !== -1 || bytesRead < READ_BYTES) return Buffer.concat(parts);
    }
  } finally {
    await file.close();
  }
}

/**
 * Looks at how a file begins: what is no recording is not replayed, and not written over.
 *
 * @throws {TraceError} `read_failed`
 */
export function refuseForeign(path: string, isNeeded: boolean): void {
  const start = startOf(path, isNeeded);
  if (start.length === 0) return;
  const isArchive = ARCHIVES.some((magic) => start.subarray(0, magic.length).equals(magic));
  if (isArchive)
    // answers are read where they are
    throw new TraceError('read_failed', `${path}: expected a cassette, got an archive; unpack it`);
  const text = start.toString();
  // in an event of a trace they are in the payload
  const [before] = text.split('"messages_in"', 1) as [string];
  if (before === text || before.includes('"payload"'))
    throw new TraceError('read_failed', `${path}:1: expected an entry of a recording`);
}

function startOf(path: string, isNeeded: boolean): Buffer {
  try {
    const fd = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(READ_BYTES);
      return buffer.subarray(0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    if (!isNeeded && (cause as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw new TraceError('read_failed', `${path}: ${messageOf(cause)}`, { cause });
  }
}
