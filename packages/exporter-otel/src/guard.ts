import { type Context, context, diag } from '@opentelemetry/api';
import { messageOf } from '@pyagent-trace/core';

/**
 * Calls OpenTelemetry. What it throws (a sampler, a span processor, a context manager) is told to its
 * `diag` and goes no further.
 *
 * @returns `undefined` if it threw
 */
export function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    try {
      diag.warn(`@pyagent-trace/exporter-otel: ${messageOf(error)}`);
    } catch {
      // the app's logger threw too
    }
    return undefined;
  }
}

interface Ending<T> {
  readonly threw: boolean;
  readonly value?: T;
  readonly error?: unknown;
}

/** Runs the app's code in a context: exactly once, whatever the context manager does. */
export function runIn<T>(where: Context, code: () => T): T {
  const endings: Ending<T>[] = [];
  attempt(() => context.with(where, () => endings.push(endingOf(code))));
  const { threw, value, error } = endings[0] ?? endingOf(code);
  if (threw) throw error;
  return value as T;
}

function endingOf<T>(code: () => T): Ending<T> {
  try {
    return { threw: false, value: code() };
  } catch (error) {
    return { threw: true, error };
  }
}
