import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from '../encode.ts';
import { createTraceEvent } from '../event.ts';
import { redact } from './redact.ts';

/** Made up here, so that no scanner of repositories takes one for a leak. */
const SECRETS = [
  `sk-ant-${'Ab1_'.repeat(20)}`,
  `ghp_${'Ab1'.repeat(12)}`,
  `eyJ${'Ab1'.repeat(6)}.eyJ${'Ab1'.repeat(6)}.${'Ab1'.repeat(6)}`,
];

/** Ways to hold a value that only its written form shows. */
const HOLDERS: readonly ((value: unknown) => unknown)[] = [
  (value) => new Map([['key', value]]),
  (value) => new Map([[value, 1]]),
  (value) => new Set([value]),
  (value) => new Error(textOf(value), { cause: value }),
  (value) => Object.assign(new RangeError('x'), { detail: value, stack: `at ${textOf(value)}` }),
  (value) => new AggregateError([value], 'many'),
  (value) => ({ toJSON: () => value }),
  (value) => Object.defineProperty({}, 'lazy', { enumerable: true, get: () => value }),
  (value) => new Proxy({ value }, {}),
  (value) => [1, [value], new Date(0)],
  (value) => ({ [textOf(value)]: 1n }),
  (value) => Object.assign(Object.create({ inherited: 1 }) as object, { value }),
  (value) => Symbol(textOf(value)),
  (value) => Object(textOf(value)) as unknown,
  (value) => ({ a: JSON.stringify({ b: `\n${textOf(value)}` }) }),
  (value) => ({ a: value, self: null }),
  (value) => ({ a: 1, 'x-api-key': value }),
  (value) => ({ role: 'user', content: `Take ${textOf(value)}, please.` }),
];

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a symbol within, or an object without prototype';
  }
}

describe('redact', () => {
  const plain = fc.object({ maxDepth: 2, withBigInt: true, withDate: true, withMap: true });
  const planted = fc
    .tuple(fc.constantFrom(...SECRETS), fc.array(fc.constantFrom(...HOLDERS), { maxLength: 4 }))
    .map(([secret, holders]) => ({
      secret,
      value: holders.reduce<unknown>((value, hold) => hold(value), secret),
    }));

  test('a secret that is anywhere in an event is not in its line', () => {
    const processor = redact();
    fc.assert(
      fc.property(plain, planted, fc.string(), (payload, { secret, value }, key) => {
        const event = createTraceEvent({
          timestamp: 1,
          event_type: 'llm_call',
          payload: { ...payload, [key]: value },
        });

        const line = encodeTraceEvent(processor(event));

        expect(line).not.toContain(secret);
        // of what is written twice escaped, too
        expect(line.replaceAll('\\', '')).not.toContain(secret);
      }),
      { numRuns: 1_000 },
    );
    expect(processor.stats().failed).toBe(0);
  });

  test('what has no secret is written as it would be without the processor', () => {
    const processor = redact();
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (payload) => {
        const event = createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload });

        expect(encodeTraceEvent(processor(event))).toBe(encodeTraceEvent(event));
      }),
    );
    expect(processor.stats().redacted).toBe(0);
  });
});
