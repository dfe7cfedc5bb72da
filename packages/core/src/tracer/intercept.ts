import type { TracePayload } from '../event.ts';
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
  return isAsync(fn) ? () => rejecting(whole) : whole;
}

/**
 * An async function never throws before it gives back its promise, and with an interceptor before it
 * neither: of calls side by side, the refusal of one would leave the others unobserved.
 */
function rejecting<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error) as T;
  }
}

function isAsync(fn: unknown): boolean {
  return Object.prototype.toString.call(fn) === '[object AsyncFunction]';
}
