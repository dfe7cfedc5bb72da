import { within } from './promises.ts';

/** Deliveries that have not settled, and who waits for them. */
export class PendingDeliveries {
  readonly #open = new Set<object>();
  /** What each waits for, and what tells it. */
  readonly #waiters = new Map<Set<object>, () => void>();

  get size(): number {
    return this.#open.size;
  }

  /** Returns what ends it; to end it twice does nothing. */
  begin(): () => void {
    const delivery = {};
    this.#open.add(delivery);
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

  #end(delivery: object): void {
    this.#open.delete(delivery);
    for (const [left, resolve] of this.#waiters)
      if (left.delete(delivery) && left.size === 0) resolve();
  }
}
