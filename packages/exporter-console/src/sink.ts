import type { ExporterStats } from '@pyagent-trace/core';

/** Anything that takes text: a Node stream, or an object of your own. */
export interface ConsoleOutput {
  /** May return a promise; it is not awaited, but counted. */
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal in characters. */
  readonly columns?: number;
}

/** The part of a Node stream that tells whether a write arrived. */
interface StreamOutput {
  readonly writable: boolean;
  readonly writableLength: number;
  write(text: string, callback: (error?: Error | null) => void): unknown;
  once(name: 'error', listener: () => void): unknown;
}

/** Text that may wait for a slow reader, in characters. Above it events are dropped, not kept. */
const MAX_WAITING = 32 * 1024 * 1024;

const REJECTED = 'the output refused it';

/** Writes text and knows how many events have arrived. Never throws. */
export class Sink {
  readonly #output: ConsoleOutput;
  readonly #waiters = new Set<{ readonly upTo: number; readonly resolve: () => void }>();
  #dropped = 0;
  #delivered = 0;
  #failed = 0;
  #error: string | undefined;
  #issued = 0;
  #confirmed = 0;
  #waiting = 0;
  #closed = false;
  #expectsError = false;

  constructor(output: ConsoleOutput) {
    this.#output = output;
  }

  /** Why nothing can be written now, or `undefined`. */
  refusal(): string | undefined {
    if (this.#closed) return 'the reader of the output is gone';
    if (isStream(this.#output) && !this.#output.writable) return 'the output is closed';
    return this.#waiting > MAX_WAITING ? 'the output is too slow' : undefined;
  }

  /** Writes text that completes so many events. */
  write(text: string, events: number): void {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      this.fail(events, refusal);
      return;
    }
    if (text === '') {
      this.#delivered += events;
      return;
    }
    const confirm = this.#expect(text, events);
    const output = this.#output;
    try {
      if (isStream(output)) {
        output.write(text, (error) => {
          if (error) this.#expectError(output, error);
          confirm(error);
        });
        return;
      }
      const result = output.write(text);
      if (isThenable(result))
        result.then(
          () => confirm(),
          (error) => confirm(error ?? REJECTED),
        );
      else confirm();
    } catch (error) {
      confirm(error ?? REJECTED);
    }
  }

  /** Counts an event that is not taken on. */
  drop(reason: string): void {
    this.#dropped += 1;
    this.#error = reason;
  }

  /** Counts events that were taken on and are given up. */
  fail(events: number, reason: unknown): void {
    if (events > 0) this.#error = messageOf(reason);
    this.#failed += events;
  }

  /** Resolves when everything written before the call arrived or failed, or the time is up. */
  settled(timeoutMs: number): Promise<void> {
    if (this.#confirmed === this.#issued) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#error = `no answer from the output in ${timeoutMs} ms`;
        waiter.resolve();
      }, timeoutMs);
      const waiter = {
        upTo: this.#issued,
        resolve: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }

  stats(): Pick<ExporterStats, 'dropped' | 'delivered' | 'failed' | 'error'> {
    const error = this.#error;
    return {
      dropped: this.#dropped,
      delivered: this.#delivered,
      failed: this.#failed,
      ...(error !== undefined && { error }),
    };
  }

  /** Counts a write as under way. Returns what to call when it is known how it went. */
  #expect(text: string, events: number): (error?: unknown) => void {
    this.#issued += 1;
    this.#waiting += text.length;
    return (error) => {
      this.#confirmed += 1;
      this.#waiting -= text.length;
      if (error) this.fail(events, error);
      else this.#delivered += events;
      // what was late has arrived
      if (this.#confirmed === this.#issued && this.#failed + this.#dropped === 0)
        this.#error = undefined;
      for (const waiter of this.#waiters) if (waiter.upTo <= this.#confirmed) waiter.resolve();
    };
  }

  /**
   * A stream tells a failed write's callback first and emits `error` next, which would end the app. A
   * listener for just that one, as Node's console does it, leaves the app's own failures as they are.
   */
  #expectError(output: StreamOutput, error: Error): void {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') this.#closed = true;
    if (this.#expectsError) return;
    this.#expectsError = true;
    output.once('error', () => (this.#expectsError = false));
  }
}

function isStream(output: unknown): output is StreamOutput {
  return typeof (output as StreamOutput).writableLength === 'number';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'an error that cannot be printed';
  }
}
