import { ignoreRejection, isThenable } from '../bus/promises.ts';
import { escapeControls } from '../escape.ts';
import { isObject } from '../event.ts';
import { explain } from '../schema/event.ts';
import { type LinePlace, TraceReadError, type TraceReadErrorReason } from './error.ts';
import type { JsonlFormat } from './format.ts';
import { isTooDeep, MAX_DEPTH, nullNonFinite } from './json.ts';
import { type Line, MAX_LINE_BYTES } from './lines.ts';

/** Counted so far. `lines = events + errors`. */
export interface ReadStats {
  /** Lines that are not empty. */
  readonly lines: number;
  /** What was read: events, or entries of a recording. */
  readonly events: number;
  /** Lines that gave none. */
  readonly errors: number;
  /** `NaN`, `Infinity` and `-Infinity`, as Python writes them; read as null. */
  readonly nonFinite: number;
  /** Keys that an event, or an entry, does not have; left out. */
  readonly unknownKeys: number;
  /** The last line is half a line, or an archive is cut off, as after a kill. It is one of `errors`. */
  readonly tornTail: boolean;
}

export type ReadErrorListener = (error: TraceReadError) => unknown;

const OPEN_BRACE = 0x7b;
/** A CR in a text is escaped. */
const HALF_AN_EVENT = /^\ufeff?[ \t\r]*\{[^\r]*\r*$/;

/** Lines in, events or entries out; counts both. */
export class LineReader<T> {
  readonly stats: { -readonly [K in keyof ReadStats]: ReadStats[K] } = {
    lines: 0,
    events: 0,
    errors: 0,
    nonFinite: 0,
    unknownKeys: 0,
    tornTail: false,
  };
  readonly #source: string;
  readonly #formatOf: (value: unknown) => JsonlFormat<T>;
  readonly #onError: ReadErrorListener | undefined;
  #answers: PromiseLike<unknown>[] = [];

  constructor(
    source: string,
    formatOf: (value: unknown) => JsonlFormat<T>,
    onError: ReadErrorListener | undefined,
  ) {
    this.#source = source;
    this.#formatOf = formatOf;
    this.#onError = onError;
  }

  /** What a line holds, or `undefined` for an empty line and for one that was reported. */
  read(line: Line): T | undefined {
    if (line.problem !== undefined) return this.#refuseUnread(line, line.problem);
    const text = line.number === 1 ? withoutMark(line.text) : line.text;
    if (isBlank(text)) return undefined;
    if (isTooDeep(text))
      return this.#refuse(line, 'too_deep', `nested deeper than ${MAX_DEPTH} levels`);
    let value: unknown;
    try {
      value = this.#parse(text);
    } catch (cause) {
      return this.#refuseUnlessTorn(line, 'not_json', 'not JSON', cause);
    }
    return this.#check(value, line);
  }

  #refuseUnread(line: Line, problem: 'too_long' | 'not_utf8'): undefined {
    return problem === 'too_long'
      ? this.#refuse(line, 'too_long', `longer than ${MAX_LINE_BYTES} bytes`)
      : this.#refuseUnlessTorn(line, 'not_utf8', 'not UTF-8');
  }

  /** An archive ended before its end. Says so where the lines have not. */
  cutOff(place: Line): void {
    if (!this.stats.tornTail) this.#refuseTorn(place, 'the archive is cut off here');
  }

  /**
   * Waits for what `onError` promised.
   *
   * @throws what it rejects with
   */
  async answered(): Promise<void> {
    const answers = this.#answers;
    this.#answers = [];
    await Promise.all(answers);
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      const { text: readable, count } = nullNonFinite(text);
      if (count === 0) throw error;
      const value: unknown = JSON.parse(readable);
      this.stats.nonFinite += count;
      return value;
    }
  }

  #check(value: unknown, line: Line): T | undefined {
    const format = this.#formatOf(value);
    const item = format.adopt?.(value);
    if (item !== undefined) return this.#count(item);
    const { known, more } = splitKeys(value, format.keys);
    const { data, error } = format.schema.safeParse(known);
    if (error !== undefined) return this.#refuse(line, format.reason, explain(error.issues), error);
    if (more.length > 0) {
      this.stats.unknownKeys += more.length;
      const problem = `${shownKeys(more)}: unknown key, left out`;
      this.#report(this.#error(line, 'unknown_key', problem));
    }
    return this.#count(data);
  }

  #count(item: T): T {
    this.stats.lines += 1;
    this.stats.events += 1;
    return item;
  }

  #refuseUnlessTorn(
    line: Line,
    reason: TraceReadErrorReason,
    problem: string,
    cause?: unknown,
  ): undefined {
    // what has no line and begins as none is neither a trace nor a recording: a zip archive, or CR for line feeds
    const isForeign = this.stats.lines === 0 && !HALF_AN_EVENT.test(line.text);
    if (!line.terminated && !isForeign)
      this.#refuseTorn(line, `half a line of ${line.byteLength} bytes at the end`);
    else if (line.terminated && isHalf(line.text))
      this.#refuse(line, 'half', `half a line of ${line.byteLength} bytes`, cause);
    else this.#refuse(line, reason, problem, cause);
  }

  #refuseTorn(line: Line, problem: string): void {
    this.stats.tornTail = true;
    this.#refuse(line, 'torn', problem);
  }

  #refuse(line: Line, reason: TraceReadErrorReason, problem: string, cause?: unknown): undefined {
    this.stats.lines += 1;
    this.stats.errors += 1;
    const error = this.#error(line, reason, problem, cause);
    if (this.#onError !== undefined) this.#report(error);
    else if (reason !== 'torn') throw error;
  }

  #report(error: TraceReadError): void {
    const answer = this.#onError?.(error);
    if (!isThenable(answer)) return;
    this.#answers.push(answer);
    void ignoreRejection(answer); // until it is awaited
  }

  #error(
    line: Line,
    reason: TraceReadErrorReason,
    problem: string,
    cause?: unknown,
  ): TraceReadError {
    return new TraceReadError(reason, problem, this.placeOf(line), { cause });
  }

  placeOf({ number, byteOffset }: Line): LinePlace {
    return { source: this.#source, line: number, byteOffset };
  }
}

/** Of a process that was killed, before another one went on with the file. */
function isHalf(text: string): boolean {
  return HALF_AN_EVENT.test(text) && !text.trimEnd().endsWith('}');
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function isBlank(text: string): boolean {
  if (text.charCodeAt(0) === OPEN_BRACE) return false;
  return text === '' || /^[ \t\r]*$/.test(text);
}

function splitKeys(
  value: unknown,
  keys: ReadonlySet<string>,
): { known: unknown; more: readonly string[] } {
  if (!isObject(value)) return { known: value, more: [] };
  const entries = Object.entries(value);
  return {
    known: Object.fromEntries(entries.filter(([key]) => keys.has(key))),
    more: entries.filter(([key]) => !keys.has(key)).map(([key]) => key),
  };
}

const MAX_SHOWN_KEYS = 5;
const MAX_SHOWN_CHARACTERS = 60;

function shownKeys(keys: readonly string[]): string {
  const shown = keys.slice(0, MAX_SHOWN_KEYS).map(shownKey).join(', ');
  const rest = keys.length - MAX_SHOWN_KEYS;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** A key is text from the file, and messages go to terminals. */
function shownKey(key: string): string {
  if (/^[\w.-]{1,60}$/.test(key)) return key;
  const text = key.length > MAX_SHOWN_CHARACTERS ? `${key.slice(0, MAX_SHOWN_CHARACTERS)}…` : key;
  return escapeControls(JSON.stringify(text));
}
