import { encodeTraceEvent } from '../encode.ts';
import type { TraceEvent } from '../event.ts';
import type { ExporterStats, TraceExporter } from '../exporter.ts';

/**
 * Keeps events in memory, for tests. Each is a copy, made when it came, and is what a reader of a
 * JSONL file would get: a Date is its ISO text, NaN is null.
 *
 * @example
 * ```ts
 * const exporter = new MemoryExporter();
 * bus.attach(exporter);
 * // run what is to be tested
 * expect(exporter.events.map((event) => event.event_type)).toEqual(['llm_call', 'llm_response']);
 * ```
 */
export class MemoryExporter implements TraceExporter {
  readonly name = 'memory';
  #events: TraceEvent[] = [];
  #accepted = 0;
  #dropped = 0;
  #shutdown: Promise<void> | undefined;

  /** What came since the start or the last `clear()`, in order. */
  get events(): readonly TraceEvent[] {
    return this.#events;
  }

  /** Forgets the events. The counts of `stats()` stay. */
  clear(): void {
    this.#events = [];
  }

  readonly exportEvent = (event: TraceEvent): void => {
    if (this.#shutdown !== undefined) {
      this.#dropped += 1;
      return;
    }
    this.#accepted += 1;
    this.#events.push(JSON.parse(encodeTraceEvent(event)) as TraceEvent);
  };

  async flush(): Promise<void> {}

  shutdown(): Promise<void> {
    return (this.#shutdown ??= Promise.resolve());
  }

  stats(): ExporterStats {
    const error = this.#dropped > 0 ? { error: 'an event came after shutdown' } : undefined;
    const accepted = this.#accepted;
    return {
      accepted,
      dropped: this.#dropped,
      delivered: accepted,
      failed: 0,
      pending: 0,
      ...error,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
