// What came of a recorded call: from the payload of its end, and the error that was thrown.
import type { TracePayload } from '@pyagent-trace/core';
import type { Answer, Chunk, Thrown } from './exchange.ts';
import { isRecord } from './question.ts';

/** Keys of an end that a replay makes itself, or that belong to another run. */
const NOT_GIVEN_AGAIN: ReadonlySet<string> = new Set([
  'trace_id',
  'span_id',
  'parent_span_id',
  'traceparent',
  'session_id',
  'user_id',
  'tool_call_id',
  'duration_ms',
  'time_to_first_chunk_ms',
  'status',
  'result',
  'result_captured',
  'error',
]);

/** @param end the payload of the end event */
export function answerOf(end: TracePayload, error: Thrown | undefined): Answer {
  const { status, result, response } = end;
  const kept = Object.fromEntries(Object.entries(end).filter(([key]) => !NOT_GIVEN_AGAIN.has(key)));
  const answer = { end: kept };
  if (end['result_captured'] === false)
    return {
      ...answer,
      problem: 'its result was left out (captureResults or captureContent: false)',
    };
  if (isRecord(end['redacted'])) return { ...answer, problem: 'its result was redacted' };

  const stream = streamOf(result);
  // absent means the same as the response
  const given = result === undefined ? response : result;
  const damage = damageIn(given);
  if (damage !== undefined) return { ...answer, problem: `its result holds ${damage}` };
  const ending = {
    ...(status === 'cancelled' && { cancelled: true }),
    ...(error !== undefined && { error }),
  };
  if (stream !== undefined) {
    if (isRecord(result) && result['truncated'] !== undefined)
      return { ...answer, problem: 'its stream was longer than a recording keeps' };
    if (status === 'error' && error === undefined) return { ...answer, problem: UNSAID };
    return { ...answer, stream, ...ending };
  }
  if (status === 'ok' || status === undefined) {
    if (error !== undefined && status === undefined) return { ...answer, error };
    // null beside a response says that nothing was returned
    const isNothing = given === undefined || (result === null && response !== undefined);
    return isNothing ? answer : { ...answer, value: given };
  }
  if (error !== undefined) return { ...answer, ...ending };
  return status === 'cancelled'
    ? { ...answer, stream: [], cancelled: true }
    : { ...answer, problem: UNSAID };
}

export const NEVER_ENDED = 'it never ended';
const UNSAID = 'it failed, and the recording does not say how';

function streamOf(result: unknown): Chunk[] | undefined {
  if (!isRecord(result) || !Array.isArray(result['stream'])) return undefined;
  const { stream, truncated, ...more } = result;
  void truncated;
  const chunks: unknown[] = stream;
  const isStream =
    Object.keys(more).length === 0 &&
    chunks.every((item) => isRecord(item) && typeof item['at_ms'] === 'number');
  return isStream ? (chunks as Chunk[]) : undefined;
}

/** What stands for a value that could not be kept, whole or in part. */
const STAND_INS: readonly RegExp[] = [
  /\[Truncated: \d+ (?:more (?:characters|items)|bytes)\]$/,
  /^\[Truncated: nested too deep\]$/,
  /\[REDACTED \w+\]/,
  /^\[(?:Circular|Unserializable|Getter threw)\]$/,
  /^\[Function [^\]]*\]$/,
  /^\[Symbol\(.*\)\]$/,
  /^\[\w*(?:Array|ArrayBuffer|Buffer|DataView) \d+ bytes\]$/,
  /^\[object (?:Promise|WeakMap|WeakSet|WeakRef)\]$/,
];

/** The first thing in a value that stands for something else: what the app got was another value. */
function damageIn(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (!value.includes('[')) return undefined;
    for (const pattern of STAND_INS) {
      const found = pattern.exec(value)?.[0];
      if (found !== undefined) return JSON.stringify(found);
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, '[Truncated]')) return '"[Truncated]"';
  for (const item of Object.values(value)) {
    const damage = damageIn(item);
    if (damage !== undefined) return damage;
  }
  return undefined;
}
