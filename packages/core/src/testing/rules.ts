import type { TraceEvent } from '../event.ts';
import { exceeds, leastActive } from './active-resources.ts';
import { hostilePayloads } from './hostile-payloads.ts';
import { assert, type Probe } from './probe.ts';
import { sampleRun } from './sample-run.ts';

/** One rule of the exporter contract. */
export interface Rule {
  readonly name: string;
  readonly needs?: 'refuse' | 'hang' | 'active resources';
  readonly check: (probe: Probe) => Promise<void>;
}

/** In the order of `docs/exporter-guide.md`. */
export const RULES: readonly Rule[] = [
  {
    name: 'delivers in order by the time flush resolves',
    check: async (probe) => {
      const runs = [sampleRun({ run: 1, calls: 5 }), sampleRun({ run: 2, calls: 5 })];
      for (const run of runs) {
        probe.give(run);
        await probe.flush();
      }
      await probe.expectDelivered(runs, 'after flush');
      await probe.expectOrder(runs, 'after flush');
    },
  },
  {
    name: 'works detached',
    check: async (probe) => {
      const { exportEvent } = probe.subject.exporter;
      const run = sampleRun();
      probe.give(run, exportEvent);
      await probe.flush();
      await probe.expectDelivered([run], 'after flush');
    },
  },
  {
    name: 'leaves the event unchanged',
    check: async (probe) => {
      const open = structuredClone(sampleRun({ run: 1 }));
      const before = JSON.stringify(open);
      probe.give(open);
      const frozen = deepFreeze(sampleRun({ run: 2 }));
      probe.give(frozen);
      await probe.flush();
      assert(JSON.stringify(open) === before, 'the exporter changed an event');
      await probe.expectDelivered([open, frozen], 'after flush');
    },
  },
  {
    name: 'takes what it needs of an event before exportEvent returns',
    check: async (probe) => {
      const run = sampleRun();
      for (const event of structuredClone(run)) {
        probe.give([event]);
        Object.assign(event.payload, { trace_id: 'changed', span_id: 'changed' });
      }
      await probe.flush();
      await probe.expectDelivered([run], 'of events changed after exportEvent');
    },
  },
  {
    name: 'passes unknown event types',
    check: async (probe) => {
      const run = sampleRun();
      const inside = { ...(run[2] as TraceEvent), event_type: 'vendor.future_event' };
      const stray = { ...inside, payload: {} };
      probe.give([stray, ...run.slice(0, 2), inside, ...run.slice(2), stray]);
      await probe.flush();
      await probe.expectArrived([run], 'with unknown events between');
      const { dropped, pending } = probe.stats('after flush');
      assert(dropped + pending === 0, `dropped ${dropped}, pending ${pending} of unknown type`);
    },
  },
  {
    name: 'takes every hostile payload without throwing',
    check: async (probe) => {
      const run = sampleRun();
      const agent = run[1] as TraceEvent;
      const calls: TraceEvent[] = [];
      probe.give(run.slice(0, -2));
      for (const [index, { name, payload }] of hostilePayloads().entries()) {
        const bare = { ...agent, event_type: 'llm_call', payload };
        const call = { ...bare, payload: callWith(payload, agent, index) };
        calls.push(call);
        probe.give([bare, call], undefined, () => name);
      }
      probe.give(run.slice(-2));
      await probe.flush();
      await probe.expectArrived([run, calls], 'with hostile payloads');
    },
  },
  {
    name: 'flushes when idle and twice at once',
    check: async (probe) => {
      await probe.flush();
      const run = sampleRun();
      probe.give(run);
      await Promise.all(
        [1, 2].map(async (nth) => {
          await probe.flush();
          await probe.expectDelivered([run], `after flush ${nth} of 2 at once`);
        }),
      );
    },
  },
  {
    name: 'shutdown delivers what is queued and returns the same promise each time',
    check: async (probe) => {
      const { exporter } = probe.subject;
      const run = sampleRun();
      probe.give(run);
      const first = exporter.shutdown();
      assert(exporter.shutdown() === first, 'a second shutdown() returned another promise');
      await probe.settle('shutdown', {}, () => first);
      await probe.expectDelivered([run], 'after shutdown');
      assert(exporter.shutdown() === first, 'a later shutdown() returned another promise');
      await probe.settle('shutdown', {}, () => exporter[Symbol.asyncDispose]());
    },
  },
  {
    name: 'counts, and survives, an event after shutdown',
    check: async (probe) => {
      const run = sampleRun();
      probe.give(run);
      await probe.shutdown();
      const late = sampleRun({ run: 2 });
      probe.give(late);
      await probe.flush();
      const { dropped, pending } = probe.stats('after shutdown');
      assert(dropped === late.length, `${late.length} came after shutdown, dropped is ${dropped}`);
      assert(pending === 0, `pending is ${pending} after shutdown`);
      await probe.expectArrived([run], 'after shutdown');
    },
  },
  {
    name: 'accounts for 10,000 events',
    check: async (probe) => {
      const runs = Array.from({ length: 1_000 }, (_, run) => sampleRun({ run: run + 1, calls: 3 }));
      for (const run of runs) probe.give(run);
      await probe.flush();
      await probe.expectAccounted(runs, 'after 10,000 events at once');
      const { delivered } = probe.stats('after 10,000 events at once');
      assert(delivered > 0, 'nothing of 10,000 events was delivered');
    },
  },
  {
    name: 'survives a destination that refuses and recovers',
    needs: 'refuse',
    check: async (probe) => {
      const [before, during, after] = [1, 2, 3].map((run) => sampleRun({ run })) as [
        readonly TraceEvent[],
        readonly TraceEvent[],
        readonly TraceEvent[],
      ];
      probe.give(before);
      await probe.flush();
      await hook(probe, 'refuse');
      probe.give(during);
      await probe.flush({ timeoutMs: 200 });
      const missing = await probe.expectAccounted([before, during], 'while refused');
      assert(missing > 0, "the subject's refuse() has no effect");
      await hook(probe, 'recover');
      probe.give(after);
      await probe.flush();
      await probe.expectArrived([before, after], 'after the destination recovered');
      await probe.expectAccounted([before, during, after], 'after the destination recovered');
    },
  },
  {
    name: 'does not keep the process alive',
    needs: 'active resources',
    check: async (probe) => {
      const idle = await leastActive();
      probe.give(sampleRun({ run: 1 }));
      const waiting = await exceeds(idle);
      assert(waiting === undefined, `with events waiting, ${waiting} keeps the process alive`);
      await probe.flush();
      const flushed = await exceeds(idle);
      assert(flushed === undefined, `after flush, ${flushed} keeps the process alive`);
    },
  },
  {
    name: 'ends flush within its timeout when the destination hangs',
    needs: 'hang',
    check: async (probe) => {
      await hook(probe, 'hang');
      const run = sampleRun();
      probe.give(run);
      await probe.flush({ timeoutMs: 100 });
      const missing = await probe.expectAccounted([run], 'while the destination hangs');
      assert(missing > 0, "the subject's hang() has no effect");
      await probe.shutdown({ timeoutMs: 100 });
      await probe.expectAccounted([run], 'after shutdown while the destination hangs');
    },
  },
];

/** A rule that cannot be tested must be left out by name, not pass unseen. */
async function hook(probe: Probe, name: 'refuse' | 'recover' | 'hang'): Promise<void> {
  const { subject } = probe;
  assert(
    subject[name] !== undefined,
    `the subject has no ${name}(); give it one, or say { cannot: [...] }`,
  );
  await subject[name]();
}

/** A complete call with ids, and with the hostile value under each key that exporters read. */
function callWith(hostile: object, agent: TraceEvent, index: number): TraceEvent['payload'] {
  let value: unknown = hostile;
  try {
    if (Object.hasOwn(hostile, 'value')) value = (hostile as { value: unknown }).value;
  } catch {
    // a proxy: hostile as a whole
  }
  return {
    trace_id: agent.payload['trace_id'],
    span_id: `ffff${index.toString(16).padStart(12, '0')}`,
    parent_span_id: agent.payload['span_id'],
    model: value,
    messages_in: value,
    response: value,
    input_tokens: value,
    duration_ms: value,
    status: value,
    metadata: value,
  };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
