// The question of an operation that runs, and of one that was recorded, made the same way.
import { toPlainData, type TracePayload } from '@pyagent-trace/core';
import type { Compared, Question } from './exchange.ts';

/** Payload keys that say which call this is, and whose: not what was asked. */
const NOT_ASKED: ReadonlySet<string> = new Set([
  'trace_id',
  'span_id',
  'parent_span_id',
  'traceparent',
  'session_id',
  'user_id',
  'tags',
  'metadata',
  'tool_call_id',
  'previous_response_id',
  'request_id',
]);

/** Where providers keep messages. */
export const MESSAGE_KEYS: ReadonlySet<string> = new Set([
  'messages_in',
  'messages',
  'input',
  'contents',
]);

/** Keys of a message, a part of one or a tool call in one, as OpenAI, Anthropic, Google and the AI SDK call them. */
const IDS_AND_TIMES: ReadonlySet<string> = new Set([
  'id',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'toolCallId',
  'response_id',
  'timestamp',
  'created',
  'created_at',
  'createdAt',
]);

/** Within these keys of a message, an id is what the message is about. */
const MEANING: ReadonlySet<string> = new Set([
  'arguments',
  'args',
  'input',
  'output',
  'result',
  'response',
  'json',
]);

/** A place that is left out: the keys that lead there. */
export type IgnoredPath = readonly string[];

/**
 * @param ignored places that are left out of the question; `*` is any key or index
 */
export function questionOf(
  agent_name: string,
  payload: TracePayload,
  ignored: readonly IgnoredPath[],
): Question {
  const plain = toPlainData(payload);
  const asked = Object.entries(isRecord(plain) ? plain : { value: plain }).flatMap(
    ([key, value]): [string, unknown][] => {
      // null is Python's "not given", and a call is a chat unless it says otherwise
      if (NOT_ASKED.has(key) || value === null || value === undefined) return [];
      if (key === 'operation' && value === 'chat') return [];
      // a recording has an empty list where there are no messages
      if (key === 'messages_in' && Array.isArray(value) && value.length === 0) return [];
      return [[key, MESSAGE_KEYS.has(key) ? withoutIds(value) : value]];
    },
  );
  const question = Object.fromEntries([['agent_name', agent_name], ...asked]);
  return ignored.length === 0 ? question : (without(question, ignored) as Question);
}

/**
 * Of a question, the keys that are compared with a recorded one; `undefined` where that lacks one of them.
 *
 * @param asked the keys that an operation asks
 */
export function comparable(
  question: Question,
  compared: Compared,
  asked: readonly string[],
  hasModel: boolean,
): Question | undefined {
  if (compared === 'all') return question;
  const keys = compared === 'asked' ? asked : promptKeys(hasModel);
  const entries = keys.flatMap((key): [string, unknown][] =>
    Object.hasOwn(question, key) ? [[key, question[key]]] : [],
  );
  if (compared === 'asked' && entries.length < keys.length) return undefined;
  return Object.fromEntries(entries);
}

function promptKeys(hasModel: boolean): string[] {
  return ['agent_name', 'messages_in', ...(hasModel ? ['model'] : [])];
}

/** Messages without the ids and times of this run, and without empty names. */
export function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
      if (IDS_AND_TIMES.has(key)) return [];
      if (key === 'name' && (item === '' || item === null)) return [];
      return [[key, MEANING.has(key) ? item : withoutIds(item)]];
    }),
  );
}

/** In a list null stands for what is left out: the others keep their places. */
export function without(value: unknown, ignored: readonly IgnoredPath[]): unknown {
  if (ignored.length === 0 || typeof value !== 'object' || value === null) return value;
  const below = (key: string): IgnoredPath[] =>
    ignored.flatMap(([first, ...rest]) => (first === key || first === '*' ? [rest] : []));
  const isLeftOut = (paths: readonly IgnoredPath[]): boolean =>
    paths.some((path) => path.length === 0);
  if (Array.isArray(value))
    return value.map((item: unknown, index) => {
      const paths = below(String(index));
      return isLeftOut(paths) ? null : without(item, paths);
    });
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
      const paths = below(key);
      return isLeftOut(paths) ? [] : [[key, without(item, paths)]];
    }),
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
