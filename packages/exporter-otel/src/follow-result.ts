// oxlint-disable typescript/unbound-method -- methods are taken off an object and called on it again
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { attempt, runIn } from './guard.ts';

/** Who wants to know how a result turns out. Only the first word counts. */
export interface Follower {
  /** Runs code with the follower's span active. */
  inside<T>(code: () => T): T;
  succeed(value: unknown): void;
  fail(error: unknown): void;
  /** The app let go of the result: it was never awaited, or not read to its end. */
  abandon(): void;
}

type Method = (...args: unknown[]) => unknown;
type Methods = Readonly<Record<string, Method>>;

/**
 * Tells a follower how a result turns out, and gives the app its result back. Never throws.
 *
 * A plain promise is followed by the promise that `then` makes of it, so that a rejection nobody
 * handles stays unhandled. Another thenable (an SDK's promise, a lazy query) and a generator are given
 * back themselves, with the methods replaced through which the app awaits or reads them.
 */
export function follow<T>(result: T, follower: Follower): T {
  try {
    if (result instanceof Promise && result.constructor === Promise)
      return followPromise(result, follower) as T;
    if (isThenable(result)) {
      listen(result, follower, thenableMethods);
      return result;
    }
  } catch {
    // a proxy that answers no question: the app's own business
  }
  return followValue(result, follower);
}

function followPromise(promise: Promise<unknown>, follower: Follower): Promise<unknown> {
  const followed = promise.then(
    (value) => followValue(value, follower),
    (error: unknown) => {
      follower.fail(error);
      throw error;
    },
  );
  // what the app hung on its promise, as `promisify(exec)` does with `child`
  for (const key of Object.keys(promise)) Reflect.set(followed, key, Reflect.get(promise, key));
  return followed;
}

function followValue<T>(value: T, follower: Follower): T {
  try {
    if (isGenerator(value)) {
      listen(value, follower, generatorMethods);
      return value;
    }
  } catch {
    // as above
  }
  follower.succeed(value);
  return value;
}

/** All followers of one object: an agent may give back what its model call gave it. */
class Audience {
  readonly #members: Set<Follower>;

  constructor(first: Follower) {
    this.#members = new Set([first]);
  }

  add(follower: Follower): void {
    this.#members.add(follower);
  }

  /** In the span of the first, who is innermost. */
  inside<T>(code: () => T): T {
    const [innermost] = this.#members;
    return innermost === undefined ? code() : innermost.inside(code);
  }

  /** Tells each, once. */
  tell(word: (follower: Follower) => void): void {
    const members = [...this.#members];
    this.#members.clear();
    for (const member of members) word(member);
  }
}

const audiences = new WeakMap<object, Audience>();
const abandoned = new FinalizationRegistry<Audience>((audience) =>
  audience.tell((follower) => follower.abandon()),
);

/** Replaces methods of an object the first time; after that the follower joins the others. */
function listen<Target extends object>(
  target: Target,
  follower: Follower,
  methodsOf: (target: Target, audience: Audience) => Methods,
): void {
  const known = audiences.get(target);
  if (known !== undefined) {
    known.add(follower);
    return;
  }
  const audience = new Audience(follower);
  if (!redefine(target, methodsOf(target, audience))) {
    follower.succeed(target); // frozen: it stays as it is
    return;
  }
  audiences.set(target, audience);
  abandoned.register(target, audience);
}

function redefine(target: object, methods: Methods): boolean {
  return Object.entries(methods).every(([key, value]) =>
    Reflect.defineProperty(target, key, {
      value,
      configurable: true,
      writable: true,
      enumerable: false,
    }),
  );
}

/** A thenable may be lazy, so that `then` sends the request: only the app may call it. */
function thenableMethods(thenable: PromiseLike<unknown>, audience: Audience): Methods {
  const { then } = thenable;
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- it is one already
    then(onFulfilled, onRejected) {
      // the request belongs to the span; what the app does with the answer, to where it asked
      const caller = attempt(() => context.active()) ?? ROOT_CONTEXT;
      return audience.inside(() =>
        then.call(
          thenable,
          (value) => {
            audience.tell((follower) => followValue(value, follower));
            if (typeof onFulfilled !== 'function') return value;
            return runIn(caller, () => (onFulfilled as Method)(value));
          },
          (error: unknown) => {
            audience.tell((follower) => follower.fail(error));
            if (typeof onRejected !== 'function') throw error;
            return runIn(caller, () => (onRejected as Method)(error));
          },
        ),
      );
    },
  };
}

/** The body of a generator runs where it is read; each step runs in the span. */
function generatorMethods(generator: Generator | AsyncGenerator, audience: Audience): Methods {
  const told = (step: IteratorResult<unknown>): IteratorResult<unknown> => {
    if (step.done === true) audience.tell((follower) => follower.succeed(step.value));
    return step;
  };
  const failed = (error: unknown): never => {
    audience.tell((follower) => follower.fail(error));
    throw error;
  };
  const watch =
    (method: (this: unknown, value: never) => unknown): Method =>
    (...args) => {
      let step: unknown;
      try {
        step = audience.inside(() => Reflect.apply(method, generator, args));
      } catch (error) {
        return failed(error);
      }
      return step instanceof Promise ? step.then(told, failed) : told(step as never);
    };
  return {
    next: watch(generator.next),
    return: watch(generator.return),
    throw: watch(generator.throw),
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** By tag, so that one of another realm is known too. */
function isGenerator(value: unknown): value is Generator | AsyncGenerator {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Generator]' || tag === '[object AsyncGenerator]';
}
