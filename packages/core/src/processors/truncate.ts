import * as z from 'zod';
import type { Processor } from '../bus/gate.ts';
import { CONTEXT_KEYS } from '../context-keys.ts';
import { encodeTraceEvent } from '../encode.ts';
import { createTraceEvent, isObject, type TraceEvent, type TracePayload } from '../event.ts';
import { parseOptions } from '../schema/options.ts';
import { plainPayload } from './plain-payload.ts';
import { type Cut, cutTexts, limitFor, roughBytes, textSizes } from './truncate-texts.ts';
import { startOf, writtenBytes } from './written-bytes.ts';

export interface TruncateOptions {
  /**
   * Of one text, in bytes as written: UTF-8 with the escapes of JSON. At least 100.
   *
   * @default 100_000
   */
  readonly maxValueBytes?: number;
  /**
   * Of one event as a line of JSON. At least 10,000. Langfuse, for one, refuses more than 1,000,000.
   *
   * @default 900_000
   */
  readonly maxEventBytes?: number;
}

/** What `payload.truncated` says. Without the key, the event is whole. */
export interface Truncation {
  /** Values that were cut or left out. */
  readonly count: number;
  /** The largest of them, 10 at most: where they are in the payload, and their size before. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[];
}

const OptionsSchema = z.strictObject({
  maxValueBytes: z.int().min(100).default(100_000),
  maxEventBytes: z.int().min(10_000).default(900_000),
});

const MAX_RECORDED = 10;
const MAX_PATH_BYTES = 100;
/** Each entry has a path, a number and their keys. */
const RECORD_BYTES = 100 + MAX_RECORDED * (MAX_PATH_BYTES + 50);
/** The keys, quotes and numbers of an event around its payload. */
const ENVELOPE_BYTES = 120;
/** Of the type of an event, of its agent and of its pattern. */
const MAX_NAME_BYTES = 1_000;

/** What is kept of a payload that has too many keys: what pairs the event and says how it ended. */
const KEPT_KEYS: ReadonlySet<string> = new Set([...CONTEXT_KEYS, 'status']);
const MAX_KEPT_BYTES = 256;

/**
 * Cuts what is too large: each text over `maxValueBytes`, and of an event over `maxEventBytes` the largest
 * texts, all to one size. Where that is not enough (a million numbers), the largest values of the payload
 * are left out. Ids and statuses stay whole, and JSON stays JSON.
 *
 * `payload.truncated` says what was cut. An event with nothing to cut passes as it is.
 *
 * @throws {TraceError} `invalid_option`
 *
 * @example
 * ```ts
 * bus.attach(service, { processors: [redact(), truncate()] });
 * ```
 */
export function truncate(options: TruncateOptions = {}): Processor {
  const { maxValueBytes, maxEventBytes } = parseOptions(OptionsSchema, options, 'truncate');
  const maxPayloadBytes = maxEventBytes - RECORD_BYTES;

  const truncateEvent: Processor = (original) => {
    const payload = plainPayload(original.payload);
    const names = roughBytes(namesOf(original), MAX_NAME_BYTES);
    if (roughBytes(payload, maxValueBytes) + names + ENVELOPE_BYTES <= maxEventBytes)
      return original;

    const cuts: Cut[] = [];
    const event = withShortNames(original, cuts);
    const bytes = bytesOf(event, payload);
    const sizes = textSizes(payload);
    const isSmall = bytes <= maxEventBytes && sizes.every((size) => size <= maxValueBytes);
    if (isSmall && cuts.length === 0) return event;

    const textBytes = sizes.reduce((sum, size) => sum + size, 0);
    const limit = limitFor(sizes, maxPayloadBytes - (bytes - textBytes));
    let cut = cutTexts(payload, Math.min(maxValueBytes, limit), cuts) as TracePayload;
    const over = bytesOf(event, cut) - maxPayloadBytes;
    if (over > 0) cut = leaveOut(cut, over, cuts);
    return withPayload(event, { ...cut, truncated: record(cuts, payload['truncated']) });
  };
  return truncateEvent;
}

type Names = Pick<TraceEvent, 'event_type' | 'agent_name' | 'pattern_type'>;

function namesOf({ event_type, agent_name, pattern_type }: TraceEvent): Names {
  return { event_type, agent_name, pattern_type };
}

function withShortNames(event: TraceEvent, cuts: Cut[]): TraceEvent {
  const names = namesOf(event);
  const short = cutTexts(names, MAX_NAME_BYTES, cuts) as Names;
  return short === names ? event : createTraceEvent({ ...event, ...short });
}

/** Leaves out the largest values, until so many bytes are saved; in the end all that is not needed. */
function leaveOut(payload: TracePayload, over: number, cuts: Cut[]): TracePayload {
  const kept: Record<string, unknown> = {};
  for (const key of KEPT_KEYS) if (isKept(key, payload[key])) kept[key] = payload[key];
  const sized = Object.keys(payload)
    .filter((key) => !Object.hasOwn(kept, key))
    .map((key) => ({ key, bytes: utf8Bytes(JSON.stringify(payload[key]) ?? '') }))
    .toSorted((a, b) => b.bytes - a.bytes);

  const result: Record<string, unknown> = { ...payload };
  let saved = 0;
  for (const { key, bytes } of sized) {
    const note = `[Truncated: ${bytes} bytes]`;
    // what comes now is too small for a note to be shorter
    if (bytes <= note.length + 2) break;
    Object.defineProperty(result, key, { value: note });
    cuts.push({ path: key, bytes });
    saved += bytes - note.length - 2;
    if (saved >= over) return result;
  }
  cuts.splice(0, cuts.length, ...sized.map(({ key, bytes }) => ({ path: key, bytes })));
  return kept;
}

function isKept(key: string, value: unknown): boolean {
  return KEPT_KEYS.has(key) && typeof value === 'string' && writtenBytes(value) <= MAX_KEPT_BYTES;
}

/** Of these cuts, and of those that an earlier truncation of the event wrote down. */
function record(cuts: readonly Cut[], earlier: unknown): Truncation {
  const before: Truncation = isTruncation(earlier) ? earlier : { count: 0, largest: [] };
  const largest = [...before.largest, ...cuts]
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, MAX_RECORDED)
    .map(({ path, bytes }) => ({ path: startOf(path, MAX_PATH_BYTES), bytes }));
  return { count: before.count + cuts.length, largest };
}

function isTruncation(value: unknown): value is Truncation {
  if (!isObject(value)) return false;
  const { count, largest } = value;
  return (
    Array.isArray(largest) &&
    isCount(count) &&
    count >= largest.length &&
    largest.every(
      (cut) => isObject(cut) && typeof cut['path'] === 'string' && isCount(cut['bytes']),
    )
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function withPayload(event: TraceEvent, payload: TracePayload): TraceEvent {
  const { timestamp, event_type, agent_name, pattern_type } = event;
  return createTraceEvent({ timestamp, event_type, agent_name, pattern_type, payload });
}

function bytesOf(event: TraceEvent, payload: TracePayload): number {
  return utf8Bytes(encodeTraceEvent(withPayload(event, payload)));
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
