// oxlint-disable typescript/unbound-method -- methods are taken off an object and called on it again
import { context } from './context.ts';
import { abandoned, type Outcome, redefine } from './outcome.ts';

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
  const original = stream[Symbol.asyncIterator];
  const methods: Record<PropertyKey, unknown> = isIterator(stream)
    ? { ...watchIterator(stream, outcome) }
    : {
        [Symbol.asyncIterator]: () => ({
          // the iterator keeps the stream: a loop that is still reading has not let go of it
          stream,
          ...watchIterator(original.call(stream), outcome),
        }),
        ...(stream instanceof ReadableStream && watchReaders(stream, outcome)),
      };
  const given = redefine(stream, methods) ? stream : withMethods(stream, methods);
  abandoned.register(given, outcome);
  return given;
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
