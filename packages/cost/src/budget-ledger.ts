/** What the model calls of one key cost and may still cost, in US dollars. */
export interface Ledger {
  readonly key: string;
  spent: number;
  /** Of all calls that run. */
  reserved: number;
  readonly running: Set<Reservation>;
}

/** The worst case of one call, set aside. */
export interface Reservation {
  readonly usd: number;
  /** Stops the call. */
  readonly controller: AbortController;
}

/** What rounding may make of a sum of ten million costs, with room to spare. */
const TOLERANCE = 1e-9;

/** The ledgers of one budget. Of one that no call uses what was spent is kept, until there are too many. */
export class Ledgers {
  readonly #limitUsd: number;
  readonly #maxIdle: number;
  readonly #busy = new Map<string, Ledger>();
  /** What was spent; the key that was used last stands last. */
  readonly #idle = new Map<string, number>();

  constructor(limitUsd: number, maxIdle: number) {
    this.#limitUsd = limitUsd;
    this.#maxIdle = maxIdle;
  }

  /** The ledger of a key, not kept before something is reserved. */
  get(key: string): Ledger {
    return (
      this.#busy.get(key) ?? {
        key,
        spent: this.#idle.get(key) ?? 0,
        reserved: 0,
        running: new Set(),
      }
    );
  }

  get size(): number {
    return this.#busy.size + this.#idle.size;
  }

  fits(ledger: Ledger, usd: number): boolean {
    return ledger.spent + ledger.reserved + usd <= this.#limitUsd * (1 + TOLERANCE);
  }

  reserve(ledger: Ledger, reservation: Reservation): void {
    this.#idle.delete(ledger.key);
    this.#busy.set(ledger.key, ledger);
    ledger.running.add(reservation);
    ledger.reserved += reservation.usd;
  }

  /** Books what a call cost, and gives the rest of its reservation back. The first time counts. */
  settle(ledger: Ledger, reservation: Reservation, costUsd: number): void {
    if (!ledger.running.delete(reservation)) return;
    ledger.spent += costUsd;
    // nothing of what rounding left over may stay
    ledger.reserved = ledger.running.size === 0 ? 0 : ledger.reserved - reservation.usd;
    if (ledger.running.size === 0) this.#retire(ledger);
  }

  #retire(ledger: Ledger): void {
    this.#busy.delete(ledger.key);
    if (ledger.spent === 0) return;
    this.#idle.set(ledger.key, ledger.spent);
    if (this.#idle.size <= this.#maxIdle) return;
    const [oldest] = this.#idle.keys();
    this.#idle.delete(oldest as string);
  }
}
