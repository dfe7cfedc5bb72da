import { requireFunction, requireKnownKeys } from './check.ts';
import { monotonicMs } from './clock.ts';
import { Dispatcher } from './bus/dispatcher.ts';
import { collectReceipts, Enrolment } from './bus/enrolment.ts';
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
import type { DropReason, EventSchema, Processor } from './bus/gate.ts';
import { createReporter, type ErrorHandler } from './bus/report.ts';
import { eventTypeSet, type Subscriber } from './bus/subscriptions.ts';

export interface TraceEventBusOptions {
  /**
   * Hears of each event that a subscriber or processor failed on, or that is no trace event. Of what it
   * emits before it returns it hears nothing. What it emits later, after an `await`, is an event like
   * any other: if that one fails too, it is called again, without end.
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
  /** Handed to the subscribers; where the stack ran out maybe not to all of them, see `errors`. */
  readonly accepted: number;
  readonly dropped: number;
  /** `dropped`, by reason. */
  readonly reasons: Readonly<Record<DropReason, number>>;
  /** Times a subscriber threw, rejected or did not settle within 5 s, or the stack ran out. */
  readonly errors: number;
  /** What `flush` waits for: promises that subscribers returned to `emit`, for 5 s each; calls of `emitAsync`. */
  readonly pending: number;
  readonly subscribers: number;
}

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
  readonly #dispatcher: Dispatcher;
  readonly #enrolments = new Map<string, Enrolment>();
  #shutdown: Promise<FlushReport[]> | undefined;

  /**
   * Delivers an event to everyone who wants it before it returns. Called by a subscriber, it delivers
   * after the event under way. Never throws, unless the stack has no room for so much as this call.
   * Works detached.
   */
  readonly emit: (event: TraceEvent) => void;

  /**
   * Delivers an event and awaits asynchronous subscribers one after another, each for 5 s at most.
   * Never rejects. Works detached.
   */
  readonly emitAsync: (event: TraceEvent) => Promise<void>;

  /** @throws {TraceError} `invalid_option` */
  constructor(options: TraceEventBusOptions = {}) {
    requireKnownKeys(options, ['onError', 'processors', 'schema'], 'TraceEventBus');
    const { onError, processors = [], schema } = options;
    if (onError !== undefined) requireFunction(onError, 'TraceEventBus: onError');
    this.#dispatcher = new Dispatcher(processors, schema, createReporter(onError));
    this.emit = this.#dispatcher.emit;
    this.emitAsync = this.#dispatcher.emitAsync;
  }

  /** Hears every event, before the filtered subscribers. Returns an id for `unsubscribe`. */
  subscribe(callback: Subscriber): string {
    requireFunction(callback, 'subscribe');
    return this.#dispatcher.add(callback);
  }

  /** Hears only events whose type is listed. An empty list hears nothing. */
  subscribeFilter(eventTypes: Iterable<EventType>, callback: Subscriber): string {
    const types = eventTypeSet(eventTypes, 'subscribeFilter');
    requireFunction(callback, 'subscribeFilter');
    return this.#dispatcher.add(callback, types);
  }

  /** Takes off a subscriber or a consumer, at once. An unknown id does nothing. */
  unsubscribe(subscriptionId: string): void {
    this.#dispatcher.remove(subscriptionId);
    this.#enrolments.delete(subscriptionId);
  }

  /**
   * Connects a consumer: it hears every event, and `flush` and `shutdown` reach it.
   * Returns an id for `unsubscribe`, which does not shut the consumer down.
   *
   * @throws {TraceError} `invalid_exporter` when the consumer lacks something, is attached already, or
   * comes after `shutdown`, which could not reach it any more; `invalid_option`
   */
  attach(consumer: TraceExporter, options: AttachOptions = {}): string {
    const missing = missingMembers(consumer);
    if (missing.length > 0) throw unfit(`the consumer has no ${missing.join(', ')}`);
    const { name } = consumer;
    if (this.#shutdown !== undefined) throw unfit(`"${name}" comes after the shutdown of the bus`);
    for (const { exporter } of this.#enrolments.values())
      if (exporter === consumer) throw unfit(`"${name}" is attached already`);
    requireKnownKeys(options, ['processors'], 'attach');
    const { processors = [] } = options;
    const enrolment = new Enrolment(consumer, processors, this.#dispatcher.report);
    const id = this.#dispatcher.add(enrolment.deliver, undefined, name);
    this.#enrolments.set(id, enrolment);
    return id;
  }

  /**
   * Settles pending deliveries, then flushes all consumers side by side. Never rejects. A subscriber
   * that awaits it is pending itself, and waits in vain for that half of the time.
   *
   * @param options `timeoutMs`, for all of it, is 5,000 by default; pending deliveries get half at most,
   * and consumers a tenth less than what is left (100 ms less at most), to report in time
   */
  async flush(options?: FlushOptions): Promise<FlushReport[]> {
    return this.#finish('flush', options);
  }

  /** Like `flush`, with each consumer's `shutdown`. Every call returns the same promise. */
  shutdown(options?: FlushOptions): Promise<FlushReport[]> {
    return (this.#shutdown ??= this.#finish('shutdown', options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  stats(): BusStats {
    const { gate, emitted, errors, pending, queued, subscribers } = this.#dispatcher;
    const { dropped, reasons } = gate;
    return {
      emitted,
      accepted: emitted - dropped - queued,
      dropped,
      reasons: { ...reasons },
      errors,
      pending: pending.size,
      subscribers,
    };
  }

  async #finish(
    method: 'flush' | 'shutdown',
    options: FlushOptions | undefined,
  ): Promise<FlushReport[]> {
    const timeoutMs = timeoutOf(options);
    const deadline = monotonicMs() + timeoutMs;
    // a subscriber that hangs must leave the consumers time to deliver
    await this.#dispatcher.pending.settle(timeoutMs / 2);
    return collectReceipts(this.#enrolments.values(), method, deadline - monotonicMs());
  }
}

function unfit(problem: string): TraceError {
  return new TraceError('invalid_exporter', `attach: ${problem}`);
}

/** By default where it is no number of milliseconds: flushing never fails. */
function timeoutOf(options: FlushOptions | undefined): number {
  const timeoutMs: unknown = options?.timeoutMs;
  return typeof timeoutMs === 'number' && timeoutMs >= 0 ? timeoutMs : FLUSH_TIMEOUT_MS;
}
