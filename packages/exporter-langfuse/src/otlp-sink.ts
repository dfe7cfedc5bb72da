import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import * as z from 'zod';
import { askHealth } from './health.ts';
import { type Origin, toOtlpRequest } from './mapping/otlp.ts';
import type { Observation } from './observation.ts';
import { oneLine, request } from './request.ts';
import type { Sink, Verdict } from './sink.ts';
import { verdictOf } from './verdict.ts';

export interface OtlpSinkOptions {
  readonly baseUrl: string;
  /** The value of the header. */
  readonly authorization: string;
  readonly requestTimeoutMs: number;
  readonly origin: Origin;
}

const PATH = '/api/public/otel/v1/traces';
/** Below it gzip saves less than a packet or two. */
const MIN_GZIP_BYTES = 16 * 1024;
const gzipAsync = promisify(gzip);

/** What an OTLP server answers. int64 is a string in its JSON. */
const AnswerSchema = z.object({
  partialSuccess: z
    .object({
      rejectedSpans: z.coerce.number().catch(0).default(0),
      errorMessage: z.string().catch('').default(''),
    })
    .nullish()
    .catch(undefined),
});

/** Sends observations as OTLP/HTTP with JSON, which Langfuse takes since 3.22 and version 4 alone takes. */
export class OtlpSink implements Sink {
  readonly maxBatch = 512;
  readonly #options: OtlpSinkOptions;
  /** A batch was lost to a server that did not answer: the next waits until it does. */
  #unsure = false;

  constructor(options: OtlpSinkOptions) {
    this.#options = options;
  }

  async send(batch: readonly Observation[], signal: AbortSignal): Promise<Verdict> {
    const { baseUrl, authorization, requestTimeoutMs, origin } = this.#options;
    if (this.#unsure) {
      const health = await askHealth(baseUrl, signal);
      if (!health.reachable) return { kind: 'unavailable', error: health.error };
      this.#unsure = false;
    }
    const json = Buffer.from(JSON.stringify(toOtlpRequest(batch, origin)));
    const zipped = json.length >= MIN_GZIP_BYTES;
    const reply = await request(
      {
        url: baseUrl + PATH,
        body: zipped ? await gzipAsync(json) : json,
        headers: {
          authorization,
          'content-type': 'application/json',
          'x-langfuse-ingestion-version': '4', // stored at once, not after up to ten minutes
          ...(zipped && { 'content-encoding': 'gzip' }),
        },
      },
      requestTimeoutMs,
      signal,
    );
    const place = `POST ${baseUrl}${PATH}`;
    if (reply.kind === 'answer' && reply.status >= 200 && reply.status < 300)
      return stored(batch, reply.text, place);
    const verdict = verdictOf(reply, place);
    this.#unsure = verdict.kind === 'unknown';
    return verdict;
  }
}

function stored(batch: readonly Observation[], text: string, place: string): Verdict {
  const answer = text === '' ? {} : parse(text);
  if (answer === undefined)
    return { kind: 'blocked', error: `${place}: no answer of Langfuse's: ${oneLine(text)}` };
  const { rejectedSpans = 0, errorMessage = '' } = answer.partialSuccess ?? {};
  if (rejectedSpans <= 0) return { kind: 'stored' };
  // it does not say which; Langfuse refuses single spans for their size
  const bySize = batch.toSorted((a, b) => b.bytes - a.bytes);
  const error = `${place}: ${rejectedSpans} spans rejected: ${oneLine(errorMessage)}`;
  return { kind: 'stored', refused: bySize.slice(0, rejectedSpans), error };
}

function parse(text: string): z.output<typeof AnswerSchema> | undefined {
  try {
    return AnswerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
