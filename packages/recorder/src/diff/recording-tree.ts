import { createTraceEvent, type TraceEvent, type TracePayload } from '@pyagent-trace/core';
import type { RecordEntry } from '../record-entry.ts';
import type { RunNode } from './run-node.ts';
import { buildTree, eventNode, type RunTree } from './run-tree.ts';

/** The operations of a recording. A call whose agent was not recorded is a root. */
export function buildRecordingTree(entries: readonly RecordEntry[]): RunTree {
  // decisions start and end nothing: without a pattern around them they would be about no operation
  const [decisions, others] = [
    entries.filter(isDecision),
    entries.filter((entry) => !isDecision(entry) && entry.event_type !== 'message'),
  ];
  const { roots, warnings } = buildTree(others.map(toEvent));
  return { roots: [...roots, ...decisions.map(decisionNode)], warnings };
}

function isDecision({ event_type }: RecordEntry): boolean {
  return event_type === 'routing_decision';
}

function toEvent({
  timestamp,
  event_type,
  agent_name,
  messages_in,
  response,
  metadata,
}: RecordEntry): TraceEvent {
  const isCall = event_type === 'llm_call';
  return createTraceEvent({
    timestamp,
    event_type,
    agent_name,
    pattern_type: typeof metadata['pattern_type'] === 'string' ? metadata['pattern_type'] : '',
    payload: {
      ...metadata,
      ...(isCall ? { messages_in, response } : response !== '' && { output: response }),
    },
  });
}

function decisionNode({ timestamp, event_type, agent_name, metadata }: RecordEntry): RunNode {
  const { pattern_type } = metadata;
  const payload: TracePayload = metadata;
  return eventNode(
    { timestamp, event_type, payload },
    { agent_name, pattern_type: typeof pattern_type === 'string' ? pattern_type : '' },
  );
}
