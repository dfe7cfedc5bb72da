import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { type BusStats, TraceEventBus } from './bus.ts';
import { createTraceEvent, type TraceEvent } from './event.ts';
import type { FlushReport } from './exporter.ts';

const VECTORS = new URL('../../../../shared/vectors/bus.json', import.meta.url);

type Operation =
  | ['subscribe', string]
  | ['subscribe_filter', string, string[]]
  | ['unsubscribe', string]
  | ['emit', number, string];

/** What the subscribers heard, as pairs of their name and the event's timestamp. */
function play(operations: readonly Operation[]): [string, number][] {
  const bus = new TraceEventBus();
  const heard: [string, number][] = [];
  const ids = new Map<string, string>();
  for (const [verb, subject, detail] of operations) {
    const listen = (event: TraceEvent): unknown => heard.push([subject as string, event.timestamp]);
    if (verb === 'subscribe') ids.set(subject, bus.subscribe(listen));
    else if (verb === 'subscribe_filter') ids.set(subject, bus.subscribeFilter(detail, listen));
    else if (verb === 'unsubscribe') bus.unsubscribe(ids.get(subject) ?? '');
    else bus.emit(createTraceEvent({ timestamp: subject, event_type: detail }));
  }
  return heard;
}

/** An event that is told from others by its agent's name. */
function named(agent_name: string, event_type = 'agent_start'): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type, agent_name });
}

/** Writes down the names of the events it hears, with a name of its own. */
function listener(heard: string[], name = ''): (event: TraceEvent) => void {
  return (event) => void heard.push(name + event.agent_name);
}

async function rejecting(): Promise<never> {
  throw new Error('rejected');
}

function throwing(): never {
  throw new Error('thrown');
}

async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

function isError(event: TraceEvent): boolean {
  return event.event_type === 'error';
}

afterEach(() => void vi.unstubAllEnvs());

describe('TraceEventBus: order', () => {
  test('plain subscribers hear an event first, in order, then the filtered ones', () => {
    expect(
      play([
        ['subscribe_filter', 'f1', ['error', 'llm_call']],
        ['subscribe', 's1'],
        ['subscribe_filter', 'f2', ['error']],
        ['subscribe', 's2'],
        ['emit', 1, 'error'],
        ['emit', 2, 'llm_call'],
        ['unsubscribe', 's1'],
        ['subscribe', 's3'],
        ['emit', 3, 'compression'],
      ]),
    ).toEqual([
      ['s1', 1],
      ['s2', 1],
      ['f1', 1],
      ['f2', 1],
      ['s1', 2],
      ['s2', 2],
      ['f1', 2],
      ['s2', 3],
      ['s3', 3],
    ]);
  });

  test.skipIf(!existsSync(VECTORS))('is that of the Python bus (skipped without ../shared)', () => {
    const { operations, deliveries } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
      operations: Operation[];
      deliveries: [string, number][];
    };

    expect(deliveries.length).toBeGreaterThan(50);
    expect(play(operations)).toEqual(deliveries);
  });

  test('every subscriber gets the very same object', () => {
    const bus = new TraceEventBus();
    const heard: TraceEvent[] = [];
    bus.subscribe((event) => heard.push(event));
    bus.subscribeFilter(['error'], (event) => heard.push(event));
    const events = [named('a', 'error'), { ...named('b', 'error') }];
    for (const event of events) bus.emit(event);

    expect(heard).toHaveLength(4);
    expect(heard[0]).toBe(events[0]);
    expect(heard[1]).toBe(events[0]);
    expect(heard[2]).toBe(events[1]);
    expect(heard[3]).toBe(events[1]);
  });

  test('one function subscribed twice hears everything twice', () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    const listen = listener(heard);
    const first = bus.subscribe(listen);
    bus.subscribe(listen);
    bus.emit(named('a'));
    bus.unsubscribe(first);
    bus.emit(named('b'));

    expect(heard).toEqual(['a', 'a', 'b']);
  });
});

describe('TraceEventBus: subscribing', () => {
  test('ids are strings, all different', () => {
    const bus = new TraceEventBus();
    const ids = [
      bus.subscribe(() => {}),
      bus.subscribe(() => {}),
      bus.subscribeFilter([], () => {}),
    ];

    expect(ids).toEqual([expect.any(String), expect.any(String), expect.any(String)]);
    expect(new Set(ids).size).toBe(3);
  });

  test('a filter takes any list, keeps its own copy, and an empty one hears nothing', () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    const types = new Set(['error']);
    bus.subscribeFilter(types, listener(heard, 'set '));
    bus.subscribeFilter([], listener(heard, 'empty '));
    types.add('llm_call');
    bus.emit(named('a', 'error'));
    bus.emit(named('b', 'llm_call'));

    expect(heard).toEqual(['set a']);
  });

  test('unsubscribing twice, or what was never subscribed, does nothing', () => {
    const bus = new TraceEventBus();
    const id = bus.subscribe(() => {});
    bus.unsubscribe(id);
    bus.unsubscribe(id);
    bus.unsubscribe('no such id');

    expect(bus.stats().subscribers).toBe(0);
  });

  test('a subscriber taken off during a delivery hears nothing more, at once', () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    const ids: string[] = [];
    bus.subscribe(() => ids.forEach((id) => bus.unsubscribe(id)));
    ids.push(bus.subscribe(listener(heard, 'plain ')));
    ids.push(bus.subscribeFilter(['agent_start'], listener(heard, 'filtered ')));
    bus.subscribe(listener(heard, 'stays '));
    bus.emit(named('a'));

    expect(heard).toEqual(['stays a']);
  });

  test('a subscriber may take itself off, and the others still hear the event', () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    const id = bus.subscribe((event) => {
      heard.push(`once ${event.agent_name}`);
      bus.unsubscribe(id);
    });
    bus.subscribe(listener(heard, 'next '));
    bus.emit(named('a'));
    bus.emit(named('b'));

    expect(heard).toEqual(['once a', 'next a', 'next b']);
  });

  test('a subscriber added during a delivery hears from the next event on', () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    const id = bus.subscribe(() => {
      bus.unsubscribe(id);
      bus.subscribe(listener(heard, 'late '));
    });
    bus.emit(named('a'));
    bus.emit(named('b'));

    expect(heard).toEqual(['late b']);
  });

  test('emit and emitAsync work detached', async () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    bus.subscribe(listener(heard));
    const { emit, emitAsync } = bus;
    emit(named('a'));
    await emitAsync(named('b'));

    expect(heard).toEqual(['a', 'b']);
  });

  test('a subscriber gets nothing of the bus as its this', () => {
    const bus = new TraceEventBus();
    const seen: unknown[] = [];
    bus.subscribe(function (this: unknown) {
      seen.push(this);
    });
    bus.emit(named('a'));

    expect(seen).toEqual([undefined]);
  });

  test.each([
    ['subscribe', [7], 'subscribe: expected a function, got 7'],
    ['subscribeFilter', [['error']], 'subscribeFilter: expected a function, got nothing'],
    [
      'subscribeFilter',
      ['error', () => {}],
      'subscribeFilter: expected a list of event types, got a string',
    ],
    [
      'subscribeFilter',
      [() => true, () => {}],
      'subscribeFilter: expected a list of event types, got a function',
    ],
    [
      'subscribeFilter',
      [undefined, () => {}],
      'subscribeFilter: expected a list of event types, got nothing',
    ],
    [
      'subscribeFilter',
      [{ error: true }, () => {}],
      'subscribeFilter: expected a list of event types, got an object',
    ],
    [
      'subscribeFilter',
      [['error', undefined], () => {}],
      'subscribeFilter: expected names of event types, got nothing',
    ],
  ] as const)('%s refuses %o at once', (verb, args, message) => {
    const bus: Record<typeof verb, (...args: never[]) => string> = new TraceEventBus();

    expect(() => bus[verb](...(args as unknown as never[]))).toThrow(
      expect.objectContaining({ code: 'invalid_option', message }),
    );
  });

  test.each([
    [null, 'TraceEventBus: expected an object of options, got null'],
    ['x', 'TraceEventBus: expected an object of options, got a string'],
    [
      { onErorr: () => {} },
      'TraceEventBus: unknown option "onErorr"; known are onError, processors, schema',
    ],
    [{ onError: 'log' }, 'TraceEventBus: onError: expected a function, got a string'],
    [
      { processors: () => {} },
      'TraceEventBus: processors: expected an array of functions, got a function',
    ],
    [{ processors: [null] }, 'TraceEventBus: processors[0]: expected a function, got null'],
    [{ schema: {} }, 'TraceEventBus: schema.safeParse: expected a function, got nothing'],
    [{ schema: null }, 'TraceEventBus: schema.safeParse: expected a function, got nothing'],
  ])('the constructor refuses %o', (options, message) => {
    expect(() => new TraceEventBus(options as never)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message }),
    );
  });

  test('has the types it promises', () => {
    const bus = new TraceEventBus();
    bus.subscribeFilter(new Set(['error'] as const), () => {});
    // @ts-expect-error a filter is a list of event types, not a predicate
    expect(() => bus.subscribeFilter(isError, () => {})).toThrow();
    // @ts-expect-error data is snake_case
    bus.subscribe((event) => void event.eventType);
    expectTypeOf(bus.emit).toEqualTypeOf<(event: TraceEvent) => void>();
    expectTypeOf(bus.emitAsync).toEqualTypeOf<(event: TraceEvent) => Promise<void>>();
    expectTypeOf<ReturnType<TraceEventBus['flush']>>().toEqualTypeOf<Promise<FlushReport[]>>();
    expectTypeOf<ReturnType<TraceEventBus['stats']>>().toEqualTypeOf<BusStats>();
  });
});

describe('TraceEventBus: isolation', () => {
  test('one that throws or rejects loses that event, and nobody else anything', async () => {
    const errors: unknown[] = [];
    const bus = new TraceEventBus({
      onError: (error, event) => errors.push([(error as Error).message, event.agent_name]),
    });
    const heard: string[] = [];
    bus.subscribe(throwing);
    bus.subscribe(rejecting);
    bus.subscribe(() => ({
      // oxlint-disable-next-line unicorn/no-thenable -- that it is one is the point
      then: throwing,
    }));
    bus.subscribe(() =>
      // oxlint-disable-next-line unicorn/no-thenable -- that it is one is the point
      Object.defineProperty({}, 'then', { get: throwing }),
    );
    bus.subscribe(listener(heard));
    bus.emit(named('a'));
    await settled();

    expect(heard).toEqual(['a']);
    expect(errors).toEqual([
      ['thrown', 'a'],
      ['rejected', 'a'],
      ['thrown', 'a'],
    ]);
    expect(bus.stats()).toEqual({
      emitted: 1,
      accepted: 1,
      dropped: 0,
      reasons: { invalid: 0, filtered: 0, processor_error: 0, reentrant: 0, disabled: 0 },
      errors: 3,
      pending: 0,
      subscribers: 5,
    });
  });

  test.each([undefined, null, 0, Symbol('error'), Object.create(null) as object])(
    'survives a throw of no Error',
    (thrown) => {
      const errors: unknown[] = [];
      const bus = new TraceEventBus({ onError: (error) => errors.push(error) });
      bus.subscribe(() => {
        throw thrown;
      });
      bus.emit(named('a'));

      expect(errors).toEqual([thrown]);
    },
  );

  test('an onError that throws or rejects harms nobody', async () => {
    const heard: string[] = [];
    for (const onError of [throwing, rejecting]) {
      // oxlint-disable-next-line typescript/no-misused-promises -- that it is one is the point
      const bus = new TraceEventBus({ onError });
      bus.subscribe(throwing);
      bus.subscribe(rejecting);
      bus.subscribe(listener(heard));
      bus.emit(named('a'));
      await settled();
      expect(bus.stats().errors).toBe(2);
    }

    expect(heard).toEqual(['a', 'a']);
  });

  test('an onError that emits hears nothing of its own events', async () => {
    const reported: string[] = [];
    const bus = new TraceEventBus({
      // a processor that copies: the copy is known too
      processors: [(event) => ({ ...event })],
      onError: (_error, event) => {
        reported.push(event.agent_name);
        bus.emit(named(`about ${event.agent_name}`, 'error'));
      },
    });
    const heard: string[] = [];
    bus.subscribe(rejecting);
    bus.subscribe(throwing);
    bus.subscribe(listener(heard));
    bus.emit(named('a'));
    await settled();
    await settled();

    expect(heard).toEqual(['a', 'about a', 'about a']);
    expect(reported).toEqual(['a', 'a']);
    expect(bus.stats()).toMatchObject({ emitted: 3, accepted: 3, errors: 6, pending: 0 });
  });

  test('what onError emits has room after a storm, and however often it is called', async () => {
    const bus = new TraceEventBus({ onError: () => bus.emit(named('of onError')) });
    let heard = 0;
    bus.subscribe((event) => {
      if (event.agent_name === 'of onError') heard += 1;
      if (event.agent_name === 'storm') bus.emit(named('storm'));
      if (event.agent_name === 'late') return rejecting();
      return undefined;
    });
    for (let i = 0; i < 2_000; i++) bus.emit(named('late'));
    bus.emit(named('storm'));
    await settled();

    expect(heard).toBe(2_000);
    expect(bus.stats().reasons.reentrant).toBe(1);
  });

  test('a loop through a subscriber and onError ends', async () => {
    const bus = new TraceEventBus({ onError: () => bus.emit(named('of onError')) });
    bus.subscribe(() => {
      bus.emit(named('again'));
      return rejecting();
    });
    bus.emit(named('a'));
    await settled();
    const { emitted, pending } = bus.stats();
    await settled();

    expect(bus.stats()).toMatchObject({ emitted, pending: 0 });
    expect(pending).toBe(0);
  });

  test('an error about what a subscriber emits is reported, before and after one of onError', () => {
    const reported: string[] = [];
    const bus = new TraceEventBus({
      onError: (_error, event) => {
        reported.push(event.agent_name);
        bus.emit(named('of onError'));
      },
    });
    bus.subscribe((event) => {
      if (event.agent_name.length === 1) bus.emit(named('of a subscriber'));
    });
    bus.subscribe(throwing);
    for (const name of ['a', 'b']) bus.emit(named(name));

    expect(reported).toEqual(['a', 'of a subscriber', 'b', 'of a subscriber']);
  });

  test('an emit throws nothing even where its own code cannot go on', async () => {
    const processor = Object.defineProperty((event: TraceEvent) => event, 'name', {
      get: throwing,
    });
    const bus = new TraceEventBus({ processors: [processor] });
    bus.emit(named('a'));

    await expect(bus.emitAsync(named('b'))).resolves.toBeUndefined();
    expect(bus.stats()).toMatchObject({ emitted: 2, errors: 2, pending: 0 });
  });

  test('survives a full stack, and delivers again when there is room', () => {
    const bus = new TraceEventBus({ onError: () => {} });
    let heard = 0;
    bus.subscribe(() => {
      heard += 1;
    });
    const event = named('a');
    const sink = (): void => {
      bus.emit(event);
      sink();
    };

    expect(sink).toThrow(RangeError);
    const before = heard;
    bus.emit(event);
    expect(heard).toBe(before + 1);
  });

  test('an emit that began throws nothing, however little stack is left to it', () => {
    const bus = new TraceEventBus({ onError: () => {} });
    let heard = 0;
    bus.subscribe(() => {
      heard += 1;
    });
    const event = named('a');
    let calls = 0;
    let notBegun = 0;
    const sink = (...room: number[]): void => {
      calls += 1;
      try {
        bus.emit(event);
      } catch {
        notBegun += 1;
      }
      sink(...room);
    };
    // frames of other sizes end elsewhere
    for (let size = 0; size < 40; size++)
      expect(() => sink(...Array.from({ length: size }, () => 0))).toThrow(RangeError);

    const { emitted, errors } = bus.stats();
    expect(emitted).toBe(calls - notBegun);
    expect(heard + errors).toBeGreaterThanOrEqual(emitted);
    expect(notBegun).toBeLessThan(calls / 2);
  });
});

describe('TraceEventBus: stats', () => {
  test('are of the moment: what comes later does not change them', () => {
    const bus = new TraceEventBus({ onError: () => {} });
    const before = bus.stats();
    bus.emit(undefined as unknown as TraceEvent);

    expect(before).toEqual(new TraceEventBus().stats());
    expect(bus.stats()).toMatchObject({ emitted: 1, dropped: 1, reasons: { invalid: 1 } });
  });
});

describe('TraceEventBus: events emitted by subscribers', () => {
  test('are delivered after the current one, first in, first out', () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    bus.subscribe((event) => {
      if (event.agent_name === 'a') for (const name of ['b', 'c']) bus.emit(named(name));
      if (event.agent_name === 'b') bus.emit(named('d'));
    });
    bus.subscribe(listener(heard));
    bus.emit(named('a'));
    bus.emit(named('e'));

    expect(heard).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('are counted as neither accepted nor dropped while they wait', () => {
    const bus = new TraceEventBus();
    const seen: Partial<BusStats>[] = [];
    bus.subscribe((event) => {
      if (event.agent_name === 'a') bus.emit(named('b'));
      const { emitted, accepted, dropped } = bus.stats();
      seen.push({ emitted, accepted, dropped });
    });
    bus.emit(named('a'));

    expect(seen).toEqual([
      { emitted: 2, accepted: 1, dropped: 0 },
      { emitted: 2, accepted: 2, dropped: 0 },
    ]);
  });

  test('end after 1,000 of one emit, and the rest is counted as dropped', () => {
    const bus = new TraceEventBus();
    let heard = 0;
    bus.subscribe(() => {
      heard += 1;
      bus.emit(named('again'));
    });
    for (let i = 0; i < 2; i++) bus.emit(named('a'));

    expect(heard).toBe(2 * 1_001);
    expect(bus.stats()).toMatchObject({
      emitted: 2 * 1_002,
      accepted: 2 * 1_001,
      dropped: 2,
      reasons: { reentrant: 2 },
    });
  });

  test('are all looked at, whatever they are', () => {
    const bus = new TraceEventBus({ onError: () => {} });
    const heard: string[] = [];
    bus.subscribe((event) => {
      heard.push(event.agent_name);
      if (event.agent_name !== 'a') return;
      for (const next of [undefined, null, 0, named('b')]) bus.emit(next as TraceEvent);
    });
    bus.emit(named('a'));

    expect(heard).toEqual(['a', 'b']);
    expect(bus.stats()).toMatchObject({ emitted: 5, accepted: 2, reasons: { invalid: 3 } });
  });

  test('reach another bus at once, and come back in turn', () => {
    const heard: string[] = [];
    const inner = new TraceEventBus();
    const outer = new TraceEventBus();
    outer.subscribe((event) => {
      if (event.agent_name === 'a') inner.emit(named('b'));
    });
    outer.subscribe(listener(heard, 'outer '));
    inner.subscribe(listener(heard, 'inner '));
    inner.subscribe((event) => outer.emit(named(`${event.agent_name} again`)));
    outer.emit(named('a'));

    expect(heard).toEqual(['inner b', 'outer a', 'outer b again']);
  });
});

describe('TraceEventBus: PYAGENT_TRACE_DISABLED=1', () => {
  test('makes the bus silent, and counts what came', async () => {
    vi.stubEnv('PYAGENT_TRACE_DISABLED', '1');
    const processor = vi.fn<(event: TraceEvent) => TraceEvent>((event) => event);
    const bus = new TraceEventBus({ processors: [processor] });
    const heard: string[] = [];
    bus.subscribe(listener(heard));
    bus.emit(named('a'));
    await bus.emitAsync(named('b'));
    bus.emit(null as unknown as TraceEvent);

    expect(heard).toEqual([]);
    expect(processor).not.toHaveBeenCalled();
    expect(bus.stats()).toMatchObject({ emitted: 3, accepted: 0, reasons: { disabled: 3 } });
    expect(await bus.flush()).toEqual([]);
  });

  test('is not what an environment says that may not be read', () => {
    const env = new Proxy(process.env, {
      get: () => {
        throw new Error('NotCapable: Requires env access, run again with the --allow-env flag');
      },
    });
    vi.stubGlobal('process', { env });
    const bus = new TraceEventBus();
    vi.unstubAllGlobals();
    bus.emit(named('a'));

    expect(bus.stats().accepted).toBe(1);
  });

  test.each(['', '0', 'true'])('is not what "%s" says', (value) => {
    vi.stubEnv('PYAGENT_TRACE_DISABLED', value);
    const bus = new TraceEventBus();
    bus.emit(named('a'));

    expect(bus.stats().accepted).toBe(1);
  });
});
