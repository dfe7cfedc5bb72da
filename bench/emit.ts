// What does an event on the bus cost, beside the same listeners on node:events?
import { EventEmitter } from 'node:events';
import { createTraceEvent, type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import type { Comparison, Subject } from './harness.ts';

/** A power of two, so that an index is a mask. */
const EVENTS = 64;

const literals: readonly TraceEvent[] = Array.from({ length: EVENTS }, (_, i) => ({
  timestamp: 1_767_225_600 + i,
  event_type: 'llm_call',
  agent_name: 'bull',
  pattern_type: 'debate',
  payload: { model: 'gpt-4o', input_tokens: 512 + i },
}));
const checked = literals.map((event) => createTraceEvent(event));

export const comparisons: readonly Comparison[] = [
  compareSubscribers(0, checked),
  compareSubscribers(1, checked, 1),
  compareSubscribers(8, checked, 0.6),
  compareSubscribers(1, literals),
];

function compareSubscribers(
  subscribers: number,
  events: readonly TraceEvent[],
  goal?: number,
): Comparison {
  const what =
    events === literals ? 'literals, checked at each emit' : 'events of createTraceEvent';
  return {
    title: `emit, ${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}: ${what}`,
    per: 'event',
    iterations: 1_000_000,
    rounds: 15,
    subjects: [bus(subscribers, events, goal)],
    peer: emitter(subscribers, events),
  };
}

function bus(subscribers: number, events: readonly TraceEvent[], goal?: number): Subject {
  return {
    name: 'TraceEventBus',
    ...(goal !== undefined && { goal }),
    start() {
      const { emit, subscribe, stats } = bindBus();
      const counters = Array.from({ length: subscribers }, () => counter(subscribe));
      return {
        round(iterations) {
          const before = stats().emitted;
          for (const each of counters) each.count = 0;
          for (let i = 0; i < iterations; i++) emit(events[i & (EVENTS - 1)] as TraceEvent);
          return counters[0]?.count ?? stats().emitted - before;
        },
      };
    },
  };
}

function bindBus(): Pick<TraceEventBus, 'emit' | 'subscribe' | 'stats'> {
  const subject = new TraceEventBus();
  return {
    emit: subject.emit,
    subscribe: (callback) => subject.subscribe(callback),
    stats: () => subject.stats(),
  };
}

function emitter(subscribers: number, events: readonly TraceEvent[]): Subject {
  return {
    name: 'node:events',
    start() {
      const subject = new EventEmitter();
      const counters = Array.from({ length: subscribers }, () =>
        counter((listener) => subject.on('event', listener)),
      );
      return {
        round(iterations) {
          for (const each of counters) each.count = 0;
          let unheard = 0;
          for (let i = 0; i < iterations; i++)
            if (!subject.emit('event', events[i & (EVENTS - 1)])) unheard += 1;
          return counters[0]?.count ?? unheard;
        },
      };
    },
  };
}

/** The same listener for both: it looks at the event and counts it. */
function counter(subscribe: (listener: (event: TraceEvent) => void) => unknown): { count: number } {
  const state = { count: 0 };
  subscribe((event) => {
    if (event.event_type === 'llm_call') state.count += 1;
  });
  return state;
}
