import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { walk } from './run-node.ts';
import { buildTree } from './run-tree.ts';

function agentEvent(type: 'start' | 'end', span_id: string, parent_span_id?: string): TraceEvent {
  return createTraceEvent({
    timestamp: 1,
    event_type: `agent_${type}`,
    agent_name: span_id,
    payload: { trace_id: 't', span_id, parent_span_id },
  });
}

describe('buildTree', () => {
  test('loses nothing where an id is used again, so that two spans are each inside the other', () => {
    const between = Array.from({ length: 10_001 }, (_, i) => [
      agentEvent('start', `x${i}`),
      agentEvent('end', `x${i}`),
    ]);
    const { roots } = buildTree([
      agentEvent('start', 'a'),
      agentEvent('end', 'a'),
      agentEvent('start', 'b', 'a'),
      ...between.flat(),
      agentEvent('start', 'a', 'b'),
    ]);
    const names = [...walk(roots)].map(({ name }) => name);

    expect(names.filter((name) => !name.startsWith('x')).toSorted()).toEqual(['a', 'b']);
    expect(names).toHaveLength(10_003);
  });
});
