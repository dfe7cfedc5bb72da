// How what happened becomes entries, and how the question is taken out of an entry again.
import { isDeepStrictEqual } from 'node:util';
import { messageOf, toPlainData, type TraceEvent, type TracePayload } from '@pyagent-trace/core';
import { isData, namedMessage, type RecordEntry, type RecordMessageInit } from './record-entry.ts';

/** Ids that an event has, if it has any. */
export interface CallIds {
  readonly trace_id?: string | undefined;
  readonly span_id?: string | undefined;
  readonly parent_span_id?: string | undefined;
  /** Of the model call or tool that it happened in, where that is not the parent. */
  readonly outer_span_id?: string | undefined;
}

/** A call that ended, of any kind. */
export interface EndedCall extends CallIds {
  readonly kind: 'llm_call' | 'tool' | 'routing_decision';
  /** Unix seconds, of the end. */
  readonly timestamp: number;
  readonly agent_name: string;
  readonly pattern_type: string;
  /** What was asked: the payload of the start. */
  readonly asked: TracePayload;
  /** What came of it: the payload of the end. */
  readonly answered: TracePayload;
  /** What was thrown, as `describeThrown` says it. */
  readonly error?: CallError | undefined;
  /** No end came, so that there is no answer. */
  readonly incomplete?: true;
}

/** A throw, as it is kept under `metadata.error`. */
export interface CallError {
  readonly message: string;
  readonly error_type: string;
  readonly code?: string | number;
}

const EVENT_TYPES = {
  llm_call: 'llm_call',
  tool: 'tool_end',
  routing_decision: 'routing_decision',
} as const satisfies Record<EndedCall['kind'], string>;

const ID_KEYS: ReadonlySet<string> = new Set([
  'trace_id',
  'span_id',
  'parent_span_id',
  'outer_span_id',
]);
/** What a call inherits of its root: no part of the question. */
const CONTEXT_KEYS: ReadonlySet<string> = new Set(['session_id', 'user_id', 'tags']);

/** Known keys that an end adds. Other ones are listed under `answer_keys`. */
export const ANSWER_KEYS: ReadonlySet<string> = new Set([
  'response',
  'response_model',
  'response_id',
  'finish_reasons',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_creation_tokens',
  'reasoning_tokens',
  'cost_usd',
  'duration_ms',
  'time_to_first_chunk_ms',
  'status',
  'result',
  'result_captured',
  'error',
  'incomplete',
  'answered',
]);

/** Keys that entries have and ends have not. */
const LAYOUT_KEYS: ReadonlySet<string> = new Set([
  'response_model',
  'error',
  'incomplete',
  'answered',
]);

/**
 * The entry of a call. Its metadata has what was asked, unchanged, and what came of it: of a key that both
 * have, the question's value, so that `askedOf` gives the question back. The model that answered is
 * `response_model`; other keys to which the end gave another value are under `answered`, so that
 * `answeredOf` gives the end back.
 *
 * @param call its payloads are plain data, and nobody else's
 */
export function entryOfCall(call: EndedCall): RecordEntry {
  const { kind, timestamp, agent_name, pattern_type, asked, answered, error, incomplete } = call;
  const { response, model } = answered;
  const extra: Record<string, unknown> = {};
  if (model !== undefined && asked['model'] !== undefined) extra['response_model'] = model;
  if (error !== undefined) extra['error'] = error;
  if (incomplete === true) extra['incomplete'] = true;
  const answer_keys = Object.keys(answered).filter(
    (key) =>
      !ANSWER_KEYS.has(key) &&
      !ID_KEYS.has(key) &&
      !CONTEXT_KEYS.has(key) &&
      !Object.hasOwn(asked, key),
  );
  if (response === '') answer_keys.push('response'); // an empty answer, and not none
  if (answer_keys.length > 0) extra['answer_keys'] = answer_keys;
  const again = only(
    answered,
    (key) =>
      key !== 'model' &&
      !ANSWER_KEYS.has(key) &&
      !ID_KEYS.has(key) &&
      Object.hasOwn(asked, key) &&
      !isDeepStrictEqual(asked[key], answered[key]),
  );
  if (Object.keys(again).length > 0) extra['answered'] = again;
  const { messages_in, metadata } = lift({
    ...only(asked, (key) => !ID_KEYS.has(key)),
    ...only(answered, (key) => ANSWER_KEYS.has(key) || answer_keys.includes(key)),
    ...extra,
  });
  return {
    timestamp,
    event_type: EVENT_TYPES[kind],
    agent_name,
    messages_in,
    response: typeof response === 'string' ? response : '',
    metadata: { ...idsOf(call), ...(pattern_type !== '' && { pattern_type }), ...metadata },
  };
}

/**
 * What was asked, out of the entry of a call: `messages_in`, `model`, parameters, `tool_name`, `arguments`.
 * Messages have no empty name.
 */
export function askedOf({ messages_in, metadata }: RecordEntry): TracePayload {
  const { answer_keys } = metadata;
  const listed = new Set<unknown>(Array.isArray(answer_keys) ? answer_keys : []);
  const asked = only(
    metadata,
    (key) =>
      !ANSWER_KEYS.has(key) &&
      !ID_KEYS.has(key) &&
      !CONTEXT_KEYS.has(key) &&
      !listed.has(key) &&
      key !== 'answer_keys' &&
      key !== 'pattern_type',
  );
  if (messages_in.length === 0) return asked;
  return { ...asked, messages_in: messages_in.map(withoutEmptyName) };
}

/** What came of it, out of the entry of a call: the payload of the end. */
export function answeredOf({ event_type, response, metadata }: RecordEntry): TracePayload {
  const { answer_keys, answered, response_model, status } = metadata;
  const listed = new Set<unknown>(Array.isArray(answer_keys) ? answer_keys : []);
  // Python's recorder has no status, and always an answer
  const isSaid =
    response !== '' ||
    listed.has('response') ||
    (event_type === 'llm_call' && status === undefined);
  return {
    ...(isSaid && { response }),
    ...only(metadata, (key) => (ANSWER_KEYS.has(key) || listed.has(key)) && !LAYOUT_KEYS.has(key)),
    ...(response_model !== undefined && { model: response_model }),
    ...(isData(answered) && answered),
  };
}

/** The entry of an event that is recorded by itself: a pattern's or an agent's start or end, a message. */
export function entryOfEvent(event: TraceEvent): RecordEntry {
  const { timestamp, event_type, agent_name, pattern_type } = event;
  const payload = plainPayload(event.payload);
  const { messages_in, metadata } = lift(payload);
  const text = ['response', 'result_output', 'output'].find(
    (key) => typeof payload[key] === 'string',
  );
  const { duration_ms, duration_seconds } = metadata;
  return {
    timestamp,
    event_type,
    agent_name,
    messages_in,
    response: text === undefined ? '' : (payload[text] as string),
    metadata: {
      ...(pattern_type !== '' && { pattern_type }),
      ...only(metadata, (key) => key !== text),
      // as in the seed, beside the unit that tracers write
      ...(event_type === 'pattern_end' &&
        duration_seconds === undefined &&
        typeof duration_ms === 'number' && { duration_seconds: duration_ms / 1000 }),
    },
  };
}

/** A throw as data. Never throws, whatever was thrown. */
export function describeThrown(error: unknown): CallError {
  const name = read(error, 'name');
  const code = read(error, 'code');
  return {
    message: messageOf(error),
    error_type: typeof name === 'string' ? name : typeof error,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
  };
}

/** One line of a recording, without the line feed. Some readers end a line at U+2028 and U+2029. */
export function encodeEntry({
  timestamp,
  event_type,
  agent_name,
  messages_in,
  response,
  metadata,
}: RecordEntry): string {
  return JSON.stringify({ timestamp, event_type, agent_name, messages_in, response, metadata })
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

interface Lifted {
  readonly messages_in: RecordEntry['messages_in'];
  readonly metadata: TracePayload;
}

/** Messages at their key; where they are none, or an empty list, they stay what they are in the metadata. */
function lift(payload: TracePayload): Lifted {
  const { messages_in, response } = payload;
  const isText = typeof response === 'string';
  if (!isMessages(messages_in))
    return { messages_in: [], metadata: only(payload, (key) => !(isText && key === 'response')) };
  return {
    messages_in: messages_in.map(namedMessage),
    metadata: only(payload, (key) => key !== 'messages_in' && !(isText && key === 'response')),
  };
}

function isMessages(value: unknown): value is readonly RecordMessageInit[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (item) =>
        isData(item) &&
        typeof item['role'] === 'string' &&
        (typeof item['name'] === 'string' || (item['name'] ?? undefined) === undefined),
    )
  );
}

function withoutEmptyName(message: RecordMessageInit): TracePayload {
  return message.name === '' ? only(message, (key) => key !== 'name') : message;
}

function idsOf({ trace_id, span_id, parent_span_id, outer_span_id }: CallIds): TracePayload {
  return {
    ...(trace_id !== undefined && { trace_id }),
    ...(span_id !== undefined && { span_id }),
    ...(parent_span_id !== undefined && { parent_span_id }),
    ...(outer_span_id !== undefined && { outer_span_id }),
  };
}

/** Of own keys: a spread keeps __proto__ as one, where an assignment would set the prototype. */
export function only(payload: TracePayload, keeps: (key: string) => boolean): TracePayload {
  return Object.fromEntries(Object.entries(payload).filter(([key]) => keeps(key)));
}

/** A copy, and of an object that throws when it is read what can be read. */
export function plainPayload(payload: TracePayload): TracePayload {
  const data = toPlainData(payload);
  return isData(data) ? data : { value: data };
}

/** A property of anything; `undefined` where it cannot be read. */
export function read(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined;
  }
}
