import { describe, expect, test, vi } from 'vitest';
import { TraceEventBus } from '../bus.ts';
import { TraceError } from '../errors.ts';
import { createTraceEvent, type TraceEvent } from '../event.ts';
import type { EventSchema, Processor } from './gate.ts';

const EVENT: TraceEvent = {
  timestamp: 1,
  event_type: 'llm_call',
  agent_name: 'bull',
  pattern_type: 'debate',
  payload: {},
};

interface Setup {
  readonly bus: TraceEventBus;
  readonly heard: TraceEvent[];
  readonly errors: string[];
}

function setup(options: { processors?: Processor[]; schema?: EventSchema } = {}): Setup {
  const errors: string[] = [];
  const heard: TraceEvent[] = [];
  const bus = new TraceEventBus({
    ...options,
    onError: (error) => errors.push((error as Error).message),
  });
  bus.subscribe((event) => heard.push(event));
  return { bus, heard, errors };
}

function throwingGetter(key: string): TraceEvent {
  return Object.defineProperty({ ...EVENT }, key, {
    get: () => {
      throw new Error('boom');
    },
    enumerable: true,
  });
}

function revoked(): TraceEvent {
  const { proxy, revoke } = Proxy.revocable(EVENT, {});
  revoke();
  return proxy;
}

function changed(change: Partial<TraceEvent>): Processor {
  return (event) => createTraceEvent({ ...event, ...change });
}

function refusing(issues: { path: PropertyKey[]; message: string }[]): EventSchema {
  return { safeParse: () => ({ success: false, error: { issues } }) };
}

describe('TraceEventBus: what comes in', () => {
  const INVALID: Record<string, [() => unknown, string]> = {
    null: [() => null, 'trace event: expected an object, got null'],
    undefined: [() => undefined, 'trace event: expected an object, got nothing'],
    'a number': [() => 7, 'trace event: expected an object, got 7'],
    'a function': [() => () => {}, 'trace event: expected an object, got a function'],
    'a symbol': [() => Symbol('event'), 'trace event: expected an object, got a symbol'],
    milliseconds: [
      () => ({ ...EVENT, timestamp: 1735689600250 }),
      'trace event: timestamp: expected Unix seconds, got milliseconds (1735689600250)',
    ],
    'a sixth key': [
      () => ({ ...EVENT, run_id: 'r1' }),
      'trace event: run_id: unknown key; what is new goes into payload',
    ],
    'a payload that throws': [
      () => throwingGetter('payload'),
      'trace event: payload: cannot be read, boom',
    ],
    'a revoked proxy': [
      revoked,
      "trace event: timestamp: cannot be read, Cannot perform 'get' on a proxy that has been revoked",
    ],
    'what createTraceEvent found wrong': [
      () => createTraceEvent({ event_type: '' }),
      'trace event: event_type: expected a name, got an empty string',
    ],
  };

  test.each(Object.entries(INVALID))(
    '%s is reported with its place, counted, not delivered',
    (_name, [make, message]) => {
      const { bus, heard, errors } = setup();
      bus.emit(make() as TraceEvent);

      expect(heard).toEqual([]);
      expect(errors).toEqual([message]);
      expect(bus.stats()).toMatchObject({ emitted: 1, accepted: 0, reasons: { invalid: 1 } });
    },
  );

  test('a getter that throws when it is read again costs the event, counted, and nobody else', () => {
    const { bus, heard, errors } = setup();
    let reads = 0;
    const moody = {
      timestamp: 1,
      event_type: 'error',
      get payload(): object {
        reads += 1;
        if (reads > 1) throw new Error('boom');
        return {};
      },
    };
    bus.emit(moody as unknown as TraceEvent);

    expect(heard).toEqual([]);
    expect(errors).toEqual(['trace event: cannot be read twice, boom']);
    expect(bus.stats()).toMatchObject({ emitted: 1, accepted: 0, reasons: { invalid: 1 } });
  });

  test('the error is a TraceError, and comes with the event', () => {
    const onError = vi.fn<(error: unknown, event: TraceEvent) => void>();
    const event = { ...EVENT, timestamp: -1 };
    new TraceEventBus({ onError }).emit(event);

    const [error, about] = onError.mock.calls[0] ?? [];
    expect(TraceError.isInstance(error) && error.code).toBe('invalid_event');
    expect(about).toBe(event);
  });

  test('a literal that is right is delivered as it is, not frozen', () => {
    const { bus, heard } = setup();
    const event = { ...EVENT };
    bus.emit(event);

    expect(heard[0]).toBe(event);
    expect(Object.isFrozen(event)).toBe(false);
  });

  test('keys that have a default are filled in', () => {
    const { bus, heard } = setup();
    const payload = { model: 'gpt-4o' };
    bus.emit({ timestamp: 1, event_type: 'error' } as TraceEvent);
    bus.emit({ timestamp: 1, event_type: 'error', payload } as unknown as TraceEvent);

    const filled = { timestamp: 1, event_type: 'error', agent_name: '', pattern_type: '' };
    expect(heard).toEqual([
      { ...filled, payload: {} },
      { ...filled, payload },
    ]);
    expect(heard[1]?.payload).toBe(payload);
  });

  test('the payload is not read', () => {
    const { bus, heard } = setup();
    const payload = new Proxy(
      {},
      new Proxy(
        {},
        {
          get: (_handler, trap) => {
            throw new Error(`read by ${String(trap)}`);
          },
        },
      ),
    );
    bus.emit({ ...EVENT, payload });
    bus.emit(createTraceEvent({ ...EVENT, payload }));

    expect(heard).toHaveLength(2);
  });
});

describe('TraceEventBus: processors', () => {
  test('run once, in order, before all delivery', () => {
    const first = vi.fn<Processor>(changed({ agent_name: 'first' }));
    const second = vi.fn<Processor>((event) =>
      createTraceEvent({ ...event, agent_name: `${event.agent_name}, second` }),
    );
    const { bus, heard } = setup({ processors: [first, second] });
    bus.subscribe((event) => heard.push(event));
    bus.emit(EVENT);

    expect(heard.map((event) => event.agent_name)).toEqual(['first, second', 'first, second']);
    expect(heard[0]).toBe(heard[1]);
    expect(first).toHaveBeenCalledTimes(1);
    expect(second).toHaveBeenCalledTimes(1);
  });

  test('drop an event by returning undefined, which is counted and no error', () => {
    const after = vi.fn<Processor>((event) => event);
    const { bus, heard, errors } = setup({ processors: [() => undefined, after] });
    bus.emit(EVENT);

    expect([heard, errors]).toEqual([[], []]);
    expect(after).not.toHaveBeenCalled();
    expect(bus.stats()).toMatchObject({ emitted: 1, accepted: 0, reasons: { filtered: 1 } });
  });

  test('one that throws drops the event', async () => {
    const { bus, heard, errors } = setup({
      processors: [
        () => {
          throw new Error('boom');
        },
      ],
    });
    bus.emit(EVENT);
    await bus.emitAsync(EVENT);

    expect(heard).toEqual([]);
    expect(errors).toEqual(['boom', 'boom']);
    expect(bus.stats()).toMatchObject({ accepted: 0, errors: 0, reasons: { processor_error: 2 } });
  });

  test('one that is asynchronous drops the event, and its rejection harms nobody', async () => {
    const { bus, heard, errors } = setup({
      processors: [async () => Promise.reject(new Error('boom'))] as unknown as Processor[],
    });
    bus.emit(EVENT);
    await new Promise(setImmediate);

    expect(heard).toEqual([]);
    expect(errors).toEqual(['a processor cannot be asynchronous']);
    expect(bus.stats().reasons.processor_error).toBe(1);
  });

  test('what one makes is checked like what comes in', () => {
    const { bus, heard, errors } = setup({
      processors: [(event) => ({ ...event, timestamp: Date.parse('2026-03-01') })],
    });
    bus.emit(EVENT);

    expect(heard).toEqual([]);
    expect(errors).toEqual([
      'trace event: timestamp: expected Unix seconds, got milliseconds (1772323200000)',
    ]);
    expect(bus.stats().reasons.invalid).toBe(1);
  });

  test('one that emits: its event comes after the current one', () => {
    const { bus, heard } = setup({
      processors: [
        (event) => {
          if (event.agent_name === 'bull') bus.emit({ ...EVENT, agent_name: 'of the processor' });
          return event;
        },
      ],
    });
    bus.emit(EVENT);

    expect(heard.map((event) => event.agent_name)).toEqual(['bull', 'of the processor']);
  });

  test('the list is copied: adding to it later changes nothing', () => {
    const processors: Processor[] = [];
    const { bus, heard } = setup({ processors });
    processors.push(() => undefined);
    bus.emit(EVENT);

    expect(heard).toHaveLength(1);
  });
});

describe('TraceEventBus: schema', () => {
  test('judges every event, and hands on the input, not its copy', () => {
    const safeParse = vi.fn<EventSchema['safeParse']>(() => ({ success: true, data: 'a copy' }));
    const { bus, heard } = setup({ schema: { safeParse } });
    const events = [{ ...EVENT }, createTraceEvent(EVENT)];
    for (const event of events) bus.emit(event);

    expect(heard[0]).toBe(events[0]);
    expect(heard[1]).toBe(events[1]);
    expect(safeParse.mock.calls).toEqual([[events[0]], [events[1]]]);
  });

  test.each([
    [
      'the place and problem of the first issue',
      refusing([
        { path: ['payload', 'tags', 0], message: 'expected a string, got 7' },
        { path: ['payload'], message: 'and so on' },
      ]),
      'trace event: payload.tags.0: expected a string, got 7',
    ],
    ['no issue', refusing([]), 'trace event: refused by the schema'],
    [
      'a symbol in a path',
      refusing([{ path: [Symbol('key')], message: 'unknown' }]),
      'trace event: Symbol(key): unknown',
    ],
    [
      'a schema that throws',
      {
        safeParse: () => {
          throw new Error('boom');
        },
      },
      'trace event: the schema failed on it: boom',
    ],
  ])('a refusal is reported with %s', (_what, schema, message) => {
    const { bus, heard, errors } = setup({ schema });
    bus.emit(EVENT);

    expect(heard).toEqual([]);
    expect(errors).toEqual([message]);
    expect(bus.stats().reasons.invalid).toBe(1);
  });
});
