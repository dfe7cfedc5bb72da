/** A map that forgets what was put into it first, once it is full. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #max: number;
  /** Stands at the oldest; starting anew it would pass all that was deleted since the last rehash. */
  #order = this.#entries.keys();
  /** Since the iterator was made. */
  #deleted = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: Key, value: Value): void {
    this.#entries.set(key, value);
    if (this.#entries.size > this.#max) this.#entries.delete(this.#order.next().value as Key);
  }

  delete(key: Key): void {
    if (!this.#entries.delete(key)) return;
    this.#deleted += 1;
    if (this.#deleted < this.#max) return;
    // V8 keeps every table that the map has had, with all that was in it, for an iterator that stands still
    this.#order = this.#entries.keys();
    this.#deleted = 0;
  }

  /** The newest for which `matches` holds. */
  newest(matches: (value: Value, key: Key) => boolean): [Key, Value] | undefined {
    let found: [Key, Value] | undefined;
    for (const entry of this.#entries) if (matches(entry[1], entry[0])) found = entry;
    return found;
  }
}
