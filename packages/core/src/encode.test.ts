import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from './encode.ts';
import { createTraceEvent, problemOf, type TraceEvent, type TracePayload } from './event.ts';
import { MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES } from './plain.ts';
import { parseTraceEvent } from './schema.ts';
import { hostilePayloads } from './testing/hostile-payloads.ts';

const EVENT: TraceEvent = {
  timestamp: 1735689600.25,
  event_type: 'llm_call',
  agent_name: 'bull',
  pattern_type: 'debate',
  payload: { model: 'gpt-4o', input_tokens: 512 },
};

const LAST_RESORT: TraceEvent = {
  timestamp: 0,
  event_type: 'error',
  agent_name: '',
  pattern_type: '',
  payload: { message: 'an event that cannot be written', source: 'encodeTraceEvent' },
};

function thrower(): never {
  throw new Error('boom');
}

function returnsItself(this: unknown): unknown {
  return this;
}

/** The payload as a reader of the line gets it. */
function written(payload: unknown): TracePayload {
  const line = encodeTraceEvent({ ...EVENT, payload: payload as TracePayload });
  return (JSON.parse(line) as TraceEvent).payload;
}

/** See read.property.test.ts: JSON.parse may mistake other keys for one with a backslash. */
function isReadTheSame(value: unknown): boolean {
  return !JSON.stringify(value).includes('\\\\');
}

describe('encodeTraceEvent', () => {
  test('writes one line of JSON, with the keys in the order of the wire', () => {
    const { payload, ...rest } = EVENT;
    const line =
      '{"timestamp":1735689600.25,"event_type":"llm_call","agent_name":"bull","pattern_type":"debate","payload":{"model":"gpt-4o","input_tokens":512}}';

    expect(encodeTraceEvent({ payload, ...rest })).toBe(line);
    expect(encodeTraceEvent(createTraceEvent({ payload, ...rest }))).toBe(line);
  });

  test('what it writes of JSON data is read as the same event', () => {
    const events = fc.record({
      timestamp: fc.double({ min: 0, max: 1e11, noNaN: true }).map((value) => value + 0),
      event_type: fc.string({ minLength: 1, unit: 'binary' }),
      agent_name: fc.string({ unit: 'binary' }),
      pattern_type: fc.string(),
      payload: fc.dictionary(
        fc.string().filter((key) => key !== '__proto__' && !key.includes('\\')),
        fc
          .jsonValue()
          .filter(isReadTheSame)
          .map((value) => JSON.parse(JSON.stringify(value)) as unknown),
      ),
    });

    fc.assert(
      fc.property(events, fc.boolean(), (event, made) => {
        fc.pre(!['llm_call', 'error'].includes(event.event_type));
        const line = encodeTraceEvent(made ? createTraceEvent(event) : event);

        expect(line).not.toMatch(/[\n\r\u2028\u2029]/);
        expect(parseTraceEvent(JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  test('never throws, and always writes an event on one line', () => {
    const values = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withObjectString: true,
      withNullPrototype: true,
    });

    fc.assert(
      fc.property(values, (value) => {
        const line = encodeTraceEvent({ ...EVENT, payload: { value } });
        expect(line).not.toMatch(/[\n\r\u2028\u2029]/);
        expect(problemOf(JSON.parse(line))).toBeUndefined();

        const event = JSON.parse(encodeTraceEvent(value as TraceEvent)) as TraceEvent;
        expect(Object.keys(event)).toEqual(Object.keys(EVENT));
      }),
      { numRuns: 500 },
    );
  });

  test.each(hostilePayloads().map(({ name }, index) => [name, index] as const))(
    'writes an event that can be read, with %s, alone and as a payload',
    (_name, index) => {
      const { payload } = hostilePayloads()[index] as { payload: TracePayload };
      for (const event of [
        { ...EVENT, payload },
        createTraceEvent({ ...EVENT, payload }),
        createTraceEvent({ ...EVENT, payload: { nested: [payload] } }),
      ]) {
        const line = encodeTraceEvent(event);
        expect(line).not.toMatch(/[\n\r\u2028\u2029]/);
        expect(problemOf(JSON.parse(line))).toBeUndefined();
      }
    },
  );

  test('escapes U+2028 and U+2029, where some readers end a line', () => {
    const line = encodeTraceEvent(createTraceEvent({ ...EVENT, agent_name: 'a\u2028b\u2029c' }));

    expect(line).toContain('"a\\u2028b\\u2029c"');
    expect((JSON.parse(line) as TraceEvent).agent_name).toBe('a\u2028b\u2029c');
  });

  test('writes a lone surrogate escaped, never raw', () => {
    expect(encodeTraceEvent({ ...EVENT, agent_name: 'a\ud83d' })).toContain(String.raw`"a\ud83d"`);
  });

  test('keeps an own __proto__, here and beside what JSON cannot say', () => {
    const data = JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as TracePayload;

    for (const payload of [data, { big: 1n, data }]) {
      const line = encodeTraceEvent(createTraceEvent({ ...EVENT, payload }));
      expect(line).toContain('{"__proto__":{"admin":true},"constructor":1}');
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('leaves out a sixth key, and fills in defaults', () => {
    const wide = { timestamp: 1, event_type: 'error', run_id: 'r1' };

    expect(encodeTraceEvent(wide as unknown as TraceEvent)).toBe(
      '{"timestamp":1,"event_type":"error","agent_name":"","pattern_type":"","payload":{}}',
    );
  });

  test.each([
    [new Set(['a']), { value: ['a'] }],
    [new Date(0), { value: '1970-01-01T00:00:00.000Z' }],
    [new Map([['a', 1]]), { a: 1 }],
    [new Uint8Array(3), { value: '[Uint8Array 3 bytes]' }],
    [['a'], { value: ['a'] }],
  ])('writes the payload %o as an object', (payload, plain) => {
    expect(written(payload)).toEqual(plain);
  });

  test('writes what it can of an event with a getter that throws', () => {
    const event = Object.defineProperty({ ...EVENT }, 'agent_name', { get: thrower });

    expect(JSON.parse(encodeTraceEvent(event))).toEqual({ ...EVENT, agent_name: '[Getter threw]' });
  });

  test.each([undefined, null, 7, 'text', []])('writes five keys for %o', (value) => {
    expect(encodeTraceEvent(value as unknown as TraceEvent)).toBe(
      '{"timestamp":null,"event_type":null,"agent_name":"","pattern_type":"","payload":{}}',
    );
  });

  test.each([
    ['throws', thrower, LAST_RESORT],
    ['returns a string', () => 'hi', LAST_RESORT],
    ['returns nothing', () => undefined, LAST_RESORT],
    ['returns an object', () => ({}), LAST_RESORT],
    ['returns its own object', returnsItself, EVENT],
  ])('writes an event though a toJSON of Object.prototype %s', (_does, toJSON, expected) => {
    // oxlint-disable-next-line no-extend-native -- what others do to it is the point
    Object.defineProperty(Object.prototype, 'toJSON', { value: toJSON, configurable: true });
    let lines: string[];
    try {
      lines = [encodeTraceEvent(EVENT), encodeTraceEvent(createTraceEvent(EVENT))];
    } finally {
      Reflect.deleteProperty(Object.prototype, 'toJSON');
    }

    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expected, expected]);
  });

  test.each([0, 1])('cuts text that is too long, on a code point (offset %i)', (offset) => {
    const text = `${'x'.repeat(MAX_CHARACTERS - 200 + offset)}${'\u{1f600}'.repeat(200)}`;

    expect(written({ text })['text']).toMatch(/x\u{1f600}+\[Truncated: \d+ more characters\]$/u);
  });

  test('cuts a name that is too long without losing the other keys', () => {
    const event = { ...EVENT, payload: { big: 1n }, event_type: 'x'.repeat(MAX_CHARACTERS + 1) };
    const line = JSON.parse(encodeTraceEvent(event)) as TraceEvent;

    expect(Object.keys(line)).toEqual(Object.keys(EVENT));
    expect(problemOf(line)).toBeUndefined();
  });

  test('stops at a depth, and says so', () => {
    let nested: unknown = 'bottom';
    for (let i = 0; i < MAX_DEPTH * 2; i++) nested = [nested];
    const line = encodeTraceEvent({ ...EVENT, payload: { nested } });

    expect(line).toContain('[Truncated: nested too deep]');
    expect(line.split('[').length - 2).toBeLessThanOrEqual(MAX_DEPTH);
  });

  test('stops at a number of values, and says so', () => {
    const list = Array.from({ length: MAX_VALUES + 7 }, (_, i) => i);
    const { list: kept } = written({ list }) as { list: unknown[] };

    expect(kept.at(-1)).toMatch(/^\[Truncated: \d+ more items\]$/);
    expect(kept.length).toBeLessThanOrEqual(MAX_VALUES + 1);
  });
});
