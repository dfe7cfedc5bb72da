import { messageOf } from '../errors.ts';
import type { TraceEvent } from '../event.ts';
import type { ExporterStats, FlushOptions } from '../exporter.ts';
import type { ExporterSubject } from './exporter-subject.ts';

/** How long a destination in the same process may take for all it is given. */
const FLUSH_TIMEOUT_MS = 3_000;
/** What a method may take beyond its timeout; generous, since a busy machine is no breach. */
const GRACE_MS = 1_500;
const RELEASE_MS = 250;

/** Throws an error that says which rule of the contract was broken, and how. */
export function assert(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(`exporter contract: ${problem}`);
}

/** Drives one exporter, and holds its sums against what it was given at every step. */
export class Probe {
  readonly subject: ExporterSubject;
  #given = 0;

  constructor(subject: ExporterSubject) {
    this.subject = subject;
  }

  give(
    events: Iterable<TraceEvent>,
    exportEvent = (event: TraceEvent): unknown => this.subject.exporter.exportEvent(event),
    describe = (event: TraceEvent): string => event.event_type,
  ): void {
    for (const event of events) {
      try {
        exportEvent(event);
      } catch (error) {
        assert(false, `exportEvent threw on ${describe(event)}: ${messageOf(error)}`);
      }
      this.#given += 1;
      this.stats(`after exportEvent of ${describe(event)}`);
    }
  }

  /** The counts, once their sums are found right. */
  stats(when: string): ExporterStats {
    const stats = this.subject.exporter.stats();
    const { accepted, dropped, delivered, failed, pending } = stats;
    for (const [name, count] of Object.entries({ accepted, dropped, delivered, failed, pending }))
      assert(
        Number.isInteger(count) && count >= 0,
        `stats().${name} is ${String(count)} ${when}, which is no count`,
      );
    assert(
      accepted + dropped === this.#given,
      `${when}: accepted (${accepted}) + dropped (${dropped}) is not the ${this.#given} given`,
    );
    assert(
      delivered + failed + pending === accepted,
      `${when}: delivered (${delivered}) + failed (${failed}) + pending (${pending}) is not accepted (${accepted})`,
    );
    return stats;
  }

  async flush(options: FlushOptions = { timeoutMs: FLUSH_TIMEOUT_MS }): Promise<void> {
    await this.settle('flush', options);
  }

  async shutdown(options: FlushOptions = { timeoutMs: FLUSH_TIMEOUT_MS }): Promise<void> {
    await this.settle('shutdown', options);
  }

  /** Awaits a method, which must neither reject nor outlast its timeout. */
  async settle(
    method: 'flush' | 'shutdown',
    { timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions,
    call = (): unknown => this.subject.exporter[method]({ timeoutMs }),
  ): Promise<void> {
    const outcome = await settled(call, timeoutMs + GRACE_MS);
    assert(outcome !== 'late', `${method}({ timeoutMs: ${timeoutMs} }) did not end`);
    assert(outcome === 'done', `${method}() threw or rejected: ${outcome}`);
    this.stats(`after ${method}`);
  }

  /** Everything was delivered: nothing dropped, failed or left, and each span has arrived. */
  async expectDelivered(runs: readonly (readonly TraceEvent[])[], when: string): Promise<void> {
    const { dropped, failed, pending, error } = this.stats(when);
    assert(
      dropped + failed + pending === 0,
      `${when}: dropped ${dropped}, failed ${failed}, pending ${pending}${error === undefined ? '' : ` (${error})`}`,
    );
    await this.expectArrived(runs, when);
  }

  async expectArrived(runs: readonly (readonly TraceEvent[])[], when: string): Promise<void> {
    const missing = await this.missing(runs);
    assert(
      missing.length === 0,
      `${when}: ${missing.length} spans did not arrive, such as ${missing[0] ?? ''}`,
    );
  }

  /** No more is missing at the destination than the exporter says it lost or still has. */
  async expectAccounted(runs: readonly (readonly TraceEvent[])[], when: string): Promise<number> {
    const missing = await this.missing(runs);
    const { dropped, failed, pending, error } = this.stats(when);
    const lost = dropped + failed + pending;
    assert(
      missing.length <= lost,
      `${when}: ${missing.length} spans did not arrive, but dropped + failed + pending is ${lost}`,
    );
    assert(
      lost === 0 || missing.length === 0 || (typeof error === 'string' && error !== ''),
      `${when}: ${missing.length} spans did not arrive and stats().error does not say why`,
    );
    return missing.length;
  }

  async missing(runs: readonly (readonly TraceEvent[])[]): Promise<string[]> {
    const arrived = new Set(await this.subject.arrivedSpanIds());
    return spanIdsOf(runs.flat()).filter((id) => !arrived.has(id));
  }

  /**
   * The calls of a run follow one another, so lines (in order of start) and spans (in order of end)
   * have their ids in the same order.
   */
  async expectOrder(runs: readonly (readonly TraceEvent[])[], when: string): Promise<void> {
    const expected = spanIdsOf(runs.flat().filter(({ event_type }) => event_type === 'llm_call'));
    const calls = new Set(expected);
    const arrived = [...new Set(await this.subject.arrivedSpanIds())].filter((id) => calls.has(id));
    const at = expected.findIndex((id, index) => id !== arrived[index]);
    assert(at === -1, `${when}: call ${expected[at]} is out of order`);
  }

  /** Lets go of the subject, whatever state the case left it in. */
  async release(): Promise<void> {
    await settled(() => this.subject.exporter.shutdown({ timeoutMs: 0 }), RELEASE_MS);
    await this.subject.dispose?.();
  }
}

/** `done`, `late`, or the message of what it threw or rejected with. */
async function settled(call: () => unknown, withinMs: number): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('late'), withinMs);
  });
  const done = (async () => call())().then(
    () => 'done',
    (error: unknown) => messageOf(error),
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

function spanIdsOf(events: readonly TraceEvent[]): string[] {
  return [...new Set(events.map(({ payload }) => String(payload['span_id'])))];
}
