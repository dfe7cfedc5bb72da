import { TraceError } from '@pyagent-trace/core';
import { problemOfUsage, shown, type Usage } from './usage.ts';

/** What one model call used and cost. Keys are those of a `cost_record` event. */
export interface CostEntry extends Usage {
  /** Empty when no pattern is involved. */
  readonly pattern_type?: string;
  /** Empty when no agent is involved. */
  readonly agent_name?: string;
  readonly model: string;
  readonly provider?: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** US dollars. */
  readonly cost_usd: number;
  /** Unix seconds. Now, unless given. */
  readonly timestamp?: number;
  readonly trace_id?: string;
  /** The call. A second cost of one call is not counted. */
  readonly span_id?: string;
  readonly parent_span_id?: string;
  readonly session_id?: string;
  readonly user_id?: string;
}

const TEXTS = [
  'pattern_type',
  'agent_name',
  'provider',
  'trace_id',
  'span_id',
  'parent_span_id',
  'session_id',
  'user_id',
] as const satisfies readonly (keyof CostEntry)[];

/**
 * By hand, since it is done for each call: zod takes ten times as long.
 *
 * @throws {TraceError} `invalid_event`
 */
export function requireEntry(entry: CostEntry): void {
  const problem = problemOfEntry(entry);
  if (problem !== undefined)
    throw new TraceError('invalid_event', `CostTracker.record: ${problem}`);
}

function problemOfEntry(entry: CostEntry | null | undefined): string | undefined {
  if (typeof entry !== 'object' || entry === null) return `expected an entry, got ${shown(entry)}`;
  const { model, input_tokens, output_tokens, cost_usd, timestamp } = entry;
  if (typeof model !== 'string') return `model: expected a string, got ${shown(model)}`;
  for (const key of TEXTS)
    if (entry[key] !== undefined && typeof entry[key] !== 'string')
      return `${key}: expected a string, got ${shown(entry[key])}`;
  for (const [key, count] of [
    ['input_tokens', input_tokens],
    ['output_tokens', output_tokens],
  ] as const)
    if (typeof count !== 'number')
      return `${key}: expected a whole number of 0 or more, got ${shown(count)}`;
  if (!isCost(cost_usd)) return problemOfCost(cost_usd);
  if (timestamp !== undefined && !(Number.isFinite(timestamp) && timestamp >= 0))
    return `timestamp: expected Unix seconds, got ${shown(timestamp)}`;
  return problemOfUsage(entry);
}

/** Whether a value is an amount of US dollars. */
export function isCost(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

export function problemOfCost(value: unknown): string {
  return `cost_usd: expected US dollars, 0 or more, got ${shown(value)}`;
}
