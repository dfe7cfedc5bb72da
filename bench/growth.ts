// What happens to time and memory when there is more and more: events, runs, subscribers, open spans?
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeTraceEvent, type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { SpanAssembler } from '@pyagent-trace/core/spans';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import { CostTracker } from '@pyagent-trace/cost';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
import { entryOf } from './cost.ts';
import { type Grown, growing } from './harness/grow.ts';
import type { Measurement } from './harness/table.ts';
import { EVENTS_PER_TRIPLE, sampleEvents, sampleTriples } from './samples.ts';

const UP_TO_A_MILLION = [1_000, 10_000, 100_000, 1_000_000];
const PER_TURN = 1_000;
const UP_TO_TEN_THOUSAND = [10, 100, 1_000, 10_000];
const DELIVERIES = 100;

const events = sampleEvents(PER_TURN);

export const measurements: readonly Measurement[] = growing(
  {
    title: 'more events: bus and JsonlExporter',
    per: 'event',
    sizes: UP_TO_A_MILLION,
    heap: 'flat',
    start: writing,
    note: 'Lines of 312 bytes, a turn of the event loop after a thousand.',
  },
  {
    title: 'more runs: tracer, bus and SpanAssembler',
    per: 'run',
    sizes: UP_TO_A_MILLION,
    heap: 'flat',
    start: tracing,
    note: 'A run is a traced triple, six events; its three spans are counted. The assembler remembers spans that ended, to know a late event, up to a bound.',
  },
  {
    title: 'more runs: CostTracker',
    per: 'run',
    sizes: UP_TO_A_MILLION,
    heap: 'flat',
    start: counting,
    note: 'A record in a trace of its own for each. The tracker keeps the latest traces apart, up to a bound.',
  },
  {
    title: 'more events: reading',
    per: 'event',
    sizes: UP_TO_A_MILLION,
    heap: 'flat',
    start: reading,
    note: 'readTraceEvents, of chunks that are made as they are read.',
  },
  {
    title: 'more subscribers: an event for each of them',
    per: 'subscriber',
    sizes: UP_TO_TEN_THOUSAND,
    heap: 'linear',
    start: delivering,
    note: 'A hundred events, heard by each: the time is that of a hundred deliveries. An app has a handful of subscribers.',
  },
  {
    title: 'more subscribers: subscribing and unsubscribing',
    per: 'subscriber',
    sizes: UP_TO_TEN_THOUSAND,
    heap: 'linear',
    start: subscribing,
    note: 'The newest leaves first.',
    remains:
      'Each of the two copies the list, so that a delivery under way goes on with the old one: time per subscriber grows with their number.',
  },
  {
    title: 'more open spans',
    per: 'span',
    sizes: UP_TO_A_MILLION,
    heap: 'flat',
    start: opening,
    note: 'Agents that start and never end, and a shutdown, which closes those that are open. At most 10,000 are held, by design: above it the one that was silent for longest is closed as incomplete. The heap is that before the shutdown.',
  },
);

function writing(): Grown {
  const folder = mkdtempSync(join(tmpdir(), 'pyagent-trace-bench-'));
  const bus = new TraceEventBus();
  const exporter = new JsonlExporter(join(folder, 'run.jsonl'));
  bus.attach(exporter);
  return {
    async run(items) {
      for (let i = 0; i < items; i++) {
        if (i % PER_TURN === 0) await nextTurn();
        bus.emit(events[i % PER_TURN] as TraceEvent);
      }
      await bus.flush();
      return exporter.stats().delivered;
    },
    async stop() {
      await bus.shutdown();
      rmSync(folder, { recursive: true });
    },
  };
}

function tracing(): Grown {
  const bus = new TraceEventBus();
  let ended = 0;
  const assembler = new SpanAssembler({
    onEnd() {
      ended += 1;
    },
  });
  bus.subscribe(assembler.add);
  const tracer = createTracer(bus);
  return {
    run(items) {
      for (let i = 0; i < items; i++) run(tracer, i);
      return ended / 3;
    },
    stop: () => assembler.shutdown(),
  };
}

function run(tracer: Tracer, i: number): string {
  return tracer.pattern('debate', { input: `Should we buy share ${i}?` }, () =>
    tracer.agent('bull', { role: 'optimist' }, () =>
      tracer.llmCall({ provider: 'openai', model: 'gpt-4o' }, (call) => {
        call.respond({ response: 'Yes.', input_tokens: 512, output_tokens: 20 });
        return 'Yes.';
      }),
    ),
  );
}

function counting(): Grown {
  const tracker = new CostTracker();
  return {
    run(items) {
      for (let i = 0; i < items; i++) tracker.record(entryOf(i, true));
      return tracker.summary().entries;
    },
  };
}

function reading(): Grown {
  const lines = sampleTriples(PER_TURN / EVENTS_PER_TRIPLE).map((event) => encodeTraceEvent(event));
  return {
    async run(items) {
      let read = 0;
      for await (const event of readTraceEvents(chunksOf(lines, items)))
        if (event.timestamp > 0) read += 1;
      return read;
    },
  };
}

/** So many lines, again and again the same. */
async function* chunksOf(lines: readonly string[], items: number): AsyncGenerator<Buffer> {
  for (let left = items; left > 0; left -= lines.length)
    yield Buffer.from(`${lines.slice(0, left).join('\n')}\n`);
}

function delivering(): Grown {
  const bus = new TraceEventBus();
  let heard = 0;
  return {
    prepare(items) {
      for (let i = 0; i < items; i++)
        bus.subscribe(() => {
          heard += 1;
        });
    },
    run() {
      for (let i = 0; i < DELIVERIES; i++) bus.emit(events[i] as TraceEvent);
      return heard / DELIVERIES;
    },
  };
}

function subscribing(): Grown {
  const bus = new TraceEventBus();
  const ids: string[] = [];
  return {
    run(items) {
      for (let i = 0; i < items; i++) ids.push(bus.subscribe(() => i));
      return bus.stats().subscribers;
    },
    finish() {
      for (const id of ids.toReversed()) bus.unsubscribe(id);
    },
  };
}

function opening(): Grown {
  let closed = 0;
  const assembler = new SpanAssembler({
    onEnd() {
      closed += 1;
    },
  });
  return {
    run(items) {
      for (let i = 0; i < items; i++)
        assembler.add({
          timestamp: 1_767_225_600 + i / 1000,
          event_type: 'agent_start',
          agent_name: 'bull',
          pattern_type: 'debate',
          payload: { trace_id: `trace-${i}`, span_id: `span-${i}` },
        });
      return closed + assembler.stats().open;
    },
    finish: () => assembler.shutdown(),
  };
}
