// What does an event cost on its way into a span? Nothing else does this: JSON.parse of the same
// events is a yardstick, not a peer.
import { encodeTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { SpanAssembler } from '@pyagent-trace/core/spans';
import { comparing, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import { EVENTS_PER_TRIPLE, sampleTriples } from './samples.ts';

const SPANS_PER_TRIPLE = 3;

export const measurements: readonly Measurement[] = comparing({
  title: 'events into spans',
  per: 'event',
  iterations: 8_000 * EVENTS_PER_TRIPLE,
  rounds: 15,
  subjects: [assembled()],
  peer: parsed(),
  note: 'Traced triples, each span heard at its end.',
});

function assembled(): Subject {
  return {
    name: 'SpanAssembler',
    start() {
      let events: TraceEvent[] = [];
      return {
        prepare(iterations) {
          events = sampleTriples(iterations / EVENTS_PER_TRIPLE);
        },
        round() {
          let ended = 0;
          const assembler = new SpanAssembler({
            onEnd(span) {
              if (span.end_time !== undefined) ended += 1;
            },
          });
          for (const event of events) assembler.add(event);
          assembler.shutdown();
          return (ended / SPANS_PER_TRIPLE) * EVENTS_PER_TRIPLE;
        },
      };
    },
  };
}

function parsed(): Subject {
  return {
    name: 'JSON.parse of the same events, as a yardstick',
    start() {
      let lines: string[] = [];
      return {
        prepare(iterations) {
          const events = sampleTriples(iterations / EVENTS_PER_TRIPLE);
          lines = events.map((event) => encodeTraceEvent(event));
        },
        round() {
          let read = 0;
          for (const line of lines) if ((JSON.parse(line) as TraceEvent).timestamp > 0) read += 1;
          return read;
        },
      };
    },
  };
}
