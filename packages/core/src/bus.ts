import { requireFunction, requireFunctions, requireKnownKeys, invalidOption } from './check.ts';
import { monotonicMs } from './clock.ts';
import { beginDelivery, endDelivery } from './encode.ts';
import { TraceError } from './errors.ts';
import type { EventType, TraceEvent } from './event.ts';
import {
  type EventSink,
  type EventSource,
  type FlushOptions,
  type FlushReport,
  missingMembers,
  type TraceExporter,
} from './exporter.ts';
import { type DropReason, type EventSchema, Gate, type Processor } from './gate.ts';
import { newSpanId } from './ids.ts';
import { collectReceipts, deliverTo, type Enrolment, within } from './enrolment.ts';
import { createReporter, type ErrorHandler } from './report.ts';

/** A callback may return a promise: `emitAsync` awaits it, `emit` does not. */
export type Subscriber = (event: TraceEvent) => unknown;

export interface TraceEventBusOptions {
  /**
   * Hears of each event that a subscriber or processor failed on, or that is no trace event.
   *
   * @default one line on `console.error` per subscriber and message
   */
  readonly onError?: ErrorHandler;
  /** Run in order on each event before all delivery. One that throws drops the event. */
  readonly processors?: readonly Processor[];
  /** Checks the payload too: for events from code you do not trust. */
  readonly schema?: EventSchema;
}

export interface AttachOptions {
  /** Run in order before this consumer only: the full file locally, the redacted stream to a service. */
  readonly processors?: readonly Processor[];
}

/** Counted since the bus was made; while nothing is being delivered `accepted + dropped = emitted`. */
export interface BusStats {
  readonly emitted: number;
  /** Handed to the subscribers. */
  readonly accepted: number;
  readonly dropped: number;
  /** `dropped`, by reason. */
  readonly reasons: Readonly<Record<DropReason, number>>;
  /** Times a subscriber threw, rejected or ran out of time. */
  readonly errors: number;
  /** Deliveries to asynchronous subscribers that have not settled. */
  readonly pending: number;
  readonly subscribers: number;
}

interface Subscription {
  readonly id: string;
  readonly name: string;
  readonly callback: Subscriber;
  readonly eventTypes: ReadonlySet<EventType> | undefined;
  active: boolean;
}

/** An emit loop between subscribers ends here instead of never. */
const MAX_REENTRANT = 1_000;
const SUBSCRIBER_TIMEOUT_MS = 5_000;
const FLUSH_TIMEOUT_MS = 5_000;

/**
 * Carries events from producers to whoever subscribed.
 *
 * Plain subscribers hear each event first, in order of subscription, then the filtered ones. One that
 * throws or rejects loses that one event; the others still get it, and the producer sees nothing.
 *
 * @example
 * ```ts
 * const bus = new TraceEventBus();
 * const id = bus.subscribeFilter(['llm_call', 'error'], (event) => console.log(event.agent_name));
 * bus.emit(createTraceEvent({ event_type: 'llm_call', agent_name: 'bull' }));
 * bus.unsubscribe(id);
 * ```
 */
export class TraceEventBus implements EventSink, EventSource {
  // replaced, never mutated, so that a delivery under way is not affected
  #subscriptions: readonly Subscription[] = [];
  readonly #enrolments = new Map<string, Enrolment>();
  readonly #gate: Gate;
  readonly #report: (error: unknown, event: TraceEvent, place: string) => void;
  #delivering = false;
  #queue: TraceEvent[] = [];
  #queued = 0;
  #emitted = 0;
  #errors = 0;
  #pending = 0;
  #whenSettled: (() => void)[] = [];
  #shutdown: Promise<FlushReport[]> | undefined;

  /** @throws {TraceError} `invalid_option` */
  constructor(options: TraceEventBusOptions = {}) {
    requireKnownKeys(options, ['onError', 'processors', 'schema'], 'TraceEventBus');
    const { onError, processors = [], schema } = options;
    if (onError !== undefined) requireFunction(onError, 'TraceEventBus: onError');
    this.#report = createReporter(onError);
    this.#gate = new Gate(processors, schema, this.#report);
  }

  /** Hears every event, before the filtered subscribers. Returns an id for `unsubscribe`. */
  subscribe(callback: Subscriber): string {
    requireFunction(callback, 'subscribe');
    return this.#add(callback, undefined);
  }

  /** Hears only events whose type is listed. An empty list hears nothing. */
  subscribeFilter(eventTypes: Iterable<EventType>, callback: Subscriber): string {
    if (typeof eventTypes === 'string')
      throw invalidOption(`subscribeFilter: expected a list of event types, got "${eventTypes}"`);
    requireFunction(callback, 'subscribeFilter');
    return this.#add(callback, new Set(eventTypes));
  }

  /** Takes off a subscriber or a consumer, at once. An unknown id does nothing. */
  unsubscribe(subscriptionId: string): void {
    for (const subscription of this.#subscriptions)
      if (subscription.id === subscriptionId) subscription.active = false;
    this.#subscriptions = this.#subscriptions.filter(({ active }) => active);
    this.#enrolments.delete(subscriptionId);
  }

  /**
   * Connects a consumer: it hears every event, and `flush` and `shutdown` reach it.
   * Returns an id for `unsubscribe`, which does not shut the consumer down.
   *
   * @throws {TraceError} `invalid_exporter`, naming what the consumer lacks; `invalid_option`
   */
  attach(consumer: TraceExporter, options: AttachOptions = {}): string {
    const missing = missingMembers(consumer);
    if (missing.length > 0)
      throw new TraceError('invalid_exporter', `attach: the consumer has no ${missing.join(', ')}`);
    requireKnownKeys(options, ['processors'], 'attach');
    const { processors = [] } = options;
    requireFunctions(processors, 'attach: processors');
    const enrolment: Enrolment = { exporter: consumer, dropped: 0 };
    const id = this.#add(deliverTo(enrolment, [...processors]), undefined, consumer.name);
    this.#enrolments.set(id, enrolment);
    return id;
  }

  /** Delivers an event to everyone who wants it before it returns. Never throws. Works detached. */
  readonly emit = (event: TraceEvent): void => {
    this.#emitted += 1;
    if (this.#delivering) {
      this.#enqueue(event);
      return;
    }
    this.#queued = 0;
    this.#delivering = true;
    this.#deliver(event);
    if (this.#queue.length > 0) this.#drain();
    this.#delivering = false;
  };

  /**
   * Delivers an event and awaits asynchronous subscribers one after another, each for 5 s at most.
   * Never rejects. Works detached.
   */
  readonly emitAsync = async (event: TraceEvent): Promise<void> => {
    this.#emitted += 1;
    while (this.#delivering) await Promise.resolve(); // called by a subscriber: that delivery comes first
    this.#queued = 0;
    this.#delivering = true;
    const admitted = this.#gate.admit(event);
    if (admitted !== undefined) {
      for (const subscription of this.#subscriptions) {
        const result = this.#call(subscription, admitted);
        if (!isThenable(result)) continue;
        // what was emitted meanwhile goes first, and nothing is held back while this waits
        this.#drain();
        this.#delivering = false;
        const outcome = await within(
          this.#watch(result, subscription, admitted),
          SUBSCRIBER_TIMEOUT_MS,
        );
        if (outcome?.timedOut === true)
          this.#fail(
            new TraceError('subscriber_timeout', `no answer within ${SUBSCRIBER_TIMEOUT_MS} ms`),
            subscription,
            admitted,
          );
        this.#delivering = true;
      }
    }
    this.#drain();
    this.#delivering = false;
  };

  /**
   * Settles pending deliveries, then flushes all consumers side by side. Never rejects.
   *
   * @param options `timeoutMs`, for all of it, is 5,000 by default
   */
  async flush(options: FlushOptions = {}): Promise<FlushReport[]> {
    return this.#finish('flush', options);
  }

  /** Like `flush`, with each consumer's `shutdown`. Every call returns the same promise. */
  shutdown(options: FlushOptions = {}): Promise<FlushReport[]> {
    return (this.#shutdown ??= this.#finish('shutdown', options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  stats(): BusStats {
    const reasons = { ...this.#gate.reasons };
    return {
      emitted: this.#emitted,
      accepted: this.#gate.accepted,
      dropped: Object.values(reasons).reduce((sum, count) => sum + count, 0),
      reasons,
      errors: this.#errors,
      pending: this.#pending,
      subscribers: this.#subscriptions.length,
    };
  }

  #add(
    callback: Subscriber,
    eventTypes: ReadonlySet<EventType> | undefined,
    name: string = callback.name || 'a subscriber',
  ): string {
    const added: Subscription = { id: newSpanId(), name, callback, eventTypes, active: true };
    const all = [...this.#subscriptions, added];
    this.#subscriptions = [
      ...all.filter((subscription) => subscription.eventTypes === undefined),
      ...all.filter((subscription) => subscription.eventTypes !== undefined),
    ];
    return added.id;
  }

  #enqueue(event: TraceEvent): void {
    if (this.#queued >= MAX_REENTRANT) {
      this.#gate.reasons.reentrant += 1;
      return;
    }
    this.#queued += 1;
    this.#queue.push(event);
  }

  #drain(): void {
    // grows while it is read: what these deliveries emit is delivered here too
    for (let i = 0; i < this.#queue.length; i++) this.#deliver(this.#queue[i] as TraceEvent);
    this.#queue = [];
  }

  #deliver(event: TraceEvent): void {
    const admitted = this.#gate.admit(event);
    if (admitted === undefined) return;
    const outer = beginDelivery(admitted);
    const subscriptions = this.#subscriptions;
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i] as Subscription;
      const result = this.#call(subscription, admitted);
      if (result !== undefined && isThenable(result))
        void this.#watch(result, subscription, admitted);
    }
    endDelivery(outer);
  }

  #call(subscription: Subscription, event: TraceEvent): unknown {
    try {
      const { eventTypes } = subscription;
      if (!subscription.active) return undefined;
      if (eventTypes !== undefined && !eventTypes.has(event.event_type)) return undefined;
      return subscription.callback(event);
    } catch (error) {
      this.#fail(error, subscription, event);
      return undefined;
    }
  }

  #fail(error: unknown, { name }: Subscription, event: TraceEvent): void {
    this.#errors += 1;
    this.#report(error, event, name);
  }

  /** Counts a delivery as pending until it settles. The promise returned does not reject. */
  async #watch(
    result: PromiseLike<unknown>,
    subscription: Subscription,
    event: TraceEvent,
  ): Promise<void> {
    this.#pending += 1;
    try {
      await result;
    } catch (error) {
      this.#fail(error, subscription, event);
    }
    this.#pending -= 1;
    if (this.#pending > 0) return;
    for (const resolve of this.#whenSettled) resolve();
    this.#whenSettled = [];
  }

  async #finish(
    method: 'flush' | 'shutdown',
    { timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions,
  ): Promise<FlushReport[]> {
    const deadline = monotonicMs() + timeoutMs;
    while (this.#delivering) await Promise.resolve();
    if (this.#pending > 0)
      await within(new Promise<void>((resolve) => this.#whenSettled.push(resolve)), timeoutMs);
    return collectReceipts(this.#enrolments.values(), method, deadline - monotonicMs());
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
  } catch {
    return false;
  }
}
