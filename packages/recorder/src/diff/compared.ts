import type { TracePayload } from '@pyagent-trace/core';
import { MESSAGE_KEYS, withoutIds } from '../replay/question.ts';
import type { RunNode } from './run-node.ts';
import type { DifferenceKind } from './types.ts';

/** Where and when, or labels of the user's own: no part of what a run does. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  'trace_id',
  'span_id',
  'parent_span_id',
  'outer_span_id',
  'traceparent',
  'session_id',
  'user_id',
  'agent_id',
  'response_id',
  'tool_call_id',
  'tags',
  'metadata',
  'pattern_type',
  'agent_name',
  'tool_name',
  'response_model',
  'result_captured',
  // where a recording says what a trace says otherwise
  'answer_keys',
  'answered',
  'incomplete',
  'request_id',
  'previous_response_id',
  'duration_ms',
  'duration_seconds',
  'time_to_first_chunk_ms',
  'stack',
  'source',
]);

/** Keys that an end event brings, and what a difference in them is. */
const ANSWERED: ReadonlyMap<string, DifferenceKind> = new Map([
  ['response', 'answer'],
  ['output', 'answer'],
  ['tool_calls', 'answer'],
  ['finish_reasons', 'answer'],
  ['answered_by', 'model'],
  ['result', 'result'],
  ['error', 'error'],
  ['status', 'status'],
  ['rounds', 'result'],
  ['consensus', 'result'],
  ['escalated', 'result'],
  ['escalation_level', 'result'],
  ['contribution', 'result'],
  ['llm_calls', 'result'],
  ['input_tokens', 'tokens'],
  ['output_tokens', 'tokens'],
  ['cache_read_tokens', 'tokens'],
  ['cache_creation_tokens', 'tokens'],
  ['reasoning_tokens', 'tokens'],
  ['token_estimate', 'tokens'],
  ['cost_usd', 'cost'],
  ['cost_estimate', 'cost'],
]);

const ASKED: ReadonlyMap<string, DifferenceKind> = new Map([
  ['messages_in', 'prompt'],
  ['input', 'prompt'],
  ['arguments', 'arguments'],
  ['model', 'model'],
]);

const OPERATIONS: ReadonlySet<string> = new Set(['pattern', 'agent', 'llm_call', 'tool']);

/** What a difference in a part of a node is. */
export function kindOfDifference(kind: string, path: string): DifferenceKind {
  if (kind === 'error') return 'error';
  if (!OPERATIONS.has(kind)) return 'event';
  const [key = ''] = path.split('.', 1);
  if (key === 'result' && kind === 'llm_call') return 'answer';
  return ANSWERED.get(key) ?? ASKED.get(key) ?? 'parameters';
}

/** A payload in two parts, without what is not compared, and without values that say nothing. */
export function takeApart(
  kind: string,
  payload: TracePayload,
): { asked: Record<string, unknown>; answered: Record<string, unknown> } {
  const asked: [string, unknown][] = [];
  const answers = new Map<string, unknown>();
  for (const [key, value] of Object.entries(payload)) {
    if (NOT_COMPARED.has(key) || saysNothing(key, value)) continue;
    // two names of one thing
    const name = key === 'result_output' ? 'output' : key;
    const kept = kind === 'llm_call' ? withoutNumbers(name, value) : value;
    if (ANSWERED.has(name) && OPERATIONS.has(kind)) answers.set(name, kept);
    else asked.push([name, kept]);
  }
  return {
    // own keys only: an assignment to __proto__ would set the prototype
    asked: Object.fromEntries(asked),
    // what was said before what it took
    answered: Object.fromEntries(
      [...ANSWERED.keys()].filter((key) => answers.has(key)).map((key) => [key, answers.get(key)]),
    ),
  };
}

function withoutNumbers(key: string, value: unknown): unknown {
  if (key === 'result') return withoutAnswerIds(value);
  // what the model calls is in a message of the next question, in the same form
  return MESSAGE_KEYS.has(key) || key === 'tool_calls' ? withoutIds(value) : value;
}

/** A recording has a text and a list where a trace has no key, and Python has null. */
function saysNothing(key: string, value: unknown): boolean {
  return (
    // a call is a chat unless it says otherwise
    (key === 'operation' && value === 'chat') ||
    value === undefined ||
    value === null ||
    value === '' ||
    (Array.isArray(value) && value.length === 0)
  );
}

/** What a provider numbers and dates anew with each answer. */
const ID_OR_TIME = /^(?:id|created|created_at|system_fingerprint|at_ms)$|_id$|[a-z]Id$/;
/** What is asked of a tool is meaning, ids included. */
const MEANING: ReadonlySet<string> = new Set(['arguments', 'args', 'input']);

function withoutAnswerIds(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutAnswerIds);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !ID_OR_TIME.test(key))
      .map(([key, item]) => [key, MEANING.has(key) ? item : withoutAnswerIds(item)]),
  );
}

type Parts = Pick<RunNode, 'asked' | 'answered'>;

/**
 * What is compared of two operations that are the same. What the app's function got from a provider is
 * compared where both have it: a recording may hold the text alone. Of a stream the text counts, where
 * there is one, and not how it was cut into chunks.
 */
export function partsOf(expected: RunNode, actual: RunNode): readonly [Parts, Parts] {
  if (expected.is_group === true) return [said(expected, actual), said(actual, expected)];
  if (expected.kind !== 'llm_call') return [expected, actual];
  const [a, b] = [expected.answered, actual.answered];
  const texts = [a['response'], b['response']].some((text) => text !== undefined);
  const results = [a['result'], b['result']];
  const isCompared = results.every(
    (result) => result !== undefined && !(texts && isStream(result)),
  );
  if (isCompared || !texts) return [expected, actual];
  return [withoutResult(expected), withoutResult(actual)];
}

/** Of a pattern a recording may have the calls alone, without what came of it. */
function said({ asked, answered }: RunNode, other: RunNode): Parts {
  return {
    asked,
    answered: Object.fromEntries(
      Object.entries(answered).filter(([key]) => Object.hasOwn(other.answered, key)),
    ),
  };
}

function isStream(result: unknown): boolean {
  return typeof result === 'object' && result !== null && Object.hasOwn(result, 'stream');
}

function withoutResult({ asked, answered }: RunNode): Parts {
  const { result: _, ...rest } = answered;
  return { asked, answered: rest };
}
