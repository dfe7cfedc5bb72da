import { messageOf, toDelayMs } from '@pyagent-trace/core';
import type { Ledger } from './ledger.ts';
import type { Observation } from './observation.ts';
import { Queue } from './queue.ts';
import type { Sink, Verdict } from './sink.ts';

export interface SenderOptions {
  readonly maxQueueBytes: number;
  /** How long an observation waits for others. */
  readonly flushIntervalMs: number;
}

/** Of one request, before it is compressed. */
const MAX_BATCH_BYTES = 1024 * 1024;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** After an answer that another try will not change: a rejected key. */
const BLOCKED_MS = 60_000;

interface Waiter {
  /** Observations that must have left the queue. */
  readonly upTo: number;
  readonly deadlineMs: number;
  readonly done: () => void;
}

/** Sends what is in the queue in batches, one after another, and again where that doubles nothing. */
export class Sender {
  readonly #sink: Sink;
  readonly #ledger: Ledger;
  readonly #flushIntervalMs: number;
  readonly #queue: Queue;
  readonly #waiters = new Set<Waiter>();
  readonly #abort = new AbortController();
  #added = 0;
  /** When the oldest observation came that no batch was made of. */
  #waitingSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #dueMs = 0;
  #running: Promise<void> | undefined;
  #failures = 0;
  /** Observations that a request may have, less after one was too large. */
  #maxBatch = Infinity;
  /** No attempt before this. */
  #pausedUntilMs = 0;
  /** Whether it is the destination that asks for the pause; a flush does not end it. */
  #pauseIsAsked = false;
  #warned = false;
  /** Sent, and nobody knows whether they were stored. */
  readonly #uncertain = new WeakSet<Observation>();

  constructor(sink: Sink, ledger: Ledger, { maxQueueBytes, flushIntervalMs }: SenderOptions) {
    this.#sink = sink;
    this.#ledger = ledger;
    this.#queue = new Queue(maxQueueBytes);
    this.#flushIntervalMs = flushIntervalMs;
  }

  /** Takes an observation on, or counts it as failed. */
  add(observation: Observation): void {
    if (this.#queue.length === 0) this.#waitingSinceMs = performance.now();
    if (!this.#queue.add(observation)) {
      this.#ledger.fail(observation.events, 'the queue is full (maxQueueBytes)');
      return;
    }
    this.#added += 1;
    this.#schedule();
  }

  /** Resolves when what was added before has left the queue, or nothing more can be done in the time. */
  flush(timeoutMs: number): Promise<void> {
    if (!this.#pauseIsAsked) {
      this.#pausedUntilMs = 0;
      this.#failures = 0;
    }
    return new Promise((resolve) => {
      const deadlineMs = performance.now() + timeoutMs;
      const timer = setTimeout(() => {
        if (this.#queue.length > 0 && !this.#ledger.isLate)
          this.#ledger.late('the server has not answered yet');
        waiter.done();
      }, toDelayMs(timeoutMs));
      const waiter: Waiter = {
        upTo: this.#added,
        deadlineMs,
        done: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      this.#unschedule(); // whatever it waits for
      this.#schedule();
    });
  }

  /** Flushes, ends the request under way, and gives up what is left. */
  async shutdown(timeoutMs: number): Promise<void> {
    await this.flush(timeoutMs);
    this.#unschedule();
    this.#abort.abort();
    await this.#running;
    const left = this.#queue.first(Infinity, Infinity);
    if (left.length === 0) return;
    const { error = 'no time was left to send it' } = this.#ledger.stats();
    this.#giveUp(left, error);
    this.#queue.remove(left);
  }

  /** Sees to it that the next batch is sent when it is due. */
  #schedule(): void {
    this.#releaseWaiters();
    if (this.#running !== undefined || this.#abort.signal.aborted) return;
    if (this.#queue.length === 0) return;
    const nowMs = performance.now();
    const dueMs = Math.max(
      this.#pausedUntilMs,
      this.#isUrgent() ? nowMs : this.#waitingSinceMs + this.#flushIntervalMs,
    );
    // what is due is not put off: else it would never come while events come quickly
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    // never at once: it is no work for the code that emits
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#running = this.#send().finally(() => {
          this.#running = undefined;
          this.#schedule();
        });
      },
      toDelayMs(dueMs - nowMs),
    ).unref();
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #isUrgent(): boolean {
    const { length, bytes } = this.#queue;
    return this.#waiters.size > 0 || length >= this.#batchSize() || bytes >= MAX_BATCH_BYTES;
  }

  #batchSize(): number {
    return Math.min(this.#maxBatch, this.#sink.maxBatch);
  }

  #releaseWaiters(): void {
    const gone = this.#added - this.#queue.length;
    for (const { upTo, deadlineMs, done } of this.#waiters) {
      const isHopeless = this.#running === undefined && this.#pausedUntilMs > deadlineMs;
      if (gone >= upTo || isHopeless) done();
    }
  }

  async #send(): Promise<void> {
    const batch = this.#queue.first(this.#batchSize(), MAX_BATCH_BYTES);
    const verdict = await this.#sink
      .send(batch, this.#abort.signal)
      .catch((error: unknown): Verdict => ({ kind: 'refused', error: messageOf(error) }));
    this.#apply(verdict, batch);
    this.#waitingSinceMs = performance.now();
  }

  #apply(verdict: Verdict, batch: readonly Observation[]): void {
    const ledger = this.#ledger;
    switch (verdict.kind) {
      case 'stored': {
        const { refused = [], again = [], error = '' } = verdict;
        const lost = eventsOf(refused);
        this.#giveUp(refused, error);
        ledger.deliver(eventsOf(batch) - lost - eventsOf(again));
        this.#queue.remove(batch, again);
        if (again.length > 0) this.#pause(error);
        else this.#resume();
        break;
      }
      case 'refused':
        this.#giveUp(batch, verdict.error);
        this.#queue.remove(batch);
        this.#resume();
        break;
      case 'too-large':
        if (batch.length > 1) {
          this.#maxBatch = Math.ceil(batch.length / 2);
          break;
        }
        this.#giveUp(batch, verdict.error);
        this.#queue.remove(batch);
        this.#pause(verdict.error); // what takes nothing of any size is not asked at full speed
        break;
      case 'unknown':
        this.#doubt(batch);
        this.#giveUp(batch, verdict.error);
        this.#queue.remove(batch);
        this.#pause(verdict.error);
        break;
      case 'unavailable':
        if (verdict.mayBeStored === true) this.#doubt(batch);
        this.#pause(verdict.error, verdict.afterMs);
        break;
      case 'blocked':
        this.#pause(verdict.error, BLOCKED_MS);
        this.#warn();
        break;
    }
  }

  #doubt(batch: readonly Observation[]): void {
    for (const observation of batch) this.#uncertain.add(observation);
  }

  #giveUp(observations: readonly Observation[], reason: string): void {
    const unconfirmed = eventsOf(observations.filter((one) => this.#uncertain.has(one)));
    const certain = eventsOf(observations) - unconfirmed;
    if (certain > 0) this.#ledger.fail(certain, reason);
    if (unconfirmed > 0) this.#ledger.failUnconfirmed(unconfirmed, reason);
  }

  #resume(): void {
    this.#failures = 0;
    this.#maxBatch = Math.min(this.#maxBatch * 2, this.#sink.maxBatch);
    this.#ledger.late(undefined);
  }

  /** Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
  #pause(reason: string, askedMs?: number): void {
    const limitMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, MAX_RETRY_MS);
    this.#failures += 1;
    this.#pauseIsAsked = askedMs !== undefined;
    this.#pausedUntilMs = performance.now() + Math.max(Math.random() * limitMs, askedMs ?? 0);
    this.#ledger.late(this.#queue.length > 0 ? reason : undefined);
  }

  /** Once: nothing arrives until somebody changes something, and nobody looks at `stats()` before. */
  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    console.warn(`LangfuseExporter: ${this.#ledger.stats().error}`);
  }
}

function eventsOf(batch: readonly Observation[]): number {
  return batch.reduce((sum, { events }) => sum + events, 0);
}
