// A recorded answer, given the way the app's function gave it.
import type { InterceptedOperation } from '@pyagent-trace/core/tracer';
import type { Answer, Chunk, Thrown } from './exchange.ts';

/** Whether the chunks of a stream come at the times they came at, or at once. */
export type ReplayTiming = 'recorded' | 'none';

export interface GiveOptions {
  readonly timing: ReplayTiming;
  /** The error of somebody who reads on where the recorded app stopped. */
  readonly leftOff: () => Error;
}

/** @throws what was thrown, where the function is no model call */
export function giveAnswer(
  operation: InterceptedOperation,
  { end, value, stream, error, cancelled = false }: Answer,
  { timing, leftOff }: GiveOptions,
): unknown {
  operation.set(end);
  const fail = (thrown: Thrown): unknown => {
    const rebuilt = rebuildError(thrown);
    // an abort is told from a failure by the reason of the signal
    if (cancelled) operation.signal = AbortSignal.abort(rebuilt);
    return rebuilt;
  };
  const isCall = operation.kind === 'llm_call';
  if (stream !== undefined) {
    const chunks = playBack(operation, stream, timing, () => {
      if (error !== undefined) throw fail(error);
      if (cancelled) throw leftOff();
    });
    return isCall ? new GivenStream((resolve) => resolve(chunks)) : chunks;
  }
  if (error !== undefined) {
    const thrown = fail(error);
    if (!isCall) throw thrown;
    return new GivenStream((_, reject) => reject(thrown));
  }
  return isCall ? Promise.resolve(value) : value;
}

async function* playBack(
  { signal }: InterceptedOperation,
  chunks: readonly Chunk[],
  timing: ReplayTiming,
  finish: () => void,
): AsyncGenerator<unknown, void, undefined> {
  const startMs = performance.now();
  for (const { at_ms, chunk } of chunks) {
    const leftMs = timing === 'recorded' ? startMs + at_ms - performance.now() : 0;
    if (leftMs > 0) await wait(leftMs, signal);
    signal?.throwIfAborted();
    yield chunk;
  }
  finish();
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}

/**
 * The promise of a stream, and the stream itself: a plain function that makes a model call may have given
 * either. An error is one for who awaits it and for who reads it.
 */
class GivenStream extends Promise<AsyncIterable<unknown>> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    yield* await this;
  }
}

/** What can be told of an error that was thrown; its class cannot. */
function rebuildError({ message, error_type, code, stack }: Thrown): unknown {
  switch (error_type) {
    // thrown, though no errors
    case 'string':
      return message;
    case 'number':
      return Number(message);
    case 'boolean':
      return message === 'true';
    case 'undefined':
      return undefined;
    default:
  }
  const error = new Error(message);
  if (error.name !== error_type)
    Object.defineProperty(error, 'name', { value: error_type, configurable: true, writable: true });
  if (code !== undefined) Object.assign(error, { code });
  // where it came from, which no place in the replay tells
  if (typeof stack === 'string')
    Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return error;
}
