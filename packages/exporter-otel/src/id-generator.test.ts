import { describe, expect, test } from 'vitest';
import { PyAgentIdGenerator } from './id-generator.ts';

const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

describe('PyAgentIdGenerator', () => {
  test('gives the first span inside its ids, and returns what the function returns', () => {
    const generator = new PyAgentIdGenerator();
    const generate = (): string[] => [generator.generateSpanId(), generator.generateTraceId()];
    const [first, second] = generator.withIds(ids, () => [generate(), generate()]);
    expect(first).toEqual([ids.spanId, ids.traceId]);
    expect(second).toEqual([
      expect.stringMatching(/^[\da-f]{16}$/),
      expect.stringMatching(/^[\da-f]{32}$/),
    ]);
    expect(second).not.toEqual(first);
  });

  test('what was not taken inside is not given outside, nor after a throw', () => {
    const generator = new PyAgentIdGenerator();
    generator.withIds(ids, () => generator.generateSpanId());
    expect(generator.generateTraceId()).not.toBe(ids.traceId);
    expect(() =>
      generator.withIds(ids, () => {
        throw new Error('no span');
      }),
    ).toThrow('no span');
    expect([generator.generateSpanId(), generator.generateTraceId()]).not.toContain(ids.spanId);
    expect(generator.generateTraceId()).not.toBe(ids.traceId);
  });
});
