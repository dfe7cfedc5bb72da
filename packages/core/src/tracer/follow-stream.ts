// oxlint-disable typescript/unbound-method -- methods are taken off an object and called on it again
import type { Readable } from 'node:stream';
import { context } from './context.ts';
import { listen, type Outcome, redefine } from './outcome.ts';

type Step = { readonly done?: boolean | undefined; readonly value?: unknown };

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
  );
}

/**
 * Watches a stream where it is read: by a loop, by `next()`, by a web stream's reader. The same object
 * is given back, with these methods replaced on it; a frozen one is given back behind a proxy.
 */
export function followStream(
  stream: AsyncIterable<unknown>,
  outcome: Outcome,
): AsyncIterable<unknown> {
  return listen(stream, outcome, (audience) => {
    const methods: Record<PropertyKey, unknown> = isIterator(stream)
      ? { ...watchIterator(stream, audience) }
      : watchIterable(stream, audience);
    watchClose(stream, audience);
    return redefine(stream, methods) ? stream : withMethods(stream, methods);
  });
}

function watchIterable(
  stream: AsyncIterable<unknown>,
  outcome: Outcome,
): Record<PropertyKey, unknown> {
  const original: (...args: unknown[]) => AsyncIterator<unknown> = stream[Symbol.asyncIterator];
  const iterate = (...args: unknown[]): AsyncIterableIterator<unknown> => {
    try {
      // the iterator keeps the stream: a loop that is still reading has not let go of it
      return { stream, ...watchIterator(original.apply(stream, args), outcome) } as never;
    } catch (error) {
      outcome.fail(error);
      throw error;
    }
  };
  return stream instanceof ReadableStream
    ? { [Symbol.asyncIterator]: iterate, values: iterate, ...watchReaders(stream, outcome) }
    : { [Symbol.asyncIterator]: iterate };
}

/** A stream of node:stream may be read by events or `pipe`: then its end is all there is to see. */
function watchClose(stream: object, outcome: Outcome): void {
  if (!isNodeStream(stream)) return;
  stream.once('close', () => {
    if (stream.errored !== null) outcome.fail(stream.errored);
    else if (stream.readableEnded) outcome.complete();
    else outcome.cancel();
  });
}

function isNodeStream(value: object): value is Readable {
  const { once, readableEnded } = value as Partial<Readable>;
  return typeof once === 'function' && typeof readableEnded === 'boolean';
}

function isIterator(value: object): value is AsyncIterator<unknown> {
  return typeof (value as Partial<AsyncIterator<unknown>>).next === 'function';
}

function watchIterator(
  iterator: AsyncIterator<unknown>,
  outcome: Outcome,
): AsyncIterableIterator<unknown> {
  const { next, return: stop, throw: abort } = iterator;
  return {
    next: async (...args) => step(() => next.apply(iterator, args), outcome),
    async return(value) {
      outcome.cancel();
      if (stop === undefined) return { done: true, value: await value };
      return context.run(outcome.frame, async () => stop.call(iterator, value));
    },
    async throw(error) {
      return step(() => {
        if (abort === undefined) throw error;
        return abort.call(iterator, error);
      }, outcome);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function watchReaders(stream: ReadableStream, outcome: Outcome): Record<string, unknown> {
  const { cancel, getReader } = stream;
  return {
    async cancel(reason: unknown) {
      outcome.cancel();
      await cancel.call(stream, reason);
    },
    getReader(...args: Parameters<typeof getReader>) {
      const reader = getReader.apply(stream, args) as ReadableStreamDefaultReader<unknown>;
      const { cancel: cancelReader, read } = reader;
      redefine(reader, {
        read: async (...views: []) => step(async () => read.apply(reader, views), outcome),
        async cancel(reason: unknown) {
          outcome.cancel();
          await cancelReader.call(reader, reason);
        },
      });
      return reader;
    },
  };
}

async function step<Result extends Step>(
  pull: () => PromiseLike<Result>,
  outcome: Outcome,
): Promise<Result> {
  try {
    const result = await context.run(outcome.frame, pull);
    if (result.done === true) outcome.complete();
    else outcome.chunk(result.value);
    return result;
  } catch (error) {
    outcome.fail(error);
    throw error;
  }
}

/** For a frozen stream: everything else works on the stream itself, private fields included. */
function withMethods<Stream extends object>(
  stream: Stream,
  methods: Readonly<Record<PropertyKey, unknown>>,
): Stream {
  return new Proxy(stream, {
    get(target, key) {
      if (Object.hasOwn(methods, key)) return methods[key as string];
      const value: unknown = Reflect.get(target, key, target);
      // an own property of a frozen object must be given as it is
      return typeof value === 'function' && !Object.hasOwn(target, key)
        ? value.bind(target)
        : value;
    },
  });
}
