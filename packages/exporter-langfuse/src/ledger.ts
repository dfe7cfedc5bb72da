import type { ExporterStats } from '@pyagent-trace/core';
import { cutToLength } from './cut.ts';

/** Of what `error` says: a server may answer at length. */
const MAX_REASON_LENGTH = 400;

/** Counts events. What is accepted and neither delivered nor failed is pending. */
export class Ledger {
  readonly #conceal: (text: string) => string;
  #accepted = 0;
  #dropped = 0;
  #delivered = 0;
  #failed = 0;
  #unconfirmed = 0;
  /** Of the newest loss. */
  #loss: string | undefined;
  /** Why something is late, while it is. */
  #trouble: string | undefined;

  /** @param conceal takes what is secret out of a text */
  constructor(conceal: (text: string) => string) {
    this.#conceal = conceal;
  }

  accept(): void {
    this.#accepted += 1;
  }

  drop(reason: string): void {
    this.#dropped += 1;
    this.#loss = this.#toError(reason);
  }

  deliver(events: number): void {
    this.#delivered += events;
  }

  fail(events: number, reason: string): void {
    this.#failed += events;
    this.#loss = this.#toError(reason);
  }

  /** Given up, though they may have arrived. */
  failUnconfirmed(events: number, reason: string): void {
    this.#unconfirmed += events;
    this.fail(events, reason);
    this.#loss += ' (it may have been stored)';
  }

  late(reason: string | undefined): void {
    this.#trouble = reason === undefined ? undefined : this.#toError(reason);
  }

  /** Cuts last: half a secret is none that could be found. */
  #toError(reason: string): string {
    return cutToLength(this.#conceal(reason), MAX_REASON_LENGTH);
  }

  get isLate(): boolean {
    return this.#trouble !== undefined;
  }

  stats(): ExporterStats & { readonly unconfirmed: number } {
    const error = this.#trouble ?? this.#loss;
    return {
      accepted: this.#accepted,
      dropped: this.#dropped,
      delivered: this.#delivered,
      failed: this.#failed,
      pending: this.#accepted - this.#delivered - this.#failed,
      unconfirmed: this.#unconfirmed,
      ...(error !== undefined && { error }),
    };
  }
}
