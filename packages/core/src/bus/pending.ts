import { Alarm } from '../alarm.ts';
import { monotonicMs } from '../clock.ts';
import { within } from './promises.ts';

interface Delivery {
  readonly startedAtMs: number;
  /** Absent on one that ends by itself. */
  readonly giveUp: (() => void) | undefined;
}

/** Deliveries that have not settled, and who waits for them. */
export class PendingDeliveries {
  /** The oldest first. */
  readonly #open = new Set<Delivery>();
  /** What each waits for, and what tells it. */
  readonly #waiters = new Map<Set<Delivery>, () => void>();
  readonly #timeoutMs: number;
  /** One for all: a timer for each costs more than the delivery. */
  readonly #alarm = new Alarm(() => this.#giveUp());

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Returns what ends it, and says whether it was still pending.
   *
   * @param giveUp called when it did not end in time; without it, it may take any time
   */
  begin(giveUp?: () => void): () => boolean {
    const delivery = { startedAtMs: monotonicMs(), giveUp };
    this.#open.add(delivery);
    if (giveUp !== undefined) this.#alarm.arm(this.#timeoutMs);
    return () => this.#end(delivery);
  }

  /** Waits for those that are pending now, not for those that begin meanwhile. */
  async settle(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const left = new Set(this.#open);
    const settled = new Promise<void>((resolve) => void this.#waiters.set(left, resolve));
    await within(settled, timeoutMs);
    this.#waiters.delete(left); // one that hangs must not gather waiters
  }

  #giveUp(): void {
    const nowMs = monotonicMs();
    for (const delivery of this.#open) {
      const { startedAtMs, giveUp } = delivery;
      if (giveUp === undefined) continue;
      const leftMs = startedAtMs + this.#timeoutMs - nowMs;
      if (leftMs > 0) {
        this.#alarm.arm(leftMs);
        return;
      }
      this.#end(delivery);
      giveUp();
    }
  }

  #end(delivery: Delivery): boolean {
    for (const [left, resolve] of this.#waiters)
      if (left.delete(delivery) && left.size === 0) resolve();
    return this.#open.delete(delivery);
  }
}
