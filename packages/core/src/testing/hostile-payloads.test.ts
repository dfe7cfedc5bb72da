import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from '../encode.ts';
import { hostilePayloads } from './hostile-payloads.ts';

/** The kinds that JSON.stringify throws on. */
const THROWING = [
  'a BigInt',
  'an object that contains itself',
  'a getter that throws',
  'a revoked proxy',
  'a proxy whose every trap throws',
  'a toJSON that throws',
  'an Error that causes itself',
  'boxed primitives',
  'a payload that is a revoked proxy',
  'a payload whose every trap throws',
  'a payload that contains itself',
  'a payload whose ids throw',
  'known keys of the wrong type',
];
/** Those it takes seconds for, and one that Node 26 writes where Node 24 runs out of stack. */
const LEFT_OUT = new Set([
  '100,000 levels of nesting',
  'a typed array of 10 MB',
  '25 nested pairs of one object',
  'a sparse array of 20,000,000',
]);

describe('hostilePayloads', () => {
  test('has at least 30 kinds, each with a name of its own', () => {
    const names = hostilePayloads().map(({ name }) => name);

    expect(names.length).toBeGreaterThanOrEqual(30);
    expect(new Set(names).size).toBe(names.length);
  });

  test('has those that JSON.stringify throws on', () => {
    const throwing = hostilePayloads()
      .filter(({ name }) => !LEFT_OUT.has(name))
      .filter(({ payload }) => {
        try {
          JSON.stringify(payload);
          return false;
        } catch {
          return true;
        }
      });

    expect(throwing.map(({ name }) => name)).toEqual(THROWING);
  });

  test.each(hostilePayloads())(
    'encodeTraceEvent writes one line of JSON for $name',
    ({ payload }) => {
      const event = {
        timestamp: 1,
        event_type: 'error',
        agent_name: '',
        pattern_type: '',
        payload,
      };
      const line = encodeTraceEvent(event);

      expect(line).not.toMatch(/[\n\r\u2028\u2029]/);
      expect(Object.keys(JSON.parse(line) as object)).toEqual(Object.keys(event));
    },
  );
});
