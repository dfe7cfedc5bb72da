import { beginDelivery, endDelivery } from '../encode.ts';
import { TraceError } from '../errors.ts';
import { type EventType, isObject, type TraceEvent } from '../event.ts';
import { type EventSchema, Gate, type Processor } from './gate.ts';
import { PendingDeliveries } from './pending.ts';
import { isThenable, within } from './promises.ts';
import type { Reporter } from './report.ts';
import {
  type Subscriber,
  type Subscription,
  withoutSubscription,
  withSubscription,
} from './subscriptions.ts';

/** An emit loop between subscribers ends here instead of never. */
const MAX_REENTRANT = 1_000;
const SUBSCRIBER_TIMEOUT_MS = 5_000;

/** A subscriber's promise that has to be awaited. */
interface Answer {
  readonly promise: PromiseLike<unknown>;
  readonly subscription: Subscription;
  readonly event: TraceEvent;
}

/** Takes events through the gate to the subscribers, one event after another. */
export class Dispatcher {
  readonly gate: Gate;
  readonly pending = new PendingDeliveries(SUBSCRIBER_TIMEOUT_MS);
  emitted = 0;
  errors = 0;
  readonly #reporter: Reporter;
  // replaced, never mutated, so that a delivery under way is not affected
  #subscriptions: readonly Subscription[] = [];
  #delivering = false;
  readonly #queue: TraceEvent[] = [];
  /** Events that came during a delivery, since the outermost `emit`. */
  #reentrant = 0;
  /** Calls of `emitAsync` that wait for the end of the delivery they were made in. */
  #waiting = 0;
  #reporting = false;
  /** What `onError` emitted: an error about it is only counted, or reporting would feed itself. */
  readonly #echoes = new WeakSet<TraceEvent>();

  constructor(
    processors: readonly Processor[],
    schema: EventSchema | undefined,
    reporter: Reporter,
  ) {
    this.#reporter = reporter;
    this.gate = new Gate(processors, schema, this.report, 'TraceEventBus');
  }

  get subscribers(): number {
    return this.#subscriptions.length;
  }

  /** Events that came and were neither dropped nor delivered so far. */
  get queued(): number {
    return this.#queue.length + this.#waiting;
  }

  add(callback: Subscriber, eventTypes?: ReadonlySet<EventType>, name?: string): string {
    const { id, all } = withSubscription(this.#subscriptions, callback, eventTypes, name);
    this.#subscriptions = all;
    return id;
  }

  remove(id: string): void {
    this.#subscriptions = withoutSubscription(this.#subscriptions, id);
  }

  readonly emit = (event: TraceEvent): void => {
    this.emitted += 1;
    try {
      if (this.#delivering) {
        if (this.#mayWait(event)) this.#queue.push(event);
        return;
      }
      if (this.#reentrant !== 0) this.#reentrant = 0;
      this.#during(event);
    } catch {
      this.errors += 1; // the stack ran out before there was a delivery
    }
  };

  readonly emitAsync = async (event: TraceEvent): Promise<void> => {
    this.emitted += 1;
    if (!this.#delivering) this.#reentrant = 0;
    else if (!this.#mayWait(event)) return;
    const settle = this.pending.begin();
    try {
      await this.#deliverInTurn(event);
    } catch {
      this.errors += 1; // the stack ran out
    } finally {
      settle();
    }
  };

  /** Reports an error. What the handler emits is delivered afterwards, and known for an echo. */
  readonly report: Reporter = (error, event, place, source) => {
    if (this.#echoes.has(event)) return;
    const tell = (): void => {
      this.#reporting = true;
      try {
        this.#reporter(error, event, place, source);
      } finally {
        this.#reporting = false;
      }
    };
    if (this.#delivering) tell();
    else this.#during(event, tell);
  };

  /** Whether there is room for an event that came during a delivery. */
  #mayWait(event: TraceEvent): boolean {
    if (this.#reporting && isObject(event)) {
      this.#echoes.add(event); // feeds no loop: onError hears nothing of it
      return true;
    }
    if (this.#reentrant >= MAX_REENTRANT) {
      this.gate.reasons.reentrant += 1;
      return false;
    }
    this.#reentrant += 1;
    return true;
  }

  /**
   * One synchronous stretch: delivers the event, or does the work about it, then delivers what was
   * emitted meanwhile. Never throws.
   */
  #during<Value>(event: TraceEvent, work?: () => Value): Value | undefined {
    this.#delivering = true;
    try {
      let value: Value | undefined;
      if (work === undefined) this.#deliver(event);
      else value = work();
      if (this.#queue.length > 0) this.#drain();
      return value;
    } catch {
      this.errors += 1; // the stack ran out: there is no room to say more
      return undefined;
    } finally {
      this.#delivering = false;
      endDelivery();
    }
  }

  #drain(): void {
    // what these deliveries emit joins the queue
    while (this.#queue.length > 0) this.#deliver(this.#queue.shift() as TraceEvent);
  }

  #admit(event: TraceEvent): TraceEvent | undefined {
    const admitted = this.gate.admit(event);
    if (admitted !== event && admitted !== undefined && this.#echoes.has(event))
      this.#echoes.add(admitted);
    return admitted;
  }

  #deliver(event: TraceEvent): void {
    const admitted = this.#admit(event);
    if (admitted === undefined) return;
    const subscriptions = this.#subscriptions;
    if (subscriptions.length > 1) beginDelivery(admitted);
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i] as Subscription;
      const promise = this.#hand(subscription, admitted);
      if (promise !== undefined) void this.#watch({ promise, subscription, event: admitted });
    }
  }

  async #deliverInTurn(event: TraceEvent): Promise<void> {
    if (this.#delivering) {
      this.#waiting += 1;
      while (this.#delivering) await Promise.resolve();
      this.#waiting -= 1;
    }
    const answers = this.#answers(event);
    const next = (): Answer | undefined => this.#during(event, () => answers.next().value);
    for (let answer = next(); answer !== undefined; answer = next()) {
      const outcome = await within(answer.promise, SUBSCRIBER_TIMEOUT_MS);
      if (outcome !== undefined) this.#fail(outcome.timedOut ? noAnswer() : outcome.error, answer);
    }
  }

  /** Delivers while it is read, up to the next answer that has to be awaited. */
  *#answers(event: TraceEvent): Generator<Answer, undefined> {
    const admitted = this.#admit(event);
    if (admitted === undefined) return undefined;
    beginDelivery(admitted);
    for (const subscription of this.#subscriptions) {
      const promise = this.#hand(subscription, admitted);
      if (promise === undefined) continue;
      yield { promise, subscription, event: admitted };
      beginDelivery(admitted);
    }
    return undefined;
  }

  /** What the subscriber returned, when that is a promise. */
  #hand(subscription: Subscription, event: TraceEvent): PromiseLike<unknown> | undefined {
    try {
      const { eventTypes, callback } = subscription;
      if (eventTypes !== undefined && !eventTypes.has(event.event_type)) return undefined;
      const answer = callback(event);
      return answer !== undefined && isThenable(answer) ? answer : undefined;
    } catch (error) {
      this.#fail(error, { subscription, event });
      return undefined;
    }
  }

  /** Counts a delivery as pending until it settles or its time is over. The promise does not reject. */
  async #watch(answer: Answer): Promise<void> {
    const settle = this.pending.begin(() => this.#fail(noAnswer(), answer));
    try {
      await answer.promise;
    } catch (error) {
      if (settle()) this.#fail(error, answer);
    } finally {
      settle();
    }
  }

  #fail(error: unknown, { subscription, event }: Omit<Answer, 'promise'>): void {
    this.errors += 1;
    this.report(error, event, subscription.name, subscription.id);
  }
}

function noAnswer(): TraceError {
  return new TraceError('subscriber_timeout', `no answer within ${SUBSCRIBER_TIMEOUT_MS} ms`);
}
