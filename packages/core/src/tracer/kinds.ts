import type { KnownEventType } from '../event.ts';

/** What tells a pattern from a tool: its events, and where its result goes. */
export interface OperationKind {
  readonly name: 'pattern' | 'agent' | 'llm_call' | 'tool' | 'routing_decision';
  readonly start?: KnownEventType;
  readonly end: KnownEventType;
  /** The key of the end event for people and backends to read. */
  readonly output: 'output' | 'response' | 'result';
  /** Whether `result` holds what the app's function returned, for a replay to give back. */
  readonly replayable: boolean;
}

export const PATTERN: OperationKind = {
  name: 'pattern',
  start: 'pattern_start',
  end: 'pattern_end',
  output: 'output',
  replayable: false,
};
export const AGENT: OperationKind = {
  name: 'agent',
  start: 'agent_start',
  end: 'agent_end',
  output: 'output',
  replayable: false,
};
export const LLM_CALL: OperationKind = {
  name: 'llm_call',
  start: 'llm_call',
  end: 'llm_response',
  output: 'response',
  replayable: true,
};
export const TOOL: OperationKind = {
  name: 'tool',
  start: 'tool_start',
  end: 'tool_end',
  output: 'result',
  replayable: true,
};
export const ROUTING: OperationKind = {
  name: 'routing_decision',
  end: 'routing_decision',
  output: 'result',
  replayable: true,
};
