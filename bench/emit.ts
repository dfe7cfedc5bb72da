// What does an event cost on its way to its subscribers, beside the emitters there are?
import { type Channel, channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { createTraceEvent, type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { EventEmitter as EventEmitter3 } from 'eventemitter3';
import mittModule from 'mitt';
import { comparing, type Comparison, type Goal, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';

// its types describe CommonJS, its code is a module
const mitt = mittModule as unknown as typeof mittModule.default;

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

const NOTE =
  'The bus knows that createTraceEvent checked these events, catches what each subscriber throws and ' +
  'looks for a promise in what it returns. Of its peers, diagnostics_channel catches too; it is asked for ' +
  'hasSubscribers first, as its documentation says. mitt copies its list of listeners at each emit.';

export const measurements: readonly Measurement[] = comparing(
  { ...subscribers(0), note: NOTE },
  {
    ...subscribers(1, { ratio: 1, remains: 'It knows, catches and counts; node:events calls.' }),
    note: NOTE,
  },
  { ...subscribers(8, { ratio: 0.6 }), note: NOTE },
  { ...subscribers(100), iterations: 100_000, note: NOTE },
  {
    title: 'emit, 1 subscriber: literals, checked at each emit',
    per: 'event',
    iterations: 1_000_000,
    rounds: 15,
    subjects: [bus(1, literals)],
    peer: nodeEvents(1, literals),
    note: 'Literals of an app, which the bus checks and node:events does not.',
  },
);

function subscribers(count: number, goal?: Goal): Comparison {
  return {
    title: `emit, ${count} ${count === 1 ? 'subscriber' : 'subscribers'}: events of createTraceEvent`,
    per: 'event',
    iterations: 1_000_000,
    rounds: 15,
    subjects: [
      bus(count, checked, goal),
      eventEmitter3(count, checked),
      mittEmitter(count, checked),
      diagnosticsChannel(count, checked),
    ],
    peer: nodeEvents(count, checked),
  };
}

// Each has a loop of its own: one that all share would know no emitter's code and inline none.

function bus(count: number, events: readonly TraceEvent[], goal?: Goal): Subject {
  return {
    name: 'TraceEventBus',
    goal,
    start() {
      const subject = new TraceEventBus();
      const { emit } = subject;
      const counters = counting(count, (listener) => subject.subscribe(listener));
      return {
        round(iterations) {
          const before = subject.stats().emitted;
          const heard = listen(counters);
          for (let i = 0; i < iterations; i++) emit(events[i & (EVENTS - 1)] as TraceEvent);
          return heard() ?? subject.stats().emitted - before;
        },
      };
    },
  };
}

function nodeEvents(count: number, events: readonly TraceEvent[]): Subject {
  return {
    name: 'node:events',
    start() {
      const subject = new EventEmitter().setMaxListeners(count);
      const counters = counting(count, (listener) => subject.on('event', listener));
      return {
        round(iterations) {
          const heard = listen(counters);
          let unheard = 0;
          for (let i = 0; i < iterations; i++)
            if (!subject.emit('event', events[i & (EVENTS - 1)])) unheard += 1;
          return heard() ?? unheard;
        },
      };
    },
  };
}

function eventEmitter3(count: number, events: readonly TraceEvent[]): Subject {
  return {
    name: 'eventemitter3',
    start() {
      const subject = new EventEmitter3();
      const counters = counting(count, (listener) => subject.on('event', listener));
      return {
        round(iterations) {
          const heard = listen(counters);
          let unheard = 0;
          for (let i = 0; i < iterations; i++)
            if (!subject.emit('event', events[i & (EVENTS - 1)])) unheard += 1;
          return heard() ?? unheard;
        },
      };
    },
  };
}

function mittEmitter(count: number, events: readonly TraceEvent[]): Subject {
  return {
    name: 'mitt',
    start() {
      const subject = mitt<{ event: TraceEvent }>();
      const counters = counting(count, (listener) => subject.on('event', listener));
      return {
        round(iterations) {
          const heard = listen(counters);
          let emitted = 0;
          for (; emitted < iterations; emitted++)
            subject.emit('event', events[emitted & (EVENTS - 1)] as TraceEvent);
          return heard() ?? emitted;
        },
      };
    },
  };
}

function diagnosticsChannel(count: number, events: readonly TraceEvent[]): Subject {
  return {
    name: 'node:diagnostics_channel',
    start() {
      const subject: Channel = channel(`pyagent-trace-bench-${count}`);
      const counters = counting(count, (listener) =>
        subject.subscribe(listener as (event: unknown) => void),
      );
      return {
        round(iterations) {
          const heard = listen(counters);
          let unheard = 0;
          for (let i = 0; i < iterations; i++)
            if (subject.hasSubscribers) subject.publish(events[i & (EVENTS - 1)]);
            else unheard += 1;
          return heard() ?? unheard;
        },
      };
    },
  };
}

interface Counter {
  count: number;
}

/** The same listener for all: it looks at the event and counts it. */
function counting(
  count: number,
  subscribe: (listener: (event: TraceEvent) => void) => unknown,
): readonly Counter[] {
  return Array.from({ length: count }, () => {
    const counter = { count: 0 };
    subscribe((event) => {
      if (event.event_type === 'llm_call') counter.count += 1;
    });
    return counter;
  });
}

/** How many events all of them have heard from now on; nothing without a listener. */
function listen(counters: readonly Counter[]): () => number | undefined {
  for (const counter of counters) counter.count = 0;
  return () => {
    const heard = counters.map(({ count }) => count);
    return heard.length === 0 ? undefined : Math.min(...heard);
  };
}
