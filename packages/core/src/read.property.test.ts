import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from './encode.ts';
import { createTraceEvent, type TraceEvent, type TracePayload } from './event.ts';
import { readTraceEvents } from './read.ts';

/** Any UTF-16 code unit, so that half surrogate pairs, control characters and U+2028 occur. */
const stringUnit = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.constantFrom('\n', '\r', '"', '\\', '\u2028', '\ud83d', '\ude00', '\ufeff', '\0'),
);
const text = fc.string({ unit: stringUnit });
/**
 * Keys have no backslash: once there was any object with one, JSON.parse of V8 13 and later can take another
 * key, which is written with an escape, for it: https://github.com/nodejs/node/issues/63785
 */
const keyUnit = stringUnit.filter((unit) => unit !== '\\');
const key = fc.oneof(
  fc.string({ unit: keyUnit }),
  fc.constantFrom('__proto__', 'constructor', 'timestamp', '1'),
);
const value = fc.oneof(text, fc.jsonValue({ stringUnit: keyUnit }).map(withoutNegativeZero));
const payload: fc.Arbitrary<TracePayload> = fc
  .array(fc.tuple(key, value))
  // own keys only: an assignment to __proto__ would set the prototype
  .map((entries) => Object.fromEntries(entries) as TracePayload);

/** Of an unknown type, so that no payload key has a type to obey. */
const event: fc.Arbitrary<TraceEvent> = fc
  .record({
    timestamp: fc.double({ min: 0, max: 1e11, noNaN: true }).map(withoutNegativeZero),
    event_type: text.map((name) => `custom_${name}`),
    agent_name: text,
    pattern_type: text,
    payload,
  })
  .map(createTraceEvent);

/** JSON.stringify writes -0 as 0. */
function withoutNegativeZero<T>(item: T): T {
  if (item === 0) return 0 as T;
  if (Array.isArray(item)) return item.map(withoutNegativeZero) as T;
  if (typeof item !== 'object' || item === null) return item;
  return Object.fromEntries(
    Object.entries(item).map(([name, below]) => [name, withoutNegativeZero(below)]),
  ) as T;
}

async function read(lines: string): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  for await (const item of readTraceEvents([lines])) events.push(item);
  return events;
}

describe('readTraceEvents', () => {
  test('gives back what encodeTraceEvent wrote', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event), async (events) => {
        expect(await read(events.map((item) => `${encodeTraceEvent(item)}\n`).join(''))).toEqual(
          events,
        );
      }),
    );
  });

  test('what it gives is encoded as the line it was', async () => {
    await fc.assert(
      fc.asyncProperty(event, async (item) => {
        const line = encodeTraceEvent(item);

        expect((await read(line)).map(encodeTraceEvent)).toEqual([line]);
      }),
    );
  });

  test('of any bytes, every line is an event or an error', async () => {
    const line = fc.oneof(event.map(encodeTraceEvent), text, fc.json(), fc.constant(''));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.uint8Array(), async (lines, bytes) => {
        const errors: unknown[] = [];
        const reader = readTraceEvents([lines.join('\n'), bytes], {
          onError: (error) => errors.push(error),
        });
        let events = 0;
        for await (const item of reader) events += Number(Object.isFrozen(item));
        const stats = reader.stats();

        expect(stats.events).toBe(events);
        expect(stats.lines).toBe(stats.events + stats.errors);
        expect(errors.length).toBeGreaterThanOrEqual(stats.errors);
      }),
    );
  });
});
