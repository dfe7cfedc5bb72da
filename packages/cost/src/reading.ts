import { TraceError, type TraceEvent } from '@pyagent-trace/core';
import { problemOfUsage, type Usage, USAGE_KEYS } from './usage.ts';

/** Whose an event is: the keys that every event may carry. Empty where they are not given. */
export interface Identity {
  readonly timestamp: number;
  readonly agent_name: string;
  readonly pattern_type: string;
  /** As it is on the event. */
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly session_id: string;
  readonly user_id: string;
  readonly model: string;
  readonly provider: string;
}

/** Reads what is needed of an event, and keeps nothing of it. */
export function readIdentity({
  timestamp,
  agent_name,
  pattern_type,
  payload,
}: TraceEvent): Identity {
  return {
    timestamp,
    agent_name,
    pattern_type,
    trace_id: text(payload['trace_id']),
    span_id: text(payload['span_id']),
    parent_span_id: text(payload['parent_span_id']),
    session_id: text(payload['session_id']),
    user_id: text(payload['user_id']),
    model: text(payload['model']),
    provider: text(payload['provider']),
  };
}

/**
 * The token counts of an event.
 *
 * @throws {TraceError} `invalid_event` when they are none
 */
export function readUsage({ event_type, payload }: TraceEvent): Usage {
  const usage: { -readonly [Key in keyof Usage]: Usage[Key] } = {};
  for (const key of USAGE_KEYS) {
    const count = payload[key];
    // null is Python's "not given"
    if (count !== undefined && count !== null) usage[key] = count as number;
  }
  const problem = problemOfUsage(usage);
  if (problem !== undefined) throw new TraceError('invalid_event', `${event_type}: ${problem}`);
  return usage;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
