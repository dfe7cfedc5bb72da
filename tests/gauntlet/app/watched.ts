import type { ExporterStats, FlushOptions, TraceEvent, TraceExporter } from '@pyagent-trace/core';

const LOOK_INTERVAL_MS = 5;
const MAX_BROKEN = 5;
const RISING = ['accepted', 'dropped', 'delivered', 'failed'] as const;

/** Stands in front of an exporter: counts what it is given, and looks at its counts all the time. */
export class Watched implements TraceExporter {
  readonly name: string;
  given = 0;
  late = 0;
  looks = 0;
  readonly broken: string[] = [];
  readonly #exporter: TraceExporter;
  readonly #every: number;
  #before: ExporterStats | undefined;
  #closed = false;

  /** @param every looks after each so many events; the timer looks as well */
  constructor(exporter: TraceExporter, every = 1) {
    this.#exporter = exporter;
    this.#every = every;
    this.name = exporter.name;
    setInterval(() => this.look('by timer'), LOOK_INTERVAL_MS).unref();
  }

  readonly exportEvent = (event: TraceEvent): void => {
    this.given += 1;
    if (this.#closed) this.late += 1;
    this.#exporter.exportEvent(event);
    if (this.given % this.#every === 0) this.look('after an event');
  };

  async flush(options?: FlushOptions): Promise<void> {
    const flushed = this.#exporter.flush(options);
    this.look('during flush');
    await flushed;
    this.look('after flush');
  }

  async shutdown(options?: FlushOptions): Promise<void> {
    this.#closed = true;
    const closed = this.#exporter.shutdown(options);
    this.look('during shutdown');
    await closed;
    this.look('after shutdown');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  stats(): ExporterStats {
    return this.#exporter.stats();
  }

  /** The two sums of the contract; and no count of what has happened may fall. */
  look(moment: string): void {
    this.looks += 1;
    const stats = this.#exporter.stats();
    const { accepted, dropped, delivered, failed, pending } = stats;
    const counts = { accepted, dropped, delivered, failed, pending };
    const before = this.#before;
    this.#before = stats;
    const isRight =
      accepted + dropped === this.given &&
      delivered + failed + pending === accepted &&
      Object.values(counts).every((count) => Number.isSafeInteger(count) && count >= 0) &&
      RISING.every((name) => before === undefined || counts[name] >= before[name]);
    if (!isRight && this.broken.length < MAX_BROKEN)
      this.broken.push(`${moment}: given ${this.given}, ${JSON.stringify(counts)}`);
  }
}
