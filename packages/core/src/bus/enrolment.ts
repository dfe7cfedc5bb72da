import { monotonicMs } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { TraceEvent } from '../event.ts';
import type { FlushReport, TraceExporter } from '../exporter.ts';
import { Gate, type Processor } from './gate.ts';
import type { Reporter } from './report.ts';
import { isThenable, within } from './promises.ts';

const COUNTS = ['delivered', 'failed', 'dropped', 'pending'] as const;
/** A consumer gets less time than the bus waits for it, so as to give up and count what is left itself. */
const MAX_HEAD_START_MS = 100;

/** A consumer on a bus, and the events lost on the way to it. */
export class Enrolment {
  readonly exporter: TraceExporter;
  readonly #name: string;
  readonly #gate: Gate | undefined;
  #lost = 0;
  #error: string | undefined;

  /** @throws {TraceError} `invalid_option` */
  constructor(exporter: TraceExporter, processors: readonly Processor[], report: Reporter) {
    this.exporter = exporter;
    this.#name = exporter.name;
    const gate = new Gate(
      processors,
      undefined,
      (error, event, place) => {
        this.#error = `${place}: ${messageOf(error)}`;
        report(error, event, place);
      },
      'attach',
    );
    if (processors.length > 0) this.#gate = gate;
  }

  /** What a bus subscribes for the consumer. An event that gets lost here is counted. */
  readonly deliver = (event: TraceEvent): unknown => {
    let processed: TraceEvent | undefined = event;
    if (this.#gate !== undefined) {
      processed = this.#gate.admit(event);
      if (processed === undefined) return undefined;
    }
    try {
      // an asynchronous exportEvent breaks the contract; its rejection is counted all the same
      const answer: unknown = this.exporter.exportEvent(processed);
      return isThenable(answer) ? this.#settle(answer) : undefined;
    } catch (error) {
      throw this.#lose(error);
    }
  };

  /** Flushes or shuts down the consumer within the time given. Never rejects. */
  async finish(method: 'flush' | 'shutdown', timeoutMs: number): Promise<FlushReport> {
    const problem = await this.#end(method, timeoutMs);
    const counts = { delivered: 0, failed: 0, dropped: 0, pending: 0 };
    const problems = new Set([problem, this.#read(counts) ?? this.#error]);
    problems.delete(undefined);
    return {
      exporter: this.#name,
      ...counts,
      dropped: counts.dropped + this.#lost + (this.#gate?.dropped ?? 0),
      ...(problems.size > 0 && { error: [...problems].join('; ') }),
    };
  }

  /** Fills in what the consumer counted. Returns what it, or its counting, failed on. */
  #read(counts: Record<(typeof COUNTS)[number], number>): string | undefined {
    try {
      const stats = this.exporter.stats();
      const missing = COUNTS.filter((name) => !isCount(stats[name]));
      for (const name of COUNTS) if (!missing.includes(name)) counts[name] = stats[name];
      const { error } = stats;
      if (missing.length === 0) return error;
      const problem = `stats: no count in ${missing.join(', ')}`;
      return error === undefined ? problem : `${problem}; ${error}`;
    } catch (thrown) {
      return `stats: ${messageOf(thrown)}`;
    }
  }

  async #end(method: 'flush' | 'shutdown', timeoutMs: number): Promise<string | undefined> {
    try {
      const ownTimeoutMs = timeoutMs - Math.min(timeoutMs / 10, MAX_HEAD_START_MS);
      const outcome = await within(this.exporter[method]({ timeoutMs: ownTimeoutMs }), timeoutMs);
      if (outcome === undefined) return undefined;
      return outcome.timedOut
        ? `${method} did not end within ${Math.round(timeoutMs)} ms`
        : messageOf(outcome.error);
    } catch (error) {
      return messageOf(error);
    }
  }

  async #settle(answer: PromiseLike<unknown>): Promise<void> {
    try {
      await answer;
    } catch (error) {
      throw this.#lose(error);
    }
  }

  #lose(error: unknown): unknown {
    this.#lost += 1;
    this.#error = messageOf(error);
    return error;
  }
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

/** Flushes or shuts down consumers side by side within the time given, one receipt each. */
export async function collectReceipts(
  enrolments: Iterable<Enrolment>,
  method: 'flush' | 'shutdown',
  timeoutMs: number,
): Promise<FlushReport[]> {
  const deadline = monotonicMs() + timeoutMs;
  return Promise.all(
    Array.from(enrolments, async (enrolment) =>
      enrolment.finish(method, Math.max(0, deadline - monotonicMs())),
    ),
  );
}
