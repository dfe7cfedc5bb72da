import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { context, type Frame } from './context.ts';
import { follow } from './follow.ts';
import type { Outcome } from './outcome.ts';

const frame: Frame = {
  trace_id: 't',
  span_id: 's',
  agent_name: 'a',
  pattern_type: 'p',
  parent: undefined,
  reported: undefined,
  reportedValue: undefined,
};

function refuse(): never {
  throw new Error('asked');
}

/** An outcome that keeps what it is told. */
function listen(): Outcome & { readonly told: unknown[] } {
  const told: unknown[] = [];
  let ended = false;
  const end = (...words: unknown[]): void => {
    ended = true;
    told.push(words);
  };
  return {
    told,
    frame,
    get ended() {
      return ended;
    },
    succeed: (value) => end('succeed', value),
    fail: (error) => end('fail', error),
    cancel: () => end('cancel'),
    chunk: (value) => told.push(['chunk', value]),
    complete: () => end('complete'),
  };
}

class Stream implements AsyncIterable<string> {
  readonly #chunks: readonly (string | Error)[];
  #closed = false;
  constructor(...chunks: (string | Error)[]) {
    this.#chunks = chunks;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    try {
      for (const chunk of this.#chunks) {
        if (chunk instanceof Error) throw chunk;
        yield chunk;
      }
    } finally {
      this.#closed = true;
    }
  }
  get closed(): boolean {
    return this.#closed;
  }
  /** A method of its own, with private state: what SDK streams have. */
  size(): number {
    return this.#chunks.length;
  }
}

async function* whereItRuns(): AsyncGenerator<string | undefined> {
  yield context.getStore()?.span_id;
}

async function read(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

describe('follow with promises', () => {
  test('a plain promise settles for the app as it does for the outcome', async () => {
    const good = listen();
    const bad = listen();
    const failure = new Error('no');
    await expect(follow(Promise.resolve(7), good)).resolves.toBe(7);
    await expect(follow(Promise.reject(failure), bad)).rejects.toBe(failure);
    expect(good.told).toEqual([['succeed', 7]]);
    expect(bad.told).toEqual([['fail', failure]]);
  });

  test('a rejection that nobody handles stays unhandled', async () => {
    const unhandled = vi.fn<(error: unknown) => void>();
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', unhandled);
    try {
      const failure = new Error('forgotten');
      void follow(Promise.reject(failure), listen());
      await new Promise((resolve) => setTimeout(resolve));
      expect(unhandled.mock.calls.map(([error]) => error)).toEqual([failure]);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });

  test('a promise of a class of its own is given back itself, with its methods', async () => {
    class ApiPromise<T> extends Promise<T> {
      asResponse(): string {
        return 'raw';
      }
    }
    const outcome = listen();
    const promise = ApiPromise.resolve(7) as ApiPromise<number>;
    const followed = follow(promise, outcome);
    expect(followed).toBe(promise);
    expect(followed.asResponse()).toBe('raw');
    expect(outcome.told).toEqual([]);
    expect(await followed).toBe(7);
    expect(outcome.told).toEqual([['succeed', 7]]);
    const failure = new Error('no');
    const rejected = follow(ApiPromise.reject(failure), outcome);
    await expect(rejected.catch((error: unknown) => error)).resolves.toBe(failure);
    expect(outcome.told.at(-1)).toEqual(['fail', failure]);
  });

  test('a lazy thenable is sent by the app alone, once per await', async () => {
    let sent = 0;
    const query = {
      // oxlint-disable-next-line unicorn/no-thenable -- a query builder is one
      then(resolve: (rows: number) => void) {
        sent += 1;
        resolve(sent);
      },
    };
    const outcome = listen();
    const followed = follow(query, outcome);
    expect(followed).toBe(query);
    await Promise.resolve();
    expect(sent).toBe(0);
    expect(await followed).toBe(1);
    expect(outcome.told).toEqual([['succeed', 1]]);
  });

  test('a frozen thenable is followed behind a promise', async () => {
    const outcome = listen();
    // oxlint-disable-next-line unicorn/no-thenable -- on purpose
    const frozen = Object.freeze({ then: (resolve: (value: number) => void) => resolve(7) });
    expect(await follow(frozen, outcome)).toBe(7);
    expect(outcome.told).toEqual([['succeed', 7]]);
  });

  test('a promise of a stream is followed to the end of the stream', async () => {
    const outcome = listen();
    const stream = new Stream('a');
    const given = await follow(Promise.resolve(stream), outcome);
    expect(given).toBe(stream);
    expect(outcome.told).toEqual([]);
    await read(given);
    expect(outcome.told).toEqual([['chunk', 'a'], ['complete']]);
  });
});

describe('follow with what is no ordinary value', () => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const mock = new Proxy(
    {},
    { get: (_, key) => (key === 'then' ? undefined : refuse()), getPrototypeOf: refuse },
  );

  test.each([
    ['a revoked proxy', revoked],
    // oxlint-disable-next-line unicorn/no-thenable -- on purpose
    ['a getter of then that throws', Object.defineProperty({}, 'then', { get: refuse })],
    ['a strict mock', mock],
  ])('gives %s back and ends', (_, value) => {
    const outcome = listen();
    expect(follow(value, outcome) === value).toBe(true);
    expect(outcome.told).toHaveLength(1);
  });

  test('a promise of a strict mock settles with it', async () => {
    const outcome = listen();
    expect((await follow(Promise.resolve(mock), outcome)) === mock).toBe(true);
    expect(outcome.told).toHaveLength(1);
  });

  test('keeps what the app hung on its promise', async () => {
    const child = { pid: 1 };
    const followed = follow(Object.assign(Promise.resolve(7), { child }), listen());
    expect(followed.child).toBe(child);
    expect(await followed).toBe(7);
  });

  test('a callable thenable is waited for', async () => {
    const outcome = listen();
    // oxlint-disable-next-line unicorn/no-thenable -- a query builder may be one
    const query = Object.assign(() => 1, { then: (resolve: (n: number) => void) => resolve(7) });
    const followed = follow(query, outcome);
    expect(outcome.told).toEqual([]);
    expect(await followed).toBe(7);
    expect(outcome.told).toEqual([['succeed', 7]]);
  });

  test('one object that is the result of many operations is changed once', async () => {
    class Lazy<T> extends Promise<T> {}
    const promise = Lazy.resolve(5);
    const stream = new Stream('a');
    let methods: PropertyDescriptorMap | undefined;
    for (let round = 0; round < 20_000; round++) {
      const outcome = listen();
      await follow(promise, outcome);
      expect(outcome.told).toEqual([['succeed', 5]]);
      methods ??= Object.getOwnPropertyDescriptors(promise);
      follow(stream, outcome);
    }
    expect(Object.getOwnPropertyDescriptors(promise)).toEqual(methods);
    expect(await read(stream)).toEqual(['a']);
  });

  test('tells each of the operations that one stream is the result of', async () => {
    const call = listen();
    const agent = listen();
    const stream = new Stream('a');
    await read(follow(follow(stream, call), agent));
    expect(call.told).toEqual([['chunk', 'a'], ['complete']]);
    expect(agent.told).toEqual([['chunk', 'a'], ['complete']]);
  });

  test('follows the stream of a lazy promise once, however often it is awaited', async () => {
    const stream = new Stream('a');
    // oxlint-disable-next-line unicorn/no-thenable -- a lazy promise
    const lazy = { then: (resolve: (value: Stream) => void) => resolve(stream) };
    const outcome = listen();
    const followed = follow(lazy, outcome);
    await followed;
    expect(await read(await followed)).toEqual(['a']);
    expect(outcome.told).toEqual([['chunk', 'a'], ['complete']]);
  });
});

describe.each([
  ['an object with an async iterator', (...chunks: (string | Error)[]) => new Stream(...chunks)],
  [
    'an async generator',
    (...chunks: (string | Error)[]) => new Stream(...chunks)[Symbol.asyncIterator](),
  ],
  [
    'a frozen stream',
    (...chunks: (string | Error)[]) =>
      Object.freeze(new Stream(...chunks)) as AsyncIterable<string>,
  ],
  [
    'a web stream',
    (...chunks: (string | Error)[]): AsyncIterable<string> =>
      ReadableStream.from(new Stream(...chunks)) as unknown as AsyncIterable<string>,
  ],
])('follow with %s', (name, create) => {
  test('ends once when it is read to its end', async () => {
    const outcome = listen();
    const stream = create('a', 'b');
    const given = follow(stream, outcome);
    expect(given === stream).toBe(name !== 'a frozen stream');
    expect(await read(given)).toEqual(['a', 'b']);
    expect(outcome.told).toEqual([['chunk', 'a'], ['chunk', 'b'], ['complete']]);
  });

  test('ends when the app breaks out of its loop', async () => {
    const outcome = listen();
    for await (const chunk of follow(create('a', 'b'), outcome)) if (chunk === 'a') break;
    expect(outcome.told).toEqual([['chunk', 'a'], ['cancel']]);
  });

  test('ends when the app throws inside its loop', async () => {
    const outcome = listen();
    const loop = async (): Promise<void> => {
      for await (const chunk of follow(create('a', 'b'), outcome)) throw new Error(chunk);
    };
    await expect(loop()).rejects.toThrow('a');
    expect(outcome.told).toEqual([['chunk', 'a'], ['cancel']]);
  });

  test('ends with the error that the stream throws, and the app gets the same one', async () => {
    const outcome = listen();
    const failure = new Error('connection lost');
    await expect(read(follow(create('a', failure), outcome))).rejects.toBe(failure);
    expect(outcome.told).toEqual([
      ['chunk', 'a'],
      ['fail', failure],
    ]);
  });
});

describe('follow with streams', () => {
  test('keeps private state and methods of a frozen stream working', () => {
    expect(follow(Object.freeze(new Stream('a', 'b')), listen()).size()).toBe(2);
  });

  test('lets the stream clean up after a break', async () => {
    const stream = new Stream('a', 'b');
    for await (const _ of follow(stream, listen())) break;
    expect(stream.closed).toBe(true);
  });

  test('runs a generator where it was made, not where it is read', async () => {
    expect(await read(follow(whereItRuns(), listen()))).toEqual(['s']);
    expect(context.getStore()).toBeUndefined();
  });

  test('an iterator with neither return nor throw is cancelled and failed for it', async () => {
    const outcome = listen();
    const bare = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false as const, value: 1 }) }),
    };
    for await (const _ of follow(bare, outcome)) break;
    expect(outcome.told).toEqual([['chunk', 1], ['cancel']]);

    const thrown = new Error('given up');
    const iterator = follow(bare, outcome)[Symbol.asyncIterator]() as AsyncIterator<number>;
    await expect(iterator.throw?.(thrown)).rejects.toBe(thrown);
    expect(outcome.told.at(-1)).toEqual(['fail', thrown]);
  });

  test('a stream that cannot be iterated fails', () => {
    const failure = new Error('closed');
    const outcome = listen();
    const stream = follow(
      {
        [Symbol.asyncIterator](): AsyncIterator<string> {
          throw failure;
        },
      },
      outcome,
    );
    expect(() => stream[Symbol.asyncIterator]()).toThrow(failure);
    expect(outcome.told).toEqual([['fail', failure]]);
  });

  test('a web stream is watched through values(), with its options', async () => {
    const outcome = listen();
    const stream = follow(ReadableStream.from(['a', 'b']), outcome);
    for await (const _ of stream.values({ preventCancel: true })) break;
    expect(outcome.told).toEqual([['chunk', 'a'], ['cancel']]);
    expect(await stream.getReader().read()).toEqual({ done: false, value: 'b' });
  });

  test.each<[string, (stream: Readable) => unknown, unknown[]]>([
    ['read to its end', (stream) => stream.resume(), ['complete']],
    ['destroyed', (stream) => stream.destroy(), ['cancel']],
    [
      'destroyed with an error',
      (stream) => stream.on('error', () => undefined).destroy(new Error('lost')),
      ['fail', new Error('lost')],
    ],
  ])('a node stream that is %s by events ends', async (_, use, ending) => {
    const outcome = listen();
    const stream = follow(Readable.from(['a', 'b']), outcome);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    use(stream);
    await closed;
    expect(outcome.told).toEqual([ending]);
  });

  test('a web stream is watched through a reader too', async () => {
    const whole = listen();
    const reader = follow(ReadableStream.from(['a']), whole).getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'a' });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    expect(whole.told).toEqual([['chunk', 'a'], ['complete']]);

    const cancelled = listen();
    await follow(ReadableStream.from(['a']), cancelled).cancel();
    expect(cancelled.told).toEqual([['cancel']]);

    const stopped = listen();
    await follow(ReadableStream.from(['a']), stopped)
      .getReader()
      .cancel();
    expect(stopped.told).toEqual([['cancel']]);
  });

  test('what is never read or awaited ends when it is collected, what is being read does not', async () => {
    const unread = listen();
    const reading = listen();
    const unawaited = listen();
    const iterator = follow(countingStream(), reading)[Symbol.asyncIterator]();
    await iterator.next();
    follow(countingStream(), unread);
    // oxlint-disable-next-line unicorn/no-thenable -- a query that is never sent
    follow({ then: (resolve: (value: number) => void) => resolve(1) }, unawaited);

    await collectGarbage(() => unread.told.length > 0 && unawaited.told.length > 0);

    expect(unread.told).toEqual([['cancel']]);
    expect(unawaited.told).toEqual([['cancel']]);
    expect(reading.told).toEqual([['chunk', 1]]);
    expect(await iterator.next()).toEqual({ done: false, value: 2 });
  });
});

/** A stream that its iterator does not refer to. */
function countingStream(): AsyncIterable<number> {
  return {
    [Symbol.asyncIterator]() {
      let count = 0;
      return { next: async () => ({ done: false as const, value: (count += 1) }) };
    },
  };
}

async function collectGarbage(until: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 100 && !until(); round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
