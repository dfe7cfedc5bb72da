import { type ExporterStats, type FlushOptions, messageOf, toDelayMs } from '@pyagent-trace/core';

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
  listenerCount(name: 'error'): number;
  once(name: 'error', listener: () => void): unknown;
}

/** Text that may wait for a slow reader, in characters. Above it events are dropped, not kept. */
const MAX_WAITING = 32 * 1024 * 1024;

const FLUSH_TIMEOUT_MS = 5_000;
const TOO_SLOW = 'the output is too slow';

/** Writes text and knows how many events have arrived. Never throws. */
export class Sink {
  readonly #output: ConsoleOutput;
  readonly #waiters = new Set<(timedOut: boolean) => void>();
  #dropped = 0;
  #delivered = 0;
  #failed = 0;
  #error: string | undefined;
  #issued = 0;
  #confirmed = 0;
  #waiting = 0;
  #closed = false;

  constructor(output: ConsoleOutput) {
    this.#output = output;
  }

  /** Why nothing can be written now, or `undefined`. */
  refusal(): string | undefined {
    if (this.#closed || (isStream(this.#output) && !this.#output.writable))
      return 'the output is closed';
    return this.#waiting > MAX_WAITING ? TOO_SLOW : undefined;
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
    this.#issued += 1;
    this.#waiting += text.length;
    const arrived = (): void => this.#confirm(text, () => (this.#delivered += events));
    const refused = (error: unknown): void => this.#confirm(text, () => this.fail(events, error));
    const output = this.#output;
    try {
      if (isStream(output)) {
        output.write(text, (error) => {
          if (error) {
            this.#expectError(output, error);
            refused(error);
          } else arrived();
        });
        return;
      }
      const result = output.write(text) as PromiseLike<unknown> | undefined;
      if (typeof result?.then === 'function') result.then(arrived, refused);
      else arrived();
    } catch (error) {
      refused(error);
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
  settled({ timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {}): Promise<void> {
    const upTo = this.#issued;
    return new Promise((resolve) => {
      const look = (timedOut: boolean): void => {
        if (timedOut) this.#error = TOO_SLOW;
        else if (this.#confirmed < upTo) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve();
      };
      const timer = setTimeout(look, toDelayMs(timeoutMs), true);
      this.#waiters.add(look);
      look(false);
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

  /** Counts a write that arrived or was refused, and tells who waits for it. */
  #confirm(text: string, count: () => void): void {
    this.#confirmed += 1;
    this.#waiting -= text.length;
    count();
    // what was late has arrived
    if (this.#confirmed === this.#issued && this.#failed + this.#dropped === 0)
      this.#error = undefined;
    for (const look of this.#waiters) look(false);
  }

  /**
   * A stream tells a failed write's callback first and emits `error` next, which would end the app if
   * nobody listens. A listener for just that one, as Node's console does it, leaves the app's own
   * failures as they are.
   */
  #expectError(output: StreamOutput, error: Error): void {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') this.#closed = true;
    if (output.listenerCount('error') === 0) output.once('error', () => {});
  }
}

function isStream(output: unknown): output is StreamOutput {
  return typeof (output as StreamOutput).writableLength === 'number';
}
