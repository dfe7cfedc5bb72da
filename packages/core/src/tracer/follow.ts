// oxlint-disable typescript/unbound-method -- methods are taken off an object and called on it again
import { followStream, isAsyncIterable } from './follow-stream.ts';
import { abandoned, type Outcome, redefine } from './outcome.ts';

/**
 * Tells `outcome` how a result turns out, and gives the app its result back.
 *
 * A plain promise is followed by the promise that `then` makes of it, so that a rejection nobody
 * handles stays unhandled. Anything with methods of its own (an SDK's promise, a stream) is given
 * back itself: what the app calls on it is what is watched.
 */
export function follow<T>(result: T, outcome: Outcome): T {
  if (result instanceof Promise && result.constructor === Promise)
    return result.then(
      (value: unknown) => followValue(value, outcome),
      (error: unknown) => {
        outcome.fail(error);
        throw error;
      },
    ) as T;
  return isThenable(result) ? (followThenable(result, outcome) as T) : followValue(result, outcome);
}

function followValue<T>(value: T, outcome: Outcome): T {
  if (isAsyncIterable(value)) return followStream(value, outcome) as T;
  outcome.succeed(value);
  return value;
}

/** A thenable may be lazy, so that `then` sends the request: only the app may call it. */
function followThenable(thenable: PromiseLike<unknown>, outcome: Outcome): PromiseLike<unknown> {
  const { then } = thenable;
  const followed = (
    onFulfilled?: ((value: unknown) => unknown) | null,
    onRejected?: ((error: unknown) => unknown) | null,
  ): PromiseLike<unknown> =>
    then.call(
      thenable,
      (value) => {
        const given = followValue(value, outcome);
        return typeof onFulfilled === 'function' ? onFulfilled(given) : given;
      },
      (error: unknown) => {
        outcome.fail(error);
        if (typeof onRejected === 'function') return onRejected(error);
        throw error;
      },
    );
  // oxlint-disable-next-line unicorn/no-thenable -- it is one already
  if (!redefine(thenable, { then: followed })) return Promise.resolve({ then: followed });
  abandoned.register(thenable, outcome);
  return thenable;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
