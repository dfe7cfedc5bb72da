import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createTraceEvent,
  isCheckedEvent,
  problemOf,
  TRACE_EVENT_KEYS,
  type TraceEventInit,
} from './event.ts';
import { parseTraceEvent, PAYLOAD_SCHEMAS, TraceEventSchema } from './schema.ts';
import { KNOWN_KEYS, problemsOfPayload } from './schema/event.ts';

const known = new Set([...KNOWN_KEYS.values()].flatMap((keys) => Array.from(keys.keys())));

const unknownKey = fc
  .oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'x'))
  .filter((key) => !known.has(key) && !TRACE_EVENT_KEYS.has(key));
/** Own keys only, whatever they are called: an assignment to __proto__ would set the prototype. */
const unknownKeys = (value: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  fc.array(fc.tuple(unknownKey, value)).map((entries) => Object.fromEntries(entries) as object);

const anything = fc.anything({ withDate: true, withMap: true, withNullPrototype: true });
const timestamp = fc.oneof(
  fc.double({ min: 0, max: 1e11 }),
  fc.double(),
  fc.constantFrom(0, -0, -1, 1e11, 1e11 + 1, 1735689600250, NaN, Infinity, -Infinity),
);
const name = fc.oneof(fc.string(), fc.constantFrom('', 'llm_call', 'constructor'));
const payload = fc.oneof(unknownKeys(anything), fc.constantFrom(undefined, null, [], ''));
const mostly = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: anything });

/** Wrong and right in every mixture, with a sixth key in one of six. */
const fiveKeys = fc
  .record(
    {
      timestamp: mostly(timestamp),
      event_type: mostly(name),
      agent_name: mostly(name),
      pattern_type: mostly(name),
      payload,
    },
    { requiredKeys: ['timestamp', 'event_type'] },
  )
  .chain((event) =>
    fc
      .oneof({ weight: 5, arbitrary: fc.constant({}) }, unknownKeys(anything))
      .map((more) => Object.fromEntries([...Object.entries(event), ...Object.entries(more)])),
  );

function text(path: PropertyKey[], message: string): string {
  return `payload.${path.join('.')}: ${message}`;
}

describe('TraceEventSchema', () => {
  test('says of the five keys what the check by hand says', () => {
    let right = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 20, arbitrary: fiveKeys }, anything), (value) => {
        const problem = problemOf(value);
        const issue = TraceEventSchema.safeParse(value).error?.issues[0];

        if (problem === undefined) right += 1;
        expect(issue?.path.concat(issue.message).join(': ')).toBe(
          problem?.replace(/ \(\d.*\)$/, ''),
        );
      }),
      { numRuns: 2_000 },
    );
    expect(right).toBeGreaterThan(200);
  });

  test('takes what createTraceEvent found right, and nothing else that it made', () => {
    fc.assert(
      fc.property(fiveKeys, (value) => {
        const event = createTraceEvent(value as unknown as TraceEventInit);

        expect(TraceEventSchema.safeParse(event).success).toBe(isCheckedEvent(event));
      }),
    );
  });

  test('hands on the payload it was given, and changes no prototype', () => {
    fc.assert(
      fc.property(unknownKeys(anything), (data) => {
        const event = parseTraceEvent({ timestamp: 1, event_type: 'error', payload: data });

        expect(event.payload).toBe(data);
        expect(Object.getPrototypeOf(event.payload)).toBe(Object.prototype);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });

  test('says of a payload what the schema of its event type says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KNOWN_KEYS.keys()) as fc.Arbitrary<keyof typeof PAYLOAD_SCHEMAS>,
        fc.dictionary(fc.oneof(fc.constantFrom(...known), unknownKey), anything),
        (event_type, data) => {
          const issues = PAYLOAD_SCHEMAS[event_type].safeParse(data).error?.issues ?? [];
          expect(
            problemsOfPayload(event_type, data)
              .map(({ path, message }) => text(path.slice(1), message))
              .toSorted(),
          ).toEqual(issues.map(({ path, message }) => text(path, message)).toSorted());
        },
      ),
      { numRuns: 500 },
    );
  });
});
