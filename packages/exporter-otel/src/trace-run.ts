import type { Attributes, TracerProvider } from '@opentelemetry/api';
import { type HelperSpanInit, runInHelperSpan } from './helper-span.ts';

/** Anything with a method `run`. */
export interface Runnable {
  run(...args: never[]): unknown;
}

/** How the runs of a class or an object are traced. */
export interface RunTrace {
  readonly kind: HelperSpanInit['kind'];
  /** The name of the span of a run, given its `this`. */
  readonly nameOf: (self: unknown) => string;
  readonly attributesOf?: (result: unknown) => Attributes;
  readonly tracerProvider: TracerProvider | undefined;
}

/** Which runs are traced already, and as what. */
const traced = new WeakMap<object, HelperSpanInit['kind']>();

/**
 * Replaces `run` on a prototype or an object by one that does the same in a span. A proxy: name,
 * length and what else hangs on the method are the method's own. One that is traced already stays.
 *
 * @returns whether it is traced now: not on a frozen object
 */
export function traceRun(target: object, run: Runnable['run'], runTrace: RunTrace): boolean {
  const { kind, nameOf, attributesOf, tracerProvider } = runTrace;
  if (traced.get(run) === kind) return true;
  const replaced = new Proxy(run, {
    apply: (method, self: unknown, args): unknown =>
      runInHelperSpan(
        { kind, name: nameOf(self), tracerProvider },
        () => Reflect.apply(method, self, args),
        attributesOf,
      ),
  });
  traced.set(replaced, kind);
  const own = Reflect.getOwnPropertyDescriptor(target, 'run');
  return Reflect.defineProperty(target, 'run', {
    // an inherited one becomes an own one that, like a method, is not enumerable
    ...(own !== undefined && 'value' in own ? own : { writable: true, configurable: true }),
    value: replaced,
  });
}

/** The first of these that is a name. Never throws: a getter may. */
export function firstName(...candidates: readonly (() => unknown)[]): string {
  for (const candidate of candidates) {
    try {
      const name = candidate();
      if (typeof name === 'string' && name !== '') return name;
    } catch {
      // the next one
    }
  }
  return 'unknown';
}
