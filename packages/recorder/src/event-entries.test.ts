import { createTraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { EventEntries } from './event-entries.ts';
import type { RecordEntry } from './record-entry.ts';

describe('EventEntries', () => {
  test('gives up the oldest of 1,001 calls that outlived what they were part of', () => {
    const recorded: RecordEntry[] = [];
    const entries = new EventEntries((entry) => recorded.push(entry));
    const emit = (event_type: string, span_id: string, parent_span_id?: string): void =>
      entries.add(
        createTraceEvent({ event_type, payload: { trace_id: 't', span_id, parent_span_id } }),
      );
    emit('agent_start', 'a');
    for (let i = 0; i < 1_001; i++) emit('llm_call', `${i}`, 'a');
    emit('agent_end', 'a');

    const calls = recorded.filter(({ event_type }) => event_type === 'llm_call');
    expect(calls).toHaveLength(1);
    expect(calls[0]?.metadata).toMatchObject({ incomplete: true, parent_span_id: 'a' });
  });
});
