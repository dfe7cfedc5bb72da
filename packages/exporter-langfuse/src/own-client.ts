import { TraceError } from '@pyagent-trace/core';
import * as z from 'zod';
import type { Courier } from './client-sink.ts';
import type { Observation } from './observation.ts';
import { oneLine, type Reply, request } from './request.ts';
import type { Verdict } from './sink.ts';
import { verdictOf } from './verdict.ts';

export interface OwnClientOptions {
  readonly publicKey: string;
  readonly secretKey: string;
  readonly baseUrl: string;
  readonly requestTimeoutMs: number;
}

interface Exchange {
  /** What the client sent: the ids of the envelopes, and what is in them. */
  readonly items: readonly { readonly id: string; readonly body: { readonly id?: string } }[];
  readonly reply: Reply;
}

/** More than a batch has, so that one flush takes it all and none happens by itself. */
const FLUSH_AT = 10_000;
/** Flushes of one batch; each takes 2.5 MB, and a batch has 1 MiB, roots twice. */
const MAX_FLUSHES = 10;

const AnswerSchema = z.object({
  errors: z.array(
    z.object({
      id: z.string(),
      status: z.number(),
      message: z.string().nullish(),
      error: z.string().nullish().catch(undefined),
    }),
  ),
});

/**
 * A client of our own, which sees every request as answered well: what it does of its own accord about one
 * that was not (four tries without regard to `Retry-After`, lines on the console, events that hold the
 * keys, dropping the batch) is done here, better.
 */
export async function openOwnClient(options: OwnClientOptions): Promise<Courier> {
  const { publicKey, secretKey, baseUrl, requestTimeoutMs } = options;
  const { Langfuse } = await import('langfuse').catch((cause: unknown) => {
    throw new TraceError('invalid_option', NOT_INSTALLED, { cause });
  });
  const client = new Langfuse({
    publicKey,
    secretKey,
    baseUrl,
    flushAt: FLUSH_AT,
    flushInterval: 0,
    fetchRetryCount: 0,
    requestTimeout: requestTimeoutMs,
    sampleRate: 1, // else LANGFUSE_SAMPLE_RATE drops observations that nobody counts
  });
  let exchanges: Exchange[] = [];
  let aborted = AbortSignal.abort();
  client.fetch = async (url, { body = '', headers }) => {
    const text = String(body);
    const { batch } = JSON.parse(text) as { batch: Exchange['items'] };
    const reply = await request({ url, body: text, headers }, requestTimeoutMs, aborted);
    exchanges.push({ items: batch, reply });
    const answer = { successes: [], errors: [] };
    return {
      status: 207,
      text: async () => JSON.stringify(answer),
      json: async () => answer,
      arrayBuffer: async () => new ArrayBuffer(0),
    };
  };
  return {
    client,
    async deliver(batch, signal) {
      exchanges = [];
      aborted = signal;
      for (let flushes = 0; flushes < MAX_FLUSHES; flushes++) {
        const before = exchanges.length;
        await client.flushAsync();
        if (exchanges.length === before) break;
      }
      const verdict = judge(batch, exchanges, `POST ${baseUrl}/api/public/ingestion`);
      // what comes twice is stored once, unless nobody is going to send it again
      return verdict.kind === 'unknown' && !signal.aborted
        ? { ...verdict, kind: 'unavailable', mayBeStored: true }
        : verdict;
    },
  };
}

export const NOT_INSTALLED =
  'transport: this Langfuse needs the package langfuse: npm install langfuse@3';

function judge(
  batch: readonly Observation[],
  exchanges: readonly Exchange[],
  place: string,
): Verdict {
  const refused = new Set(batch); // until it is seen in a request
  const again = new Set<Observation>();
  let error = `${place}: the package langfuse left it out (LANGFUSE_MAX_EVENT_SIZE_BYTES)`;
  for (const { items, reply } of exchanges) {
    if (reply.kind === 'none' || reply.status < 200 || reply.status >= 300)
      return verdictOf(reply, place);
    const problems = problemsIn(reply.text);
    if (problems === undefined)
      return {
        kind: 'unknown',
        error: `${place}: no answer of Langfuse's: ${oneLine(reply.text)}`,
      };
    for (const { body } of items)
      for (const observation of batch) if (observation.id === body.id) refused.delete(observation);
    for (const { id, status, message, error: detail } of problems) {
      error = `${place}: ${status} ${oneLine(`${message ?? ''} ${detail ?? ''}`)}`;
      // Langfuse 4, unless its operator has let the old way stay
      if (message === 'Event type not accepted')
        return {
          kind: 'blocked',
          error: `${place}: ${status} ${message}; transport: 'otlp' is what it takes`,
        };
      const item = items.find((one) => one.id === id);
      const observation = item && batch.find((one) => isAbout(one, item.body.id));
      if (observation === undefined) continue;
      if (status >= 500 || status === 429) again.add(observation);
      else refused.add(observation);
    }
  }
  for (const observation of refused) again.delete(observation);
  return refused.size + again.size === 0
    ? { kind: 'stored' }
    : { kind: 'stored', refused: [...refused], again: [...again], error };
}

/** A root stands for its trace too. */
function isAbout({ id, parent_id, trace }: Observation, bodyId: string | undefined): boolean {
  return id === bodyId || (parent_id === undefined && trace.id === bodyId);
}

function problemsIn(text: string): z.output<typeof AnswerSchema>['errors'] | undefined {
  try {
    return AnswerSchema.parse(JSON.parse(text)).errors;
  } catch {
    return undefined;
  }
}
