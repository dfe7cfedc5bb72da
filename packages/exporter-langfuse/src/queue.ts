import type { Observation } from './observation.ts';

/** Observations that wait, oldest first, bounded by their bytes. */
export class Queue {
  readonly #maxBytes: number;
  #items: Observation[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there was room. */
  add(observation: Observation): boolean {
    if (this.#bytes + observation.bytes > this.#maxBytes) return false;
    this.#items.push(observation);
    this.#bytes += observation.bytes;
    return true;
  }

  /** The oldest, as many as are asked for and fit, and one at least. They stay in the queue. */
  first(maxItems: number, maxBytes: number): readonly Observation[] {
    let bytes = 0;
    let end = 0;
    for (const { bytes: more } of this.#items.slice(0, maxItems)) {
      bytes += more;
      if (bytes > maxBytes && end > 0) break;
      end += 1;
    }
    return this.#items.slice(0, end);
  }

  /** Takes out the oldest, as many as are given, but those that shall stay. */
  remove(batch: readonly Observation[], stay: readonly Observation[] = []): void {
    const kept = new Set(stay);
    const staying = batch.filter((observation) => kept.has(observation));
    this.#items = [...staying, ...this.#items.slice(batch.length)];
    for (const { bytes } of batch) this.#bytes -= bytes;
    for (const { bytes } of staying) this.#bytes += bytes;
  }
}
