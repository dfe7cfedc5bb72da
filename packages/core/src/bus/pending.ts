import { within } from './promises.ts';

interface Waiter {
  readonly left: Set<object>;
  readonly resolve: () => void;
}

/** Deliveries that have not settled, and who waits for them. */
export class PendingDeliveries {
  readonly #open = new Set<object>();
  readonly #waiters = new Set<Waiter>();

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
    let waiter: Waiter | undefined;
    const settled = new Promise<void>((resolve) => {
      waiter = { left, resolve };
      this.#waiters.add(waiter);
    });
    await within(settled, timeoutMs);
    if (waiter !== undefined) this.#waiters.delete(waiter); // one that hangs must not gather waiters
  }

  #end(delivery: object): void {
    this.#open.delete(delivery);
    for (const { left, resolve } of this.#waiters)
      if (left.delete(delivery) && left.size === 0) resolve();
  }
}
