import { monotonicMs } from './clock.ts';
import { messageOf } from './errors.ts';
import type { TraceEvent } from './event.ts';
import type { FlushReport, TraceExporter } from './exporter.ts';
import type { Processor } from './gate.ts';

/** A consumer on a bus, and the events lost on the way to it. */
export interface Enrolment {
  readonly exporter: TraceExporter;
  dropped: number;
}

/** What a bus subscribes for a consumer: an event that gets lost here is counted. */
export function deliverTo(
  enrolment: Enrolment,
  processors: readonly Processor[],
): (event: TraceEvent) => void {
  return (event) => {
    try {
      let processed: TraceEvent | undefined = event;
      for (const processor of processors) {
        processed = processor(processed);
        if (processed === undefined) return;
      }
      enrolment.exporter.exportEvent(processed);
    } catch (error) {
      enrolment.dropped += 1;
      throw error;
    }
  };
}

/**
 * Waits for a promise, but no longer than the time given. Keeps the process alive meanwhile: somebody
 * awaits the answer. Never rejects.
 *
 * @returns what went wrong, or `undefined`
 */
export async function within(
  promise: PromiseLike<unknown>,
  timeoutMs: number,
): Promise<{ readonly timedOut: boolean; readonly error: unknown } | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ timedOut: true, error: undefined }), timeoutMs);
    const settle = (outcome?: { timedOut: boolean; error: unknown }): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    try {
      promise.then(
        () => settle(),
        (error: unknown) => settle({ timedOut: false, error }),
      );
    } catch (error) {
      settle({ timedOut: false, error });
    }
  });
}

/** Flushes or shuts down exporters side by side within the time given, one receipt each. */
export async function collectReceipts(
  enrolments: Iterable<Enrolment>,
  method: 'flush' | 'shutdown',
  timeoutMs: number,
): Promise<FlushReport[]> {
  const deadline = monotonicMs() + timeoutMs;
  return Promise.all(
    Array.from(enrolments, async (enrolment) => {
      const leftMs = Math.max(0, deadline - monotonicMs());
      return receipt(enrolment, method, leftMs);
    }),
  );
}

async function receipt(
  { exporter, dropped }: Enrolment,
  method: 'flush' | 'shutdown',
  timeoutMs: number,
): Promise<FlushReport> {
  let problem: string | undefined;
  try {
    const outcome = await within(exporter[method]({ timeoutMs }), timeoutMs);
    if (outcome?.timedOut === true)
      problem = `${method} did not end within ${Math.round(timeoutMs)} ms`;
    else if (outcome !== undefined) problem = messageOf(outcome.error);
  } catch (error) {
    problem = messageOf(error);
  }
  try {
    const { accepted: _, ...stats } = exporter.stats();
    const error = problem ?? stats.error;
    return {
      ...stats,
      exporter: exporter.name,
      dropped: stats.dropped + dropped,
      ...(error !== undefined && { error }),
    };
  } catch (error) {
    return {
      exporter: exporter.name,
      delivered: 0,
      failed: 0,
      dropped,
      pending: 0,
      error: `stats: ${messageOf(error)}`,
    };
  }
}
