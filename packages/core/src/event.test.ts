import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import {
  adoptTraceEvent,
  createTraceEvent,
  EVENT_TYPES,
  type EventType,
  isCheckedEvent,
  problemOf,
  type TraceEvent,
  type TraceEventInit,
} from './event.ts';

const EVENT: TraceEvent = {
  timestamp: 1735689600.25,
  event_type: 'llm_call',
  agent_name: 'bull',
  pattern_type: 'debate',
  payload: { model: 'gpt-4o' },
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function throwing(key: string): TraceEventInit {
  return Object.defineProperty({ ...EVENT }, key, {
    get: () => {
      throw new Error('boom');
    },
    enumerable: true,
  });
}

/** Made when they are needed: the test runner reads the rows of a table. */
const HOSTILE: Record<string, () => unknown> = {
  null: () => null,
  undefined: () => undefined,
  'a number': () => 7,
  'a string': () => 'llm_call',
  'an array': () => [],
  'an empty object': () => ({}),
  'a function': () => () => {},
  'a symbol': () => Symbol('event'),
  'a revoked proxy': revoked,
};

describe('EVENT_TYPES', () => {
  test('lists ten of the seed, then three of ours', () => {
    expect(EVENT_TYPES).toEqual([
      'pattern_start',
      'pattern_end',
      'agent_start',
      'agent_end',
      'llm_call',
      'llm_response',
      'routing_decision',
      'compression',
      'error',
      'cost_record',
      'tool_start',
      'tool_end',
      'trace_gap',
    ]);
  });

  test('complete in the editor, and the type stays open', () => {
    expectTypeOf<'llm_call'>().toExtend<EventType>();
    expectTypeOf<'invented_next_year'>().toExtend<EventType>();
    expectTypeOf<7>().not.toExtend<EventType>();
  });
});

describe('createTraceEvent', () => {
  test('keeps what it is given, with the keys in the order of the wire', () => {
    const { payload, ...rest } = EVENT;
    const event = createTraceEvent({ payload, ...rest });

    expect(event).toEqual(EVENT);
    expect(Object.keys(event)).toEqual(Object.keys(EVENT));
    expect(event.payload).toBe(payload);
  });

  test('fills in the time in microseconds and empty values', () => {
    vi.useFakeTimers({ now: new Date('2026-03-01T12:00:00.123Z') });
    try {
      expect(createTraceEvent({ event_type: 'error' })).toEqual({
        timestamp: 1772366400.123,
        event_type: 'error',
        agent_name: '',
        pattern_type: '',
        payload: {},
      });
    } finally {
      vi.useRealTimers();
    }
  });

  test('has five keys even when it is given a sixth', () => {
    const wide = { ...EVENT, agentName: 'bear' };

    expect(createTraceEvent(wide)).toEqual(EVENT);
  });

  test('freezes the event, not the payload', () => {
    const event = createTraceEvent(EVENT);

    expect(Object.isFrozen(event)).toBe(true);
    expect(Object.isFrozen(event.payload)).toBe(false);
  });

  test('needs an event type, and offers no other keys', () => {
    expectTypeOf(createTraceEvent).parameter(0).toEqualTypeOf<TraceEventInit>();
    // @ts-expect-error an event without a type is none
    createTraceEvent({ agent_name: 'bull' });
    // @ts-expect-error data is snake_case
    createTraceEvent({ event_type: 'error', agentName: 'bull' });
  });

  test.each(Object.entries(HOSTILE))(
    'does not throw on %s, and a bus finds the result wrong',
    (_name, make) => {
      const event = createTraceEvent(make() as TraceEventInit);

      expect(isCheckedEvent(event)).toBe(false);
      expect(problemOf(event)).toEqual(expect.any(String));
      expect(Object.isFrozen(event)).toBe(true);
    },
  );

  test.each(['timestamp', 'payload'])('marks a %s that throws, and a bus refuses it', (key) => {
    const event = createTraceEvent(throwing(key));

    expect(event).toEqual({ ...EVENT, [key]: '[Getter threw]' });
    expect(problemOf(event)).toMatch(`${key}: expected`);
  });

  test.each(['event_type', 'agent_name', 'pattern_type'])('marks a %s that throws', (key) => {
    const event = createTraceEvent(throwing(key));

    expect(event).toEqual({ ...EVENT, [key]: '[Getter threw]' });
    expect(problemOf(event)).toBeUndefined();
  });
});

describe('isCheckedEvent', () => {
  test('knows what createTraceEvent made and found right', () => {
    expect(isCheckedEvent(createTraceEvent(EVENT))).toBe(true);
    expect(isCheckedEvent(createTraceEvent({ ...EVENT, timestamp: NaN }))).toBe(false);
  });

  test.each(Object.entries(HOSTILE))('is not fooled by %s', (_name, make) => {
    expect(isCheckedEvent(make())).toBe(false);
  });

  test('does not know a copy or an heir', () => {
    const event = createTraceEvent(EVENT);

    expect(isCheckedEvent({ ...event })).toBe(false);
    expect(isCheckedEvent(Object.create(event))).toBe(false);
  });
});

describe('problemOf', () => {
  test('finds nothing wrong with an event, with or without its defaults', () => {
    expect(problemOf(EVENT)).toBeUndefined();
    expect(problemOf({ timestamp: 0, event_type: 'x' })).toBeUndefined();
    expect(problemOf({ timestamp: 1e11, event_type: 'x' })).toBeUndefined();
    expect(problemOf(Object.assign(Object.create({ inherited: 1 }), EVENT))).toBeUndefined();
    expect(problemOf({ ...EVENT, payload: revoked() })).toBeUndefined();
  });

  test.each([
    [null, 'expected an object, got null'],
    [undefined, 'expected an object, got nothing'],
    ['text', 'expected an object, got a string'],
    [[EVENT], 'expected an object, got an array'],
    [{}, 'timestamp: expected Unix seconds, got nothing'],
    [{ ...EVENT, timestamp: '2026' }, 'timestamp: expected Unix seconds, got a string'],
    [{ ...EVENT, timestamp: -1 }, 'timestamp: expected Unix seconds, got -1'],
    [{ ...EVENT, timestamp: NaN }, 'timestamp: expected Unix seconds, got NaN'],
    [{ ...EVENT, timestamp: Infinity }, 'timestamp: expected Unix seconds, got Infinity'],
    [
      { ...EVENT, timestamp: 1735689600250 },
      'timestamp: expected Unix seconds, got milliseconds (1735689600250)',
    ],
    [{ ...EVENT, event_type: '' }, 'event_type: expected a name, got an empty string'],
    [{ ...EVENT, event_type: 7n }, 'event_type: expected a name, got a bigint'],
    [{ ...EVENT, agent_name: null }, 'agent_name: expected a string, got null'],
    [{ ...EVENT, pattern_type: {} }, 'pattern_type: expected a string, got an object'],
    [{ ...EVENT, payload: [] }, 'payload: expected an object, got an array'],
    [{ ...EVENT, payload: 'text' }, 'payload: expected an object, got a string'],
    [{ ...EVENT, run_id: 1 }, 'run_id: unknown key; what is new goes into payload'],
    [
      JSON.parse(`{"__proto__": {}, "timestamp": 1, "event_type": "x"}`),
      '__proto__: unknown key; what is new goes into payload',
    ],
  ])('says what is wrong with %o', (value, problem) => {
    expect(problemOf(value)).toBe(problem);
  });

  test('says which key cannot be read', () => {
    const keyless = new Proxy(EVENT, {
      ownKeys: () => {
        throw new Error('boom');
      },
    });

    expect(problemOf(throwing('payload'))).toBe('payload: cannot be read, boom');
    expect(problemOf(throwing('timestamp'))).toBe('timestamp: cannot be read, boom');
    expect(problemOf(revoked())).toMatch('timestamp: cannot be read, ');
    expect(problemOf(keyless)).toBe('expected an object, got one whose keys cannot be read');
  });
});

describe('adoptTraceEvent', () => {
  test('makes the value itself the event: frozen, and known to be right', () => {
    const value = { ...EVENT };

    expect(adoptTraceEvent(value)).toBe(value);
    expect(Object.isFrozen(value)).toBe(true);
    expect(isCheckedEvent(value)).toBe(true);
  });

  test.each([
    ['a key is missing', { timestamp: 1, event_type: 'x', agent_name: '', pattern_type: '' }],
    ['there is a sixth key', { ...EVENT, sixth: 1 }],
    ['the keys stand in another order', Object.fromEntries(Object.entries(EVENT).toReversed())],
    ['a value is wrong', { ...EVENT, timestamp: -1 }],
    ['it is no object', 'text'],
  ])('leaves a value alone when %s', (_, value) => {
    expect(adoptTraceEvent(value)).toBeUndefined();
    expect(Object.isFrozen(value)).toBe(typeof value === 'string');
  });
});
