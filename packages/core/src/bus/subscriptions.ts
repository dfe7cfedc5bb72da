import { invalidOption } from '../check.ts';
import { describe, type EventType, type TraceEvent } from '../event.ts';
import { newSpanId } from '../ids.ts';

/** A callback may return a promise: `emitAsync` awaits it, `emit` does not. Both give it 5 s. */
export type Subscriber = (event: TraceEvent) => unknown;

export interface Subscription {
  readonly id: string;
  /** Names the subscriber in a report. */
  readonly name: string;
  /** Replaced when it is taken off: a delivery under way passes it by, at no cost to the others. */
  callback: Subscriber;
  /** Absent on a plain subscriber, which hears every type. */
  readonly eventTypes: ReadonlySet<EventType> | undefined;
}

/** The list with one more; plain subscribers stand before filtered ones, else in order of arrival. */
export function withSubscription(
  all: readonly Subscription[],
  callback: Subscriber,
  eventTypes: ReadonlySet<EventType> | undefined,
  name: string = callback.name || 'a subscriber',
): { readonly id: string; readonly all: readonly Subscription[] } {
  const id = newSpanId();
  const firstFiltered = all.findIndex((other) => other.eventTypes !== undefined);
  const place = eventTypes !== undefined || firstFiltered < 0 ? all.length : firstFiltered;
  return { id, all: all.toSpliced(place, 0, { id, name, callback, eventTypes }) };
}

/** The list without the one of this id, which hears nothing more. */
export function withoutSubscription(
  all: readonly Subscription[],
  id: string,
): readonly Subscription[] {
  for (const subscription of all) if (subscription.id === id) subscription.callback = hearNothing;
  return all.filter((subscription) => subscription.id !== id);
}

function hearNothing(): void {}

/** @throws {TraceError} `invalid_option` when it is no list of names: one name alone is a slip. */
export function eventTypeSet(value: unknown, place: string): ReadonlySet<EventType> {
  const isList = typeof value === 'object' && value !== null && Symbol.iterator in value;
  if (!isList)
    throw invalidOption(`${place}: expected a list of event types, got ${describe(value)}`);
  const types = new Set(value as Iterable<unknown>);
  for (const type of types)
    if (typeof type !== 'string')
      throw invalidOption(`${place}: expected names of event types, got ${describe(type)}`);
  return types as Set<EventType>;
}
