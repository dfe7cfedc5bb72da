import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TraceEventBus } from './bus.ts';
import { encodeTraceEvent } from './encode.ts';
import { createTraceEvent, type TraceEvent } from './event.ts';
import type { ExporterStats, FlushOptions, TraceExporter } from './exporter.ts';
import type { Processor } from './bus/gate.ts';
import { MemoryExporter } from './testing/memory-exporter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function named(agent_name: string, payload = {}): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type: 'agent_start', agent_name, payload });
}

const RECEIPT = { exporter: 'memory', delivered: 0, failed: 0, dropped: 0, pending: 0 };

/** An exporter that is sound but for what it is given. */
function exporterWith(broken: Partial<TraceExporter>): TraceExporter {
  const sound = new MemoryExporter();
  return {
    name: 'broken',
    exportEvent: sound.exportEvent,
    flush: () => sound.flush(),
    shutdown: () => sound.shutdown(),
    stats: () => sound.stats(),
    [Symbol.asyncDispose]: () => sound.shutdown(),
    ...broken,
  };
}

function fails(): never {
  throw new Error('boom');
}

async function rejects(): Promise<never> {
  throw new Error('boom');
}

async function hangs(): Promise<never> {
  return new Promise(() => {});
}

function stuck(): ExporterStats {
  return { accepted: 1, delivered: 0, dropped: 0, failed: 0, pending: 1, error: 'disk full' };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A payload that counts how often it is read. */
function counting(): { payload: { readonly text: string }; reads: () => number } {
  let reads = 0;
  const payload = {
    get text(): string {
      reads += 1;
      return 'text';
    },
  };
  return { payload, reads: () => reads };
}

function redactInPlace(event: TraceEvent): TraceEvent {
  (event.payload as { key: string }).key = '[REDACTED]';
  return event;
}

function redact(event: TraceEvent): TraceEvent {
  if (event.agent_name === 'unreadable') throw new Error('boom');
  return event.agent_name === 'spoilt' ? (7 as unknown as TraceEvent) : event;
}

const dropAll: Processor = () => undefined;
const shout: Processor = (event) => ({ ...event, agent_name: event.agent_name.toUpperCase() });

describe('TraceEventBus: attach', () => {
  test('subscribes the consumer, and unsubscribe takes it off without ending it', async () => {
    const bus = new TraceEventBus();
    const exporter = new MemoryExporter();
    const shutdown = vi.spyOn(exporter, 'shutdown');
    const id = bus.attach(exporter);
    bus.emit(named('a'));
    bus.unsubscribe(id);
    bus.emit(named('b'));

    expect(exporter.events).toEqual([named('a')]);
    expect(await bus.shutdown()).toEqual([]);
    expect(shutdown).not.toHaveBeenCalled();
  });

  test.each([
    [undefined, 'exportEvent, flush, shutdown, stats, [Symbol.asyncDispose], name'],
    [new TraceEventBus(), 'exportEvent, name'],
    [{ ...exporterWith({}), flush: undefined }, 'flush'],
  ])('refuses %o at once, naming what is missing', (consumer, missing) => {
    const bus = new TraceEventBus();

    expect(() => bus.attach(consumer as unknown as TraceExporter)).toThrow(
      expect.objectContaining({
        code: 'invalid_exporter',
        message: `attach: the consumer has no ${missing}`,
      }),
    );
    expect(bus.stats().subscribers).toBe(0);
  });

  test.each([
    [{ processor: shout }, 'attach: unknown option "processor"; known are processors'],
    [{ processors: shout }, 'attach: processors: expected an array of functions, got a function'],
    [{ processors: [7] }, 'attach: processors[0]: expected a function, got 7'],
  ])('refuses the options %o', (options, message) => {
    const bus = new TraceEventBus();

    expect(() => bus.attach(new MemoryExporter(), options as never)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message }),
    );
    expect(bus.stats().subscribers).toBe(0);
  });

  test('refuses a consumer that is attached already, until it is taken off', () => {
    const bus = new TraceEventBus();
    const exporter = new MemoryExporter();
    const id = bus.attach(exporter);

    expect(() => bus.attach(exporter, { processors: [shout] })).toThrow(
      expect.objectContaining({
        code: 'invalid_exporter',
        message: 'attach: "memory" is attached already',
      }),
    );
    bus.unsubscribe(id);
    bus.attach(exporter);
    new TraceEventBus().attach(exporter);
    expect(bus.stats().subscribers).toBe(1);
  });

  test('refuses a consumer once the bus is shut down: nothing would flush it', async () => {
    const bus = new TraceEventBus();
    const shutdown = bus.shutdown();

    expect(() => bus.attach(new MemoryExporter())).toThrow(
      expect.objectContaining({
        code: 'invalid_exporter',
        message: 'attach: "memory" comes after the shutdown of the bus',
      }),
    );
    await shutdown;
    expect(bus.stats().subscribers).toBe(0);
  });

  test('calls exportEvent on the consumer, so that one that is not bound works', () => {
    class Unbound extends MemoryExporter {}
    const exporter = new Unbound();
    const unbound = {
      ...exporterWith({}),
      inner: exporter,
      exportEvent(this: { inner: MemoryExporter }, event: TraceEvent): void {
        this.inner.exportEvent(event);
      },
    };
    const bus = new TraceEventBus();
    bus.attach(unbound);
    bus.emit(named('a'));

    expect(exporter.events).toEqual([named('a')]);
  });

  test('processors stand before that consumer only', () => {
    const bus = new TraceEventBus();
    const [whole, changed, none] = [
      new MemoryExporter(),
      new MemoryExporter(),
      new MemoryExporter(),
    ];
    bus.attach(whole);
    bus.attach(changed, { processors: [shout] });
    bus.attach(none, { processors: [dropAll, fails] });
    bus.emit(named('a'));

    expect(whole.events).toEqual([named('a')]);
    expect(changed.events).toEqual([named('A')]);
    expect(none.events).toEqual([]);
  });

  test('what its processors hold back or fail on is counted in the receipt', async () => {
    const errors: unknown[] = [];
    const bus = new TraceEventBus({ onError: (error) => errors.push((error as Error).message) });
    const exporter = new MemoryExporter();
    const processors: Processor[] = [
      (event) => (event.agent_name === 'held back' ? undefined : event),
      redact,
    ];
    bus.attach(exporter, { processors });
    for (const name of ['held back', 'unreadable', 'spoilt', 'sound']) bus.emit(named(name));

    expect(exporter.events).toEqual([named('sound')]);
    expect(errors).toEqual(['boom', 'trace event: expected an object, got 7']);
    expect(await bus.flush()).toEqual([
      {
        ...RECEIPT,
        delivered: 1,
        dropped: 3,
        error: 'redact: trace event: expected an object, got 7',
      },
    ]);
    expect(bus.stats()).toMatchObject({ emitted: 4, accepted: 4, dropped: 0 });
  });

  test.each([
    ['throws', fails],
    ['rejects', rejects],
  ])('an exportEvent that %s loses its event, which is counted', async (_how, exportEvent) => {
    const errors: unknown[] = [];
    const bus = new TraceEventBus({ onError: (error) => errors.push((error as Error).message) });
    const other = new MemoryExporter();
    // oxlint-disable-next-line typescript/no-misused-promises -- that one is asynchronous is the point
    bus.attach(exporterWith({ exportEvent }));
    bus.attach(other);
    bus.emit(named('a'));

    expect(await bus.flush()).toEqual([
      { ...RECEIPT, exporter: 'broken', dropped: 1, error: 'boom' },
      { ...RECEIPT, delivered: 1 },
    ]);
    expect(errors).toEqual(['boom']);
    expect(bus.stats()).toMatchObject({ errors: 1, accepted: 1 });
  });
});

describe('TraceEventBus: one line for all exporters', () => {
  test.each(['emit', 'emitAsync'] as const)(
    'during one delivery by %s an event is serialised once',
    async (verb) => {
      const bus = new TraceEventBus();
      for (let i = 0; i < 2; i++) bus.attach(new MemoryExporter());
      bus.subscribe(new MemoryExporter().exportEvent);
      const { payload, reads } = counting();
      encodeTraceEvent(named('a', payload));
      const once = reads();
      await bus[verb](named('a', payload));

      expect(reads()).toBe(2 * once);
    },
  );

  test('also by exporters that hear it after emitAsync waited', async () => {
    const bus = new TraceEventBus();
    bus.subscribe(async () => {});
    for (let i = 0; i < 2; i++) bus.attach(new MemoryExporter());
    const { payload, reads } = counting();
    encodeTraceEvent(named('a', payload));
    const once = reads();
    await bus.emitAsync(named('a', payload));

    expect(reads()).toBe(2 * once);
  });

  test('the next delivery of the same event reads it again', () => {
    const bus = new TraceEventBus();
    const exporter = new MemoryExporter();
    bus.attach(exporter);
    bus.attach(new MemoryExporter());
    const payload = { round: 1 };
    const event = named('a', payload);
    bus.emit(event);
    payload.round = 2;
    bus.emit(event);
    payload.round = 3;

    expect(exporter.events).toEqual([named('a', { round: 1 }), named('a', { round: 2 })]);
    expect(encodeTraceEvent(event)).toContain('"round":3');
  });

  test('a processor that changes the event in place is not undone by it', () => {
    const outer = new TraceEventBus();
    const inner = new TraceEventBus({ processors: [redactInPlace] });
    const [whole, redacted, forwarded] = [
      new MemoryExporter(),
      new MemoryExporter(),
      new MemoryExporter(),
    ];
    outer.attach(whole);
    outer.attach(redacted, { processors: [redactInPlace] });
    inner.attach(forwarded);
    outer.emit(named('a', { key: 'secret' }));
    expect(redacted.events).toEqual([named('a', { key: '[REDACTED]' })]);

    const plain = new TraceEventBus();
    plain.attach(whole);
    plain.subscribe(inner.emit);
    plain.emit(named('b', { key: 'secret' }));
    expect(whole.events.at(-1)).toEqual(named('b', { key: 'secret' }));
    expect(forwarded.events).toEqual([named('b', { key: '[REDACTED]' })]);
  });
});

describe('TraceEventBus: flush and shutdown', () => {
  test('return one receipt per consumer, in order of attaching', async () => {
    const bus = new TraceEventBus();
    const stats: ExporterStats = {
      accepted: 9,
      dropped: 1,
      delivered: 5,
      failed: 3,
      pending: 1,
      error: 'disk full',
    };
    bus.attach(exporterWith({ name: 'file', stats: () => stats }));
    bus.attach(new MemoryExporter());

    expect(await bus.flush()).toEqual([
      { exporter: 'file', delivered: 5, failed: 3, dropped: 1, pending: 1, error: 'disk full' },
      RECEIPT,
    ]);
  });

  test.each(['flush', 'shutdown'] as const)('%s runs all consumers side by side', async (verb) => {
    const bus = new TraceEventBus();
    for (const name of ['one', 'two', 'three'])
      bus.attach(exporterWith({ name, [verb]: () => sleep(100) }));
    let done = false;
    void bus[verb]().then(() => (done = true));
    await vi.advanceTimersByTimeAsync(99);
    expect(done).toBe(false);

    await vi.advanceTimersByTimeAsync(1);
    expect(done).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(['flush', 'shutdown'] as const)(
    '%s ends within its timeout when one hangs, and says so',
    async (verb) => {
      const bus = new TraceEventBus();
      const given: (FlushOptions | undefined)[] = [];
      const hanging = (options?: FlushOptions): Promise<void> => {
        given.push(options);
        return hangs();
      };
      bus.attach(exporterWith({ [verb]: hanging }));
      bus.attach(new MemoryExporter());
      let receipts: unknown;
      void bus[verb]({ timeoutMs: 200 }).then((value) => (receipts = value));
      await vi.advanceTimersByTimeAsync(199);
      expect(receipts).toBeUndefined();

      await vi.advanceTimersByTimeAsync(1);
      expect(receipts).toEqual([
        { ...RECEIPT, exporter: 'broken', error: `${verb} did not end within 200 ms` },
        RECEIPT,
      ]);
      expect(given).toEqual([{ timeoutMs: 180 }]);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test.each(['flush', 'shutdown'] as const)(
    '%s leaves a consumer that takes all its time a tenth to settle its counts',
    async (verb) => {
      const bus = new TraceEventBus();
      let failed = 0;
      const slow = async ({ timeoutMs = 0 }: FlushOptions = {}): Promise<void> => {
        await sleep(timeoutMs);
        failed = 1;
      };
      const stats = (): ExporterStats => ({
        accepted: 1,
        delivered: 0,
        dropped: 0,
        failed,
        pending: 1 - failed,
        error: 'disk full',
      });
      bus.attach(exporterWith({ [verb]: slow, stats }));
      const receipts = bus[verb]({ timeoutMs: 300 });
      await vi.runAllTimersAsync();

      expect(await receipts).toEqual([
        { ...RECEIPT, exporter: 'broken', failed: 1, error: 'disk full' },
      ]);
    },
  );

  test('the tenth is 100 ms at most', async () => {
    const bus = new TraceEventBus();
    const flush = vi.fn<TraceExporter['flush']>(() => Promise.resolve());
    bus.attach(exporterWith({ flush }));
    await bus.flush({ timeoutMs: 60_000 });

    expect(flush.mock.calls).toEqual([[{ timeoutMs: 59_900 }]]);
  });

  test('a consumer that hangs or fails is told of together with its own reason', async () => {
    const bus = new TraceEventBus();
    bus.attach(exporterWith({ flush: hangs, stats: stuck }));
    bus.attach(exporterWith({ flush: rejects, stats: stuck }));
    const receipts = bus.flush({ timeoutMs: 200 });
    await vi.runAllTimersAsync();

    expect(await receipts).toMatchObject([
      { pending: 1, error: 'flush did not end within 200 ms; disk full' },
      { pending: 1, error: 'boom; disk full' },
    ]);
  });

  test.each([
    ['throws', fails],
    ['rejects', rejects],
  ])('a consumer that %s is named, and the others are flushed', async (_how, broken) => {
    const bus = new TraceEventBus();
    bus.attach(exporterWith({ flush: broken, shutdown: broken }));
    bus.attach(new MemoryExporter());
    const receipts = [{ ...RECEIPT, exporter: 'broken', error: 'boom' }, RECEIPT];

    expect(await bus.flush()).toEqual(receipts);
    expect(await bus.shutdown()).toEqual(receipts);
  });

  test('take a consumer whose flush returns nothing', async () => {
    const bus = new TraceEventBus();
    bus.attach(exporterWith({ flush: (() => {}) as unknown as TraceExporter['flush'] }));

    expect(await bus.flush()).toEqual([{ ...RECEIPT, exporter: 'broken' }]);
  });

  test('survive a consumer whose stats fail, with the name it was attached by', async () => {
    const bus = new TraceEventBus();
    const exporter = exporterWith({ stats: fails });
    bus.attach(exporter);
    Object.defineProperty(exporter, 'name', { get: fails });

    expect(await bus.flush()).toEqual([{ ...RECEIPT, exporter: 'broken', error: 'stats: boom' }]);
  });

  test('counts that are none are 0 in the receipt, which says so', async () => {
    const bus = new TraceEventBus();
    const stats = { accepted: 1, delivered: 1, dropped: NaN, pending: '3', error: 'disk full' };
    bus.attach(exporterWith({ stats: () => stats as unknown as ExporterStats }));

    expect(await bus.flush()).toEqual([
      {
        ...RECEIPT,
        exporter: 'broken',
        delivered: 1,
        error: 'stats: no count in failed, dropped, pending; disk full',
      },
    ]);
  });

  test.each([NaN, -1, '100', null, undefined])(
    'a timeout of %o is that by default, 5 s',
    async (timeoutMs) => {
      const bus = new TraceEventBus();
      const flush = vi.fn<TraceExporter['flush']>(() => Promise.resolve());
      bus.attach(exporterWith({ flush }));
      await bus.flush({ timeoutMs } as FlushOptions);
      await bus.flush(null as unknown as FlushOptions);

      expect(flush.mock.calls).toEqual([[{ timeoutMs: 4_900 }], [{ timeoutMs: 4_900 }]]);
    },
  );

  test('an endless timeout waits', async () => {
    const bus = new TraceEventBus();
    bus.attach(exporterWith({ flush: hangs }));
    let done = false;
    void bus.flush({ timeoutMs: Infinity }).then(() => (done = true));
    await vi.advanceTimersByTimeAsync(86_400_000);

    expect(done).toBe(false);
  });

  test('shutdown returns the same promise each time, and await using calls it', async () => {
    const exporter = new MemoryExporter();
    const shutdown = vi.spyOn(exporter, 'shutdown');
    const scope = async (): Promise<TraceEventBus> => {
      await using bus = new TraceEventBus();
      bus.attach(exporter);
      return bus;
    };
    const bus = await scope();

    expect(shutdown).toHaveBeenCalledOnce();
    expect(bus.shutdown()).toBe(bus.shutdown());
    await bus[Symbol.asyncDispose]();
    expect(shutdown).toHaveBeenCalledOnce();
  });

  test('after shutdown an event goes to the consumers, which count it', async () => {
    const bus = new TraceEventBus();
    bus.attach(new MemoryExporter());
    bus.emit(named('a'));
    await bus.shutdown();
    bus.emit(named('b'));

    expect(await bus.flush()).toEqual([
      { ...RECEIPT, delivered: 1, dropped: 1, error: 'an event came after shutdown' },
    ]);
  });

  test('called by a subscriber, flush comes after what is being delivered', async () => {
    const bus = new TraceEventBus();
    let flushed: ReturnType<TraceEventBus['flush']> | undefined;
    bus.subscribe(() => void (flushed = bus.flush()));
    bus.attach(new MemoryExporter());
    bus.emit(named('a'));

    expect(await flushed).toEqual([{ ...RECEIPT, delivered: 1 }]);
  });

  test('twenty at once give twenty answers', async () => {
    const bus = new TraceEventBus();
    bus.attach(new MemoryExporter());
    bus.emit(named('a'));
    const answers = await Promise.all(Array.from({ length: 20 }, () => bus.flush()));

    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify([{ ...RECEIPT, delivered: 1 }])]),
    );
  });
});
