import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from '../encode.ts';
import { createTraceEvent, isObject, type TraceEvent, type TracePayload } from '../event.ts';
import { hostilePayloads } from '../testing/hostile-payloads.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { truncate, type Truncation } from './truncate.ts';

function eventOf(payload: TracePayload): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type: 'llm_call', agent_name: 'bull', payload });
}

function bytesOf(event: TraceEvent): number {
  return Buffer.byteLength(encodeTraceEvent(event));
}

describe('truncate', () => {
  test('passes an event with nothing to cut as it is', () => {
    const processor = truncate();
    const events = [
      ...sampleRun(),
      eventOf({ text: 'x'.repeat(100_000), at: new Date(0), cost_usd: Number.NaN }),
      eventOf({
        text: 'é'.repeat(50_000),
        many: Array.from({ length: 8 }, () => 'x'.repeat(90_000)),
      }),
    ];

    for (const event of events) expect(processor(event)).toBe(event);
  });

  test('cuts a text that is too long, and says which and how long it was', () => {
    const payload = {
      span_id: 'a',
      messages_in: [{ role: 'user', content: 'x'.repeat(500) }],
      response: 'y'.repeat(100),
    };

    const event = truncate({ maxValueBytes: 100 })(eventOf(payload));

    expect(event).toEqual({
      ...eventOf({}),
      payload: {
        span_id: 'a',
        messages_in: [
          { role: 'user', content: `${'x'.repeat(60)}[Truncated: 440 more characters]` },
        ],
        response: 'y'.repeat(100),
        truncated: { count: 1, largest: [{ path: 'messages_in.0.content', bytes: 500 }] },
      },
    });
    expect(payload.messages_in[0]?.content).toHaveLength(500);
  });

  test.each([
    ['letters', 'x'.repeat(150), 'x'.repeat(60)],
    ['two bytes each', 'é'.repeat(75), 'é'.repeat(30)],
    ['three bytes each', '語'.repeat(50), '語'.repeat(20)],
    ['pairs, which are not split', `x${'👍'.repeat(50)}`, `x${'👍'.repeat(14)}`],
    ['halves of pairs', '\ud83d'.repeat(30), '\ud83d'.repeat(10)],
    ['quotes', '"'.repeat(75), '"'.repeat(30)],
    ['controls', '\u0001'.repeat(30), '\u0001'.repeat(10)],
    ['line feeds', '\n'.repeat(75), '\n'.repeat(30)],
    ['line separators', '\u2028'.repeat(30), '\u2028'.repeat(10)],
  ])('counts bytes as they are written: %s', (_, text, start) => {
    const event = truncate({ maxValueBytes: 100 })(eventOf({ text })) as TraceEvent;

    const cut = event.payload['text'] as string;
    expect(cut).toBe(`${start}[Truncated: ${text.length - start.length} more characters]`);
    const { largest } = event.payload['truncated'] as Truncation;
    expect(largest[0]?.bytes).toBe(bytesOf(eventOf({ text })) - bytesOf(eventOf({ text: '' })));
  });

  test('of an event that is too large, the largest texts are cut, all to one size', () => {
    const processor = truncate({ maxEventBytes: 20_000 });
    const event = processor(
      eventOf({
        small: 's'.repeat(3_000),
        large: ['l'.repeat(30_000), 'm'.repeat(90_000)],
        middle: 'n'.repeat(5_000),
      }),
    ) as TraceEvent;

    const { small, middle, large, truncated } = event.payload as Record<string, string>;
    const [first = '', second = ''] = large as unknown as string[];
    expect([small, middle]).toEqual(['s'.repeat(3_000), 'n'.repeat(5_000)]);
    expect(first.length).toBe(second.length);
    expect(first).toMatch(/^l{4000,6000}\[Truncated: \d+ more characters\]$/);
    expect(truncated).toEqual({
      count: 2,
      largest: [
        { path: 'large.1', bytes: 90_000 },
        { path: 'large.0', bytes: 30_000 },
      ],
    });
    expect(bytesOf(event)).toBeLessThanOrEqual(20_000);
    expect(bytesOf(event)).toBeGreaterThan(18_000);
  });

  test('ids and statuses are never cut, however short the limit', () => {
    const id = 'i'.repeat(250);
    const kept = { trace_id: id, tool_call_id: id, traceparent: id, status: id, list: [{ id }] };
    const event = truncate({ maxValueBytes: 100 })(eventOf({ ...kept, text: id })) as TraceEvent;

    expect(event.payload).toMatchObject(kept);
    expect(event.payload['truncated']).toEqual({
      count: 1,
      largest: [{ path: 'text', bytes: 250 }],
    });
  });

  test('a text of a thousand characters is no id', () => {
    const event = truncate({ maxValueBytes: 100 })(eventOf({ user_id: 'i'.repeat(1_000) }));

    expect(event?.payload['user_id']).toMatch(/^i{60}\[Truncated: 940 more characters\]$/);
  });

  test('what has no text to cut is left out, the largest values first', () => {
    const numbers = Array.from({ length: 10_000 }, (_, i) => i);
    const event = truncate({ maxEventBytes: 10_000 })(
      eventOf({ trace_id: 'a', embedding: numbers, few: numbers.slice(0, 1_000), model: 'm' }),
    ) as TraceEvent;

    expect(event.payload).toEqual({
      trace_id: 'a',
      embedding: '[Truncated: 48891 bytes]',
      few: numbers.slice(0, 1_000),
      model: 'm',
      truncated: { count: 1, largest: [{ path: 'embedding', bytes: 48_891 }] },
    });
  });

  test('of too many keys, only what pairs the event is left', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key_${i}`, i]));
    const event = truncate({ maxEventBytes: 10_000 })(
      eventOf({ trace_id: 'a', span_id: 'b', status: 'ok', ...many }),
    ) as TraceEvent;

    const { truncated, ...rest } = event.payload;
    expect(rest).toEqual({ trace_id: 'a', span_id: 'b', status: 'ok' });
    expect(truncated).toMatchObject({ count: 5_000 });
  });

  test.each(['event_type', 'agent_name', 'pattern_type'] as const)(
    'cuts a long %s, and leaves the payload what it is',
    (key) => {
      const name = '語'.repeat(1_000_000);
      const event = createTraceEvent({ ...eventOf({ trace_id: 'a', input: 'x' }), [key]: name });
      const after = truncate()(event) as TraceEvent;

      expect(bytesOf(after)).toBeLessThan(2_000);
      expect(after[key]).toMatch(/^語+\[Truncated: \d+ more characters\]$/);
      expect(after.payload).toEqual({
        trace_id: 'a',
        input: 'x',
        truncated: { count: 1, largest: [{ path: key, bytes: 3_000_000 }] },
      });
    },
  );

  test('ids that are long as written are not kept where little room is left', () => {
    const ids = ['trace_id', 'span_id', 'parent_span_id', 'traceparent', 'session_id', 'user_id'];
    const id = '\u0000'.repeat(256);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key_${i}`, i]));
    const event = eventOf({
      ...Object.fromEntries(ids.map((key) => [key, id])),
      status: id,
      ...many,
    });

    expect(bytesOf(truncate({ maxEventBytes: 10_000 })(event) as TraceEvent)).toBeLessThan(10_000);
  });

  test('says of the ten largest cuts where they were, with paths that are cut themselves', () => {
    const texts = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`${'k'.repeat(200)}${i}`, 'x'.repeat(200 + i)]),
    );
    const event = truncate({ maxValueBytes: 100 })(eventOf(texts)) as TraceEvent;

    expect(event.payload['truncated']).toEqual({
      count: 30,
      largest: Array.from({ length: 10 }, (_, i) => ({ path: 'k'.repeat(100), bytes: 229 - i })),
    });
  });

  test('adds to what an earlier truncation said, and replaces what was no truncation', () => {
    const once = truncate({ maxValueBytes: 1_000 })(
      eventOf({ a: 'x'.repeat(2_000), b: 'x'.repeat(500) }),
    ) as TraceEvent;
    const twice = truncate({ maxValueBytes: 900 })(
      createTraceEvent({ ...once, payload: { ...once.payload, c: 'x'.repeat(950) } }),
    );

    expect(twice?.payload['truncated']).toEqual({
      count: 3,
      largest: [
        { path: 'a', bytes: 2_000 },
        { path: 'a', bytes: 993 },
        { path: 'c', bytes: 950 },
      ],
    });
    for (const truncated of [
      true,
      { count: -5, largest: [] },
      { count: 2 ** 60, largest: [] },
      { count: 0, largest: [{ path: 'b', bytes: 1 }] },
      { count: 1, largest: [{ path: 'b', bytes: -1 }] },
    ]) {
      const own = truncate({ maxValueBytes: 100 })(eventOf({ a: 'x'.repeat(200), truncated }));
      expect(own?.payload['truncated']).toEqual({ count: 1, largest: [{ path: 'a', bytes: 200 }] });
    }
  });

  test('cuts what only the written form shows', () => {
    const event = truncate({ maxValueBytes: 100 })(
      eventOf({ error: new Map([['message', 'x'.repeat(200)]]) }),
    );

    expect(event?.payload).toEqual({
      error: { message: `${'x'.repeat(60)}[Truncated: 140 more characters]` },
      truncated: { count: 1, largest: [{ path: 'error.message', bytes: 200 }] },
    });
  });

  test('no event is larger than it may be, and each is a line of JSON', () => {
    const processor = truncate({ maxValueBytes: 1_000, maxEventBytes: 10_000 });
    const payloads = fc.dictionary(
      fc.string({ unit: 'binary' }),
      fc.anything({ maxDepth: 3, withMap: true, withBigInt: true, withSparseArray: true }),
    );
    const text = fc
      .nat(30_000)
      .chain((size) =>
        fc.constantFrom('x', '"', '\u0000', '語', '👍', '\ud83d').map((unit) => unit.repeat(size)),
      );
    fc.assert(
      fc.property(payloads, fc.array(text), fc.array(text), (payload, texts, keys) => {
        const event = eventOf({
          ...payload,
          texts,
          nested: Object.fromEntries(keys.map((key) => [key, 1])),
        });
        const after = processor(event) as TraceEvent;
        expect(bytesOf(after)).toBeLessThanOrEqual(10_000);
        expect(() => JSON.parse(encodeTraceEvent(after)) as unknown).not.toThrow();
        expect(after === event || isObject(after.payload['truncated'])).toBe(true);
      }),
    );
  });

  test('takes every hostile payload', () => {
    const processor = truncate({ maxValueBytes: 1_000, maxEventBytes: 10_000 });
    const large = hostilePayloads().filter(
      ({ payload }) => bytesOf(processor(eventOf(payload)) as TraceEvent) > 10_000,
    );

    expect(large).toEqual([]);
  });

  test.each([
    { maxValueBytes: 99 },
    { maxEventBytes: 9_999 },
    { maxValueBytes: 1000.5 },
    { maxBytes: 1 },
  ])('refuses %j', (options) => {
    expect(() => truncate(options)).toThrow(/^truncate: /);
  });
});
