import type { Censor } from './censor.ts';
import { cleanChunks } from './clean-chunks.ts';
import { describeError } from './errors.ts';
import {
  type Answer,
  CASSETTE_VERSION,
  type Chunk,
  type Exchange,
  type ThrownError,
} from './exchange.ts';
import { keptHeaders } from './headers.ts';
import type { Question } from './request.ts';
import { makeResponse } from './response.ts';
import { type BodyListener, tapBody } from './tap.ts';

/** As Base64 or with escapes it stays below the 64 MiB that a line may have. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface RecordingOptions {
  readonly question: Question;
  readonly censor: Censor;
  readonly signal: AbortSignal | undefined;
  readonly url: string;
  /** Called once. */
  readonly onEnd: (exchange: Exchange | undefined, problem?: unknown) => void;
}

/** One request that is answered by the network, until its line can be written. */
export class Recording implements BodyListener {
  readonly #options: RecordingOptions;
  readonly #startMs = performance.now();
  #head: Omit<Answer, 'chunks'> | undefined;
  #contentType = '';
  #censor: Censor;
  #chunks: { readonly at_ms: number; readonly bytes: Uint8Array }[] | undefined;
  #bytes = 0;
  #hasEnded = false;

  constructor(options: RecordingOptions) {
    this.#options = options;
    this.#censor = options.censor;
  }

  /** The answer as the app gets it. */
  follow(response: Response): Response {
    if (this.#hasEnded) return response;
    const problem = problemOf(response);
    if (problem !== undefined) {
      this.lose(new Error(problem));
      return response;
    }
    const { url } = this.#options;
    try {
      this.#censor = this.#censor.and(response.headers);
      const censor = this.#censor;
      this.#head = {
        at_ms: this.#elapsedMs(),
        status: response.status,
        status_text: censor.text(response.statusText),
        headers: keptHeaders(response.headers).map((pair) => censor.header(pair)),
        ...(response.redirected && { redirected_to: censor.url(response.url) }),
      };
    } catch (error) {
      this.lose(error);
      return response;
    }
    this.#contentType = response.headers.get('content-type') ?? '';
    if (response.body === null) {
      this.ended();
      return response;
    }
    this.#chunks = [];
    return makeResponse(tapBody(response.body, this), {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
      url: response.url === '' ? url : response.url,
      redirected: response.redirected,
    });
  }

  chunk(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= MAX_ANSWER_BYTES) this.#chunks?.push({ at_ms: this.#elapsedMs(), bytes });
    else this.#chunks = [];
  }

  ended(): void {
    this.#end(() => this.#exchange(true, {}));
  }

  /** No answer came, or not the whole of it. */
  failed(error: unknown): void {
    this.#end(() => this.#exchange(false, { error: this.#thrown(error) }));
  }

  cancelled(): void {
    if (this.#head === undefined)
      this.lose(new Error('the cassette was closed before an answer came'));
    else this.#end(() => this.#exchange(false, {}));
  }

  /** It cannot be recorded. */
  lose(problem: unknown): void {
    this.#end(() => {
      throw problem;
    });
  }

  #end(makeExchange: () => Exchange): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    let exchange: Exchange | undefined;
    try {
      exchange = makeExchange();
    } catch (error) {
      this.#options.onEnd(undefined, error);
      return;
    } finally {
      this.#chunks = undefined;
    }
    this.#options.onEnd(exchange);
  }

  #exchange(isWhole: boolean, { error }: { error?: ThrownError }): Exchange {
    const isCancelled = !isWhole && error === undefined;
    return {
      cassette: CASSETTE_VERSION,
      request: this.#options.question,
      ...(this.#head !== undefined && {
        response: {
          ...this.#head,
          ...(this.#chunks !== undefined && { chunks: this.#cleanChunks(isWhole) }),
          ...(isCancelled && { cancelled: true }),
        },
      }),
      ...(error !== undefined && { error }),
      duration_ms: this.#elapsedMs(),
    };
  }

  #thrown(error: unknown): ThrownError {
    const { signal } = this.#options;
    const thrown = describeError(error, this.#censor);
    return signal?.aborted === true ? { ...thrown, aborted: true } : thrown;
  }

  #cleanChunks(isWhole: boolean): Chunk[] {
    if (this.#bytes > MAX_ANSWER_BYTES)
      throw new Error(`an answer of ${this.#bytes} bytes is too large to be recorded`);
    const censor = this.#censor;
    const chunks = this.#chunks ?? [];
    const bytes = chunks.map((chunk) => chunk.bytes);
    const at = (i: number): number => chunks[i]?.at_ms ?? 0;
    const texts = decode(bytes, isWhole);
    if (texts !== undefined)
      return cleanChunks(texts, this.#contentType, censor, isWhole)
        .map((text, i) => ({ at_ms: at(i), text }))
        .filter(({ text }) => text !== '');
    const latin1 = bytes.map((part) => Buffer.from(part).toString('latin1'));
    return cleanChunks(latin1, '', censor, isWhole).map((part, i) => ({
      at_ms: at(i),
      base64: Buffer.from(part, 'latin1').toString('base64'),
    }));
  }

  #elapsedMs(): number {
    return Math.round((performance.now() - this.#startMs) * 1000) / 1000;
  }
}

/** Chunks as text, of which each has the characters that end in it; `undefined` if they are no UTF-8. */
function decode(chunks: readonly Uint8Array[], isWhole: boolean): string[] | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    const texts = chunks.map((chunk) => decoder.decode(chunk, { stream: true }));
    if (isWhole) decoder.decode();
    return texts;
  } catch {
    return undefined;
  }
}

/** Why no `Response` of this runtime can stand for it. */
function problemOf({ status, body }: Response): string | undefined {
  if (status < 200 || status > 599) return `an answer of status ${status} cannot be replayed`;
  return body === null || body instanceof ReadableStream
    ? undefined
    : 'what fetch returned is no Response of this runtime';
}
