import { TraceError } from '@pyagent-trace/core';
import { toError } from './errors.ts';
import type { Chunk, Exchange, ThrownError } from './exchange.ts';
import { makeResponse } from './response.ts';

const CANCELLED =
  'the app stopped reading here when this was recorded, and what followed is not in the file';

/** An answer that was found, and where it is, for errors. */
export interface TakenAnswer {
  readonly exchange: Exchange;
  readonly place: string;
}

interface Asked {
  readonly url: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Gives a recorded answer again. Rejects where the request did, and where the app aborts it now.
 *
 * @param isTimed whether it takes the time it took
 */
export async function replay(
  { exchange, place }: TakenAnswer,
  { url, signal }: Asked,
  isTimed: boolean,
): Promise<Response> {
  const clock = new Clock({ signal, place, isTimed });
  const { response, error, duration_ms } = exchange;
  if (response === undefined) throw await clock.thrown(error as ThrownError, duration_ms); // the schema wants one of them
  await clock.reach(response.at_ms);
  const body = response.chunks && replayBody(exchange, response.chunks, clock);
  return makeResponse(body ?? null, {
    status: response.status,
    statusText: response.status_text,
    headers: response.headers,
    url: response.redirected_to ?? url,
    redirected: response.redirected_to !== undefined,
  });
}

interface ClockOptions {
  readonly signal: AbortSignal | undefined;
  readonly place: string;
  readonly isTimed: boolean;
}

/** The time since the request, and what ends it. */
class Clock {
  readonly options: ClockOptions;
  readonly #startMs = performance.now();

  constructor(options: ClockOptions) {
    this.options = options;
  }

  /** @throws the signal's reason */
  async reach(atMs: number, isTimed = this.options.isTimed): Promise<void> {
    const { signal } = this.options;
    const leftMs = atMs - (performance.now() - this.#startMs);
    if (isTimed && leftMs > 0) await delay(leftMs, signal);
    signal?.throwIfAborted();
  }

  /** The app that aborted then may do so now: until the time it took then, it is waited for. */
  async thrown(error: ThrownError, atMs: number): Promise<unknown> {
    const { signal, place, isTimed } = this.options;
    try {
      await this.reach(atMs, isTimed || (error.aborted === true && signal !== undefined));
    } catch (reason) {
      return reason;
    }
    return toError(error, place);
  }
}

function replayBody(
  { response, error, duration_ms }: Exchange,
  chunks: readonly Chunk[],
  clock: Clock,
): ReadableStream<Uint8Array> {
  const { place } = clock.options;
  let next = 0;
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        const chunk = chunks[next];
        try {
          if (chunk !== undefined) {
            next += 1;
            await clock.reach(chunk.at_ms);
            controller.enqueue(bytesOf(chunk));
          } else if (error !== undefined) {
            controller.error(await clock.thrown(error, duration_ms));
          } else if (response?.cancelled === true) {
            controller.error(new TraceError('not_replayable', `${place}: ${CANCELLED}`));
          } else {
            controller.close();
            controller.byobRequest?.respond(0);
          }
        } catch (reason) {
          controller.error(reason);
        }
      },
    },
    { highWaterMark: 0 },
  );
}

function bytesOf({ text, base64 }: Chunk): Uint8Array {
  // a copy: a small Buffer shares its memory, which a byte stream would take away
  return new Uint8Array(
    text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text),
  );
}

/** Resolves after a time, or when the signal is aborted. */
async function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish);
    if (signal?.aborted === true) finish();
  });
}
