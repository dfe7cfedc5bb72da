// oxlint-disable typescript/unbound-method -- a method is taken off an object and called on it again
import { isThenable } from '../bus/promises.ts';
import { followStream, isAsyncIterable } from './follow-stream.ts';
import { listen, type Outcome, redefine } from './outcome.ts';

/**
 * Tells `outcome` how a result turns out, and gives the app its result back. Never throws.
 *
 * A plain promise is followed by the promise that `then` makes of it, so that a rejection nobody
 * handles stays unhandled. Anything with methods of its own (an SDK's promise, a stream) is given
 * back itself: what the app calls on it is what is watched.
 */
export function follow<T>(result: T, outcome: Outcome): T {
  try {
    if (result instanceof Promise && result.constructor === Promise)
      return followPromise(result, outcome) as T;
    if (isThenable(result)) return followThenable(result, outcome) as T;
  } catch {
    // a proxy that answers no question: the app's own business
  }
  return followValue(result, outcome);
}

function followPromise(promise: Promise<unknown>, outcome: Outcome): Promise<unknown> {
  const followed = promise.then(
    (value) => followValue(value, outcome),
    (error: unknown) => {
      outcome.fail(error);
      throw error;
    },
  );
  // what the app hung on its promise, as `promisify(exec)` does with `child`
  for (const key of Object.keys(promise)) Reflect.set(followed, key, Reflect.get(promise, key));
  return followed;
}

function followValue<T>(value: T, outcome: Outcome): T {
  try {
    if (isAsyncIterable(value)) return followStream(value, outcome) as T;
  } catch {
    // as above
  }
  outcome.succeed(value);
  return value;
}

/** A thenable may be lazy, so that `then` sends the request: only the app may call it. */
function followThenable(thenable: PromiseLike<unknown>, outcome: Outcome): PromiseLike<unknown> {
  return listen(thenable, outcome, (audience) => {
    const { then } = thenable;
    const followed = (
      onFulfilled?: ((value: unknown) => unknown) | null,
      onRejected?: ((error: unknown) => unknown) | null,
    ): PromiseLike<unknown> =>
      then.call(
        thenable,
        (value) => {
          const given = followValue(value, audience);
          return typeof onFulfilled === 'function' ? onFulfilled(given) : given;
        },
        (error: unknown) => {
          audience.fail(error);
          if (typeof onRejected === 'function') return onRejected(error);
          throw error;
        },
      );
    // oxlint-disable-next-line unicorn/no-thenable -- it is one already
    const methods = { then: followed };
    return redefine(thenable, methods) ? thenable : Promise.resolve(methods);
  });
}
