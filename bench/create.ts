// What do an event and an id cost, with crypto.randomUUID as a yardstick?
import { randomUUID } from 'node:crypto';
import { createTraceEvent, newSpanId, newTraceId } from '@pyagent-trace/core';
import { comparing, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';

const payload = { model: 'gpt-4o', input_tokens: 512 };

export const measurements: readonly Measurement[] = comparing({
  title: 'making events and ids',
  per: 'value',
  iterations: 1_000_000,
  rounds: 15,
  subjects: [
    repeated(
      'createTraceEvent',
      () => createTraceEvent({ event_type: 'llm_call', agent_name: 'bull', payload }).timestamp > 0,
    ),
    repeated('newSpanId', () => newSpanId().length === 16),
    repeated('newTraceId', () => newTraceId().length === 32),
  ],
  peer: repeated('crypto.randomUUID', () => randomUUID().length === 36),
});

function repeated(name: string, make: () => boolean): Subject {
  return {
    name,
    start: () => ({
      round(iterations) {
        let made = 0;
        for (let i = 0; i < iterations; i++) if (make()) made += 1;
        return made;
      },
    }),
  };
}
