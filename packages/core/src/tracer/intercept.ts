import { ignoreRejection, isThenable } from '../bus/promises.ts';
import type { TracePayload } from '../event.ts';
import type { Frame } from './context.ts';
import { isAsyncIterable } from './follow-stream.ts';
import type { Operation } from './operation.ts';
import type { InterceptedOperation, Interceptor } from './types.ts';

/** What an interceptor sees of an operation. */
interface Intercepted {
  readonly kind: InterceptedOperation['kind'];
  readonly operation: Operation;
  readonly payload: TracePayload;
}

/**
 * A call with interceptors around it, the first one outermost.
 *
 * @param fn the app's function, which the call runs
 */
export function intercept<T>(
  interceptors: readonly Interceptor[],
  { kind, operation, payload }: Intercepted,
  fn: unknown,
  call: () => T,
): () => T {
  if (interceptors.length === 0) return call;
  const {
    trace_id = '',
    span_id = '',
    agent_name = '',
    pattern_type = '',
    session_id = '',
  } = operation.frame ?? {};
  const seen: InterceptedOperation = {
    kind,
    trace_id,
    span_id,
    agent_name,
    pattern_type,
    session_id,
    get parent_span_ids() {
      return spansAround(operation.frame);
    },
    payload,
    set: operation.set,
    onEnd: operation.onEnd,
    get signal() {
      return operation.signal;
    },
    set signal(signal) {
      operation.signal = signal;
    },
  };
  const whole = interceptors.reduceRight<() => unknown>(
    (next, interceptor) => () => interceptor(seen, next),
    call,
  ) as () => T;
  return shapedLike(fn, whole);
}

function spansAround(frame: Frame | undefined): string[] {
  const span_ids: string[] = [];
  for (let around = frame?.parent; around !== undefined; around = around.parent)
    span_ids.push(around.span_id);
  return span_ids;
}

/**
 * What an interceptor gives instead of the app's function comes in that function's shape: a promise from
 * an async function, which never throws before it gives one back (of calls side by side, the refusal of
 * one would leave the others unobserved), and an async generator from a function that makes one.
 */
function shapedLike<T>(fn: unknown, call: () => T): () => T {
  switch (Object.prototype.toString.call(fn)) {
    case '[object AsyncFunction]':
      return () => promised(call) as T;
    case '[object AsyncGeneratorFunction]':
      return () => generated(call) as T;
    default:
      return call;
  }
}

function promised(call: () => unknown): unknown {
  try {
    const given = call();
    return given instanceof Promise ? given : Promise.resolve(given);
  } catch (error) {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as it was thrown
    return Promise.reject(error);
  }
}

function generated(call: () => unknown): unknown {
  let given: unknown;
  try {
    given = call();
  } catch (error) {
    return pulled(() => {
      throw error;
    });
  }
  if (isAsyncIterable(given) && 'next' in given) return given;
  if (isThenable(given)) void ignoreRejection(given); // until it is pulled, as with any generator
  return pulled(() => given);
}

/** What an interceptor gave or threw shows when the generator is pulled. */
async function* pulled(give: () => unknown): AsyncGenerator<unknown, unknown, undefined> {
  return yield* (await give()) as AsyncIterable<unknown>;
}
