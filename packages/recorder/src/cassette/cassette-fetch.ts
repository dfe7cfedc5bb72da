import { AsyncLocalStorage } from 'node:async_hooks';
import { messageOf, TraceError } from '@pyagent-trace/core';
import type { ReplayMode } from '../replay-mode.ts';
import { inspectTarget, requireRecording } from '../replay/recording-target.ts';
import { CassetteFile, type UnusedResponse } from './cassette-file.ts';
import { CassetteWriter } from './cassette-writer.ts';
import type { Censor } from './censor.ts';
import type { Exchange } from './exchange.ts';
import { type CassetteFetchOptions, type CheckedOptions, checkOptions, PLACE } from './options.ts';
import { Recording } from './recording.ts';
import { refuse } from './refuse.ts';
import { replay, type TakenAnswer } from './replay.ts';
import {
  type AskedRequest,
  censorOf,
  type FetchInit,
  type FetchInput,
  type Question,
  readRequest,
  toQuestion,
} from './request.ts';

type Fetch = (input: FetchInput, init?: FetchInit) => Promise<Response>;

/** `requests = replayed + missed + recorded + failed + pending`. In mode `live` nothing is counted. */
export interface CassetteStats {
  readonly requests: number;
  /** Answered by the file. */
  readonly replayed: number;
  /** Not answered: a miss, or a file that cannot be read. */
  readonly missed: number;
  /** Answered by the network, and written. */
  readonly recorded: number;
  /** Answered by the network, and not written. */
  readonly failed: number;
  /** Under way, or not read to the end. */
  readonly pending: number;
  /** Why the newest of `failed` was not written. */
  readonly error?: string;
}

/** A `fetch` that answers from a file, or records into it. */
export interface CassetteFetch extends AsyncDisposable {
  (input: FetchInput, init?: FetchInit): Promise<Response>;
  readonly mode: ReplayMode;
  /** The recorded answers that were not asked for so far, in the order of the file. */
  unused(): Promise<UnusedResponse[]>;
  stats(): CassetteStats;
  /** Records what is under way as far as it came, and lets go of the file. Nothing is recorded or replayed after it. */
  close(): Promise<void>;
}

/**
 * A `fetch` for `new OpenAI({ fetch })`, `new Anthropic({ fetch })`, the providers of the AI SDK and
 * whatever else takes one. Records requests and their answers, streams chunk by chunk, one line each and
 * without keys and cookies; and answers the same requests from the file, without a network.
 *
 * Requests are compared by method, URL and body as data, and equal ones are answered in the order in which
 * they were asked. One that the file does not answer rejects with a `ReplayMissError` at once. What the app
 * sends and gets is never changed.
 *
 * @throws {TraceError} `invalid_option`, also where the file to write to holds something else
 * @throws {TraceError} `read_failed`, if there is nothing to replay
 *
 * @example
 * ```ts
 * const client = new OpenAI({ fetch: cassetteFetch({ path: 'chat.jsonl', mode: 'auto' }) });
 * ```
 */
export function cassetteFetch(options: CassetteFetchOptions): CassetteFetch {
  const checked = checkOptions(options);
  const cassette = new Cassette(checked);
  const before = networkOf(globalThis.fetch);
  const live: Fetch = (input, init) => {
    if (checked.fetch !== undefined) return checked.fetch(input, init);
    return asking.run([...(asking.getStore() ?? []), cassette], () =>
      networkOf(globalThis.fetch)(input, init),
    );
  };
  const fetch = (input: FetchInput, init?: FetchInit): Promise<Response> =>
    asking.getStore()?.includes(cassette) === true
      ? before(input, init)
      : cassette.fetch(input, init, live);
  networks.set(fetch, before);
  return Object.assign(fetch, {
    mode: cassette.mode,
    unused: () => cassette.unused(),
    stats: () => cassette.stats(),
    close: () => cassette.close(),
    [Symbol.asyncDispose]: () => cassette.close(),
  });
}

/** What stood in the place of the global `fetch` before a cassette did. */
const networks = new WeakMap<Fetch, Fetch>();

/** The cassettes that ask the network now: one that is asked by it is called by what stands in front of it. */
const asking = new AsyncLocalStorage<readonly Cassette[]>();

/** Where the app puts a cassette in the place of the global `fetch`, it is no network. */
function networkOf(fetch: Fetch): Fetch {
  return networks.get(fetch) ?? fetch;
}

class Cassette {
  readonly mode: ReplayMode;
  readonly #options: CheckedOptions;
  readonly #file: CassetteFile;
  readonly #writer: CassetteWriter | undefined;
  readonly #pending = new Set<Recording>();
  readonly #counts = { requests: 0, replayed: 0, missed: 0, recorded: 0, failed: 0 };
  #error: unknown;
  #isClosed = false;

  constructor(options: CheckedOptions) {
    const { path, mode, ignore } = options;
    if (mode === 'replay') requireRecording(path);
    else if (mode !== 'live') inspectTarget(path, mode, PLACE);
    this.mode = mode;
    this.#options = options;
    this.#file = new CassetteFile(path, ignore);
    if (mode === 'record' || mode === 'auto')
      this.#writer = new CassetteWriter(path, mode === 'record');
  }

  async fetch(input: FetchInput, init: FetchInit | undefined, live: Fetch): Promise<Response> {
    if (this.mode === 'live') return live(input, init);
    const request = await readRequest(input, init);
    request.signal?.throwIfAborted();
    this.#counts.requests += 1;
    const censor = censorOf(request);
    const question = await toQuestion(request, censor);
    let taken: TakenAnswer | undefined;
    try {
      if (this.#isClosed && this.mode !== 'record')
        throw new TraceError('cassette_closed', `${this.#options.path}: the cassette is closed`);
      if (this.mode !== 'record') taken = await this.#file.take(question);
      if (taken === undefined && this.mode === 'replay') throw await this.#file.miss(question);
    } catch (error) {
      this.#counts.missed += 1;
      return refuse(error, request.headers);
    }
    if (taken === undefined)
      return this.#record(question, censor, request, () => live(input, request.init));
    this.#counts.replayed += 1;
    // it is sent once, here as there
    if (input instanceof Request && !input.bodyUsed && (init?.body ?? null) === null)
      void input.body?.cancel().catch(() => {});
    return replay(taken, request, this.#options.isTimed);
  }

  async unused(): Promise<UnusedResponse[]> {
    return this.mode === 'record' ? [] : this.#file.unused();
  }

  stats(): CassetteStats {
    const error = this.#error;
    return {
      ...this.#counts,
      pending: this.#pending.size,
      ...(error !== undefined && { error: messageOf(error) }),
    };
  }

  close(): Promise<void> {
    for (const recording of this.#pending) recording.cancelled();
    this.#writer?.close();
    this.#file.close();
    this.#isClosed = true;
    return Promise.resolve();
  }

  async #record(
    question: Question,
    censor: Censor,
    { url, signal }: AskedRequest,
    live: () => Promise<Response>,
  ): Promise<Response> {
    const onEnd = (exchange: Exchange | undefined, problem?: unknown): void => {
      this.#pending.delete(recording);
      const error = exchange === undefined ? problem : this.#writer?.write(exchange);
      if (error === undefined) this.#counts.recorded += 1;
      else {
        this.#counts.failed += 1;
        this.#error = error;
      }
    };
    const recording = new Recording({ question, censor, signal, url, onEnd });
    this.#pending.add(recording);
    try {
      return recording.follow(await live());
    } catch (error) {
      recording.failed(error);
      throw error;
    }
  }
}
