import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TraceEventBus } from './bus.ts';
import { TraceError } from './errors.ts';
import { createTraceEvent, EVENT_TYPES, type TraceEvent } from './event.ts';
import {
  ErrorPayloadSchema,
  LlmCallPayloadSchema,
  LlmResponsePayloadSchema,
  parseTraceEvent,
  PAYLOAD_SCHEMAS,
  TraceEventSchema,
} from './schema.ts';

const VECTORS = new URL('../../../../shared/vectors/events.jsonl', import.meta.url);

const EVENT = {
  timestamp: 1735689600.25,
  event_type: 'llm_call',
  agent_name: 'bull',
  pattern_type: 'debate',
  payload: { trace_id: 't1', model: 'gpt-4o', input_tokens: 512 },
};

function messageOfParse(value: unknown): string {
  try {
    parseTraceEvent(value);
  } catch (error) {
    if (TraceError.isInstance(error) && error.code === 'invalid_event') return error.message;
    throw error;
  }
  return 'no error';
}

describe('parseTraceEvent', () => {
  test('returns an equal event, frozen, with the payload it was given', () => {
    const event = parseTraceEvent(EVENT);

    expect(event).toEqual(EVENT);
    expect(Object.isFrozen(event)).toBe(true);
    expect(event.payload).toBe(EVENT.payload);
  });

  test('fills in what may be missing', () => {
    expect(parseTraceEvent({ timestamp: 0, event_type: 'custom' })).toEqual({
      timestamp: 0,
      event_type: 'custom',
      agent_name: '',
      pattern_type: '',
      payload: {},
    });
  });

  test.each([
    [{ timestamp: 1735689600250 }, 'expected Unix seconds, got milliseconds'],
    [{ timestamp: -1 }, 'expected Unix seconds, got -1'],
    [{ timestamp: null }, 'expected Unix seconds, got null'],
    [{ timestamp: undefined }, 'expected Unix seconds, got nothing'],
    [{ timestamp: '2026-01-01' }, 'expected Unix seconds, got a string'],
    [{ event_type: '' }, 'event_type: expected a name, got an empty string'],
    [{ event_type: 7 }, 'event_type: expected a name, got 7'],
    [{ agent_name: null }, 'agent_name: expected a string, got null'],
    [{ pattern_type: true }, 'pattern_type: expected a string, got a boolean'],
    [{ payload: [] }, 'payload: expected an object, got an array'],
    [{ trace_id: 't1' }, 'trace_id: unknown key; what is new goes into payload'],
    [
      { payload: { input_tokens: -3 } },
      'payload.input_tokens: expected a whole number of 0 or more, got -3',
    ],
    [{ payload: { input_tokens: 1.5 } }, 'payload.input_tokens: expected a whole number, got 1.5'],
    [{ payload: { model: {} } }, 'payload.model: expected a string, got an object'],
    [{ payload: { tags: ['a', 2] } }, 'payload.tags.1: expected a string, got 2'],
    [
      { payload: { metadata: 'x', user_id: 4 } },
      'payload.metadata: expected an object, got a string; payload.user_id: expected a string, got 4',
    ],
  ])('%j is refused with its place, problem and value', (change, message) => {
    expect(messageOfParse({ ...EVENT, ...change })).toBe(`trace event: ${message}`);
  });

  test.each([
    [null, 'null'],
    [[], 'an array'],
    ['{}', 'a string'],
    [undefined, 'nothing'],
  ])('%j is no event', (value, got) => {
    expect(messageOfParse(value)).toBe(`trace event: expected an object, got ${got}`);
  });

  test('keys called __proto__ and constructor are data of the payload', () => {
    const payload: unknown = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":"c"}');

    const event = parseTraceEvent({ ...EVENT, payload });

    expect(Object.getPrototypeOf(event.payload)).toBe(Object.prototype);
    expect(Object.entries(event.payload)).toEqual([
      ['__proto__', { isAdmin: true }],
      ['constructor', 'c'],
    ]);
    expect({}).not.toHaveProperty('isAdmin');
  });

  test('__proto__ beside the five keys is an unknown key', () => {
    const value: unknown = JSON.parse('{"timestamp":1,"event_type":"x","__proto__":{}}');

    expect(messageOfParse(value)).toBe(
      'trace event: __proto__: unknown key; what is new goes into payload',
    );
  });

  test.skipIf(!existsSync(VECTORS))(
    'takes every event that Python wrote (skipped without ../shared)',
    () => {
      const lines = readFileSync(VECTORS, 'utf8').trimEnd().split('\n');
      const events = lines.map((line): unknown => JSON.parse(line));

      expect(events.map(parseTraceEvent)).toEqual(events);
      expect(events).toHaveLength(60);
    },
  );
});

describe('TraceEventSchema', () => {
  test('has a payload schema for every known event type', () => {
    expect(Object.keys(PAYLOAD_SCHEMAS).toSorted()).toEqual([...EVENT_TYPES].toSorted());
  });

  test.each(EVENT_TYPES)('%s has the common keys', (event_type) => {
    const wrong = { ...EVENT, event_type, payload: { trace_id: 1, metadata: [] } };

    expect(messageOfParse(wrong)).toBe(
      'trace event: payload.trace_id: expected a string, got 1; ' +
        'payload.metadata: expected an object, got an array',
    );
  });

  test.each(EVENT_TYPES)('any known key of %s may be null', (event_type) => {
    const known = Object.keys(PAYLOAD_SCHEMAS[event_type].toJSONSchema()['properties'] ?? {});
    const payload = Object.fromEntries(known.map((key) => [key, null]));

    expect(known.length).toBeGreaterThan(8);
    expect(parseTraceEvent({ ...EVENT, event_type, payload }).payload).toEqual(payload);
  });

  test('leaves the payload of an unknown event type alone', () => {
    const payload = { trace_id: 1, input_tokens: 'many' };

    for (const event_type of ['invented_next_year', 'constructor', '__proto__'])
      expect(parseTraceEvent({ ...EVENT, event_type, payload }).payload).toBe(payload);
  });

  test('on a bus, refuses a wrong payload and names the place', () => {
    const errors: unknown[] = [];
    const seen: TraceEvent[] = [];
    const bus = new TraceEventBus({
      schema: TraceEventSchema,
      onError: (error) => errors.push(error),
    });
    bus.subscribe((event) => seen.push(event));

    bus.emit(createTraceEvent({ event_type: 'llm_call', payload: { input_tokens: '12' } }));
    bus.emit(
      createTraceEvent({ event_type: 'llm_call', payload: { input_tokens: 12, new: '12' } }),
    );

    expect(seen.map(({ payload }) => payload)).toEqual([{ input_tokens: 12, new: '12' }]);
    expect(errors).toEqual([
      new TraceError(
        'invalid_event',
        'trace event: payload.input_tokens: expected a whole number, got a string',
      ),
    ]);
  });
});

describe('LlmCallPayloadSchema', () => {
  test('takes the keys of a request and of its answer, and keeps unknown ones', () => {
    const payload = {
      provider: 'openai',
      stop: ['\n'],
      messages_in: [{ role: 'user', content: 'Buy?' }],
      response: 'Hold.',
      reasoning_tokens: 0,
      cost_usd: 1e-9,
      logprobs: true,
    };

    expect(LlmCallPayloadSchema.parse(payload)).toEqual(payload);
    expect(LlmCallPayloadSchema.safeParse({ stop: 7 }).error?.issues[0]?.message).toBe(
      'expected a string or an array of strings, got 7',
    );
  });
});

describe('LlmResponsePayloadSchema', () => {
  test('knows no request parameters', () => {
    expect(LlmResponsePayloadSchema.parse({ stop: 7 })).toEqual({ stop: 7 });
  });
});

describe('ErrorPayloadSchema', () => {
  test('takes a code that is a word or a number', () => {
    expect(
      [{ code: 'rate_limited' }, { code: 429 }].map((e) => ErrorPayloadSchema.parse(e)),
    ).toEqual([{ code: 'rate_limited' }, { code: 429 }]);
    expect(ErrorPayloadSchema.safeParse({ code: [] }).success).toBe(false);
  });
});
