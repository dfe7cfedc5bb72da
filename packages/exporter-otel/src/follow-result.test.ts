// oxlint-disable unicorn/no-thenable -- thenables are what is tested
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { collectGarbage } from '../testing/garbage.ts';
import { registerContextManager } from '../testing/helper-spans.ts';
import { follow, type Follower } from './follow-result.ts';
import { runIn } from './guard.ts';

const PLACE = createContextKey('place');
const place = (): unknown => context.active().getValue(PLACE);

/** A follower that keeps what it is told, and whose span is a place. */
function listen(name = 'span'): Follower & { readonly told: unknown[] } {
  const told: unknown[] = [];
  return {
    told,
    inside: (code) => runIn(ROOT_CONTEXT.setValue(PLACE, name), code),
    succeed: (value) => told.push(['succeed', value]),
    fail: (error) => told.push(['fail', error]),
    abandon: () => told.push(['abandon']),
  };
}

let unregister: () => void;
beforeEach(() => {
  unregister = registerContextManager();
});
afterEach(() => unregister());

describe('follow', () => {
  test.each([['text'], [undefined], [null], [Object.freeze({ then: 1 })], [[1]]])(
    'gives %s back at once',
    (value) => {
      const follower = listen();
      expect(follow(value, follower)).toBe(value);
      expect(follower.told).toEqual([['succeed', value]]);
    },
  );

  test('a proxy that answers no question is a value', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const follower = listen();
    expect(follow(proxy, follower)).toBe(proxy);
    expect(follower.told).toHaveLength(1);
  });

  test('a plain promise settles with the same value, and keeps what hangs on it', async () => {
    const follower = listen();
    const value = { text: 'Buy.' };
    const promise = Object.assign(Promise.resolve(value), { child: 'a process' });

    const followed = follow(promise, follower);

    expect(followed.child).toBe('a process');
    expect(follower.told).toEqual([]);
    expect(await followed).toBe(value);
    expect(follower.told).toEqual([['succeed', value]]);
  });

  test('a rejection that nobody handles stays unhandled', async () => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', unhandled);
    const failure = new Error('lost');
    const follower = listen();

    void follow(Promise.reject(failure), follower);
    await new Promise((resolve) => setImmediate(resolve));

    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
    expect(unhandled.mock.calls.map(([reason]) => reason)).toEqual([failure]);
    expect(follower.told).toEqual([['fail', failure]]);
  });
});

describe('follow with thenables', () => {
  test("an SDK's promise is given back itself, and is asked when the app asks", async () => {
    class ApiPromise<T> extends Promise<T> {
      asked = 0;
      override then<A, B>(...callbacks: Parameters<Promise<T>['then']>): Promise<A | B> {
        this.asked += 1;
        return super.then(...callbacks) as Promise<A | B>;
      }
      asResponse(): string {
        return 'response';
      }
    }
    const promise = new ApiPromise<string>((resolve) => resolve('Buy.'));
    const follower = listen();

    expect(follow(promise, follower)).toBe(promise);
    expect([promise.asked, promise.asResponse(), follower.told]).toEqual([0, 'response', []]);

    expect(await promise).toBe('Buy.');
    expect(promise.asked).toBe(1);
    expect(follower.told).toEqual([['succeed', 'Buy.']]);
  });

  test('a lazy query is sent in the span, and its answer used where the app asked', async () => {
    const places: unknown[] = [];
    const query = {
      then(resolve: (rows: number) => unknown) {
        places.push(place());
        queueMicrotask(() => resolve(3));
      },
    };
    const follower = listen();

    follow(query, follower);
    runIn(ROOT_CONTEXT.setValue(PLACE, 'app'), () =>
      query.then((rows) => places.push(rows, place())),
    );
    await Promise.resolve();

    expect(places).toEqual(['span', 3, 'app']);
    expect(follower.told).toEqual([['succeed', 3]]);
  });

  test('a query that fails rejects with the same error, handled or not', async () => {
    const failure = new Error('no table');
    const query = { then: (_: unknown, reject: (error: Error) => unknown) => reject(failure) };
    const follower = listen();
    follow(query, follower);
    await expect(Promise.resolve(query)).rejects.toBe(failure);
    expect(() => query.then(undefined, undefined as never)).toThrow(failure);
    expect(follower.told).toEqual([['fail', failure]]);
  });

  test('a handler that is left out is passed by, and one of errors runs where the app asked', async () => {
    class ApiPromise<T> extends Promise<T> {}
    const [fine, failing] = [listen(), listen()];
    const answered = follow(ApiPromise.resolve('Buy.'), fine);
    const refused = follow(ApiPromise.reject(new Error('refused')), failing);

    expect(await answered.catch(() => 'Sell.')).toBe('Buy.');
    const asked = runIn(ROOT_CONTEXT.setValue(PLACE, 'app'), () => refused.catch(() => place()));
    expect(await asked).toBe('app');
    expect([fine.told, failing.told]).toEqual([
      [['succeed', 'Buy.']],
      [['fail', new Error('refused')]],
    ]);
  });

  test('a frozen thenable stays as it is', async () => {
    const query = Object.freeze({ then: (resolve: (rows: number) => unknown) => resolve(3) });
    const follower = listen();
    expect(follow(query, follower)).toBe(query);
    expect(follower.told).toEqual([['succeed', query]]);
    expect(await query).toBe(3);
  });

  test('one thenable is followed for each that returns it, and wrapped once', async () => {
    const query = { then: (resolve: (rows: number) => unknown) => resolve(3) };
    const [inner, outer, later] = [listen('inner'), listen('outer'), listen()];
    follow(query, inner);
    const { then } = query;
    follow(query, outer);
    await query;
    follow(query, later);
    expect(query.then).toBe(then);
    expect([inner.told, outer.told, later.told]).toEqual([[['succeed', 3]], [['succeed', 3]], []]);
    await query;
    expect(later.told).toEqual([['succeed', 3]]);
  });
});

describe('follow with generators', () => {
  test('each step runs in the span, which ends with the last', async () => {
    const follower = listen();
    const steps = follow(stream(), follower);
    const seen: unknown[] = [];
    for await (const step of steps) seen.push(step, place());
    expect(seen).toEqual(['span', undefined, 'span', undefined]);
    expect(follower.told).toEqual([['succeed', 'done']]);
  });

  test('a synchronous one too, and delegated to', () => {
    const follower = listen();
    const made = syncStream();
    const given = follow(made, follower);
    function* delegate(): Generator<unknown, string> {
      return yield* given;
    }
    expect(given).toBe(made);
    expect([...delegate()]).toEqual(['span']);
    expect(follower.told).toEqual([['succeed', 'done']]);
  });

  test('a break ends it, after its clean-up', async () => {
    const order: string[] = [];
    const follower = listen();
    async function* cleaned(): AsyncGenerator<number> {
      try {
        yield 1;
      } finally {
        order.push(`clean-up in ${String(place())}, ${follower.told.length} told`);
      }
    }
    for await (const _ of follow(cleaned(), follower)) break;
    expect(order).toEqual(['clean-up in span, 0 told']);
    expect(follower.told).toEqual([['succeed', undefined]]);
  });

  test('what it throws, and what is thrown into it, fails it', async () => {
    const failure = new Error('lost');
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      throw failure;
    }
    const [own, given] = [listen(), listen()];

    const steps = follow(failing(), own);
    await steps.next();
    await expect(steps.next()).rejects.toBe(failure);
    const thrown = follow(once(), given);
    thrown.next();
    expect(() => thrown.throw(failure)).toThrow(failure);

    expect([own.told, given.told]).toEqual([[['fail', failure]], [['fail', failure]]]);
  });

  test('one that an async function or a thenable resolves to is followed', async () => {
    const [promised, resolved] = [listen(), listen()];
    const first = stream();
    expect(await follow(Promise.resolve(first), promised)).toBe(first);
    const second = stream();
    const query = { then: (resolve: (value: unknown) => unknown) => resolve(second) };
    expect(await follow(query, resolved)).toBe(second);
    expect([promised.told, resolved.told]).toEqual([[], []]);
    await first.return('stopped');
    await second.return('stopped');
    expect([promised.told, resolved.told]).toEqual([
      [['succeed', 'stopped']],
      [['succeed', 'stopped']],
    ]);
  });

  test('what is never read or awaited is abandoned when it is collected', async () => {
    const [unread, unawaited, reading] = [listen(), listen(), listen()];
    const steps = follow(stream(), reading);
    await steps.next();
    follow(stream(), unread);
    follow({ then: (resolve: (value: number) => void) => resolve(1) }, unawaited);

    await collectGarbage(() => unread.told.length + unawaited.told.length > 1);

    expect([unread.told, unawaited.told, reading.told]).toEqual([[['abandon']], [['abandon']], []]);
    expect(await steps.next()).toEqual({ done: false, value: 'span' });
  });
});

async function* stream(): AsyncGenerator<unknown, string> {
  yield place();
  await Promise.resolve();
  yield place();
  return 'done';
}

function* syncStream(): Generator<unknown, string> {
  yield place();
  return 'done';
}

function* once(): Generator<number> {
  yield 1;
}
