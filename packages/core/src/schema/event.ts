import * as z from 'zod';
import { TraceError } from '../errors.ts';
import {
  createTraceEvent,
  isObject,
  MAX_UNIX_SECONDS,
  TRACE_EVENT_KEYS,
  type TraceEvent,
  type TracePayload,
} from '../event.ts';
import { kindOf, kindsOf } from './kinds.ts';
import { expected, PAYLOAD_SHAPES } from './payload-schemas.ts';

/** A part of zod's issue: where it is, and what is wrong. */
export interface Problem {
  readonly path: PropertyKey[];
  readonly message: string;
}

interface KnownKey {
  readonly schema: z.ZodType;
  /** The kinds of which the schema takes every value; found when the key is first met. */
  kinds: number | undefined;
}

// maps, so that an event type or a payload key called "constructor" is unknown like any other
export const KNOWN_KEYS: ReadonlyMap<string, ReadonlyMap<string, KnownKey>> = new Map(
  Object.entries(PAYLOAD_SHAPES).map(([type, shape]) => [
    type,
    new Map(
      Object.entries<z.ZodType>(shape).map(([key, schema]) => [key, { schema, kinds: undefined }]),
    ),
  ]),
);

const NONE: readonly Problem[] = [];

/**
 * What is wrong with a payload, by the payload schema of its event type. Runs zod on the keys that are
 * there, and only where the kind of the value does not settle it: a looseObject visits every key it
 * knows and copies the rest, which takes longer than JSON.parse.
 */
export function problemsOfPayload(eventType: string, payload: TracePayload): readonly Problem[] {
  const known = KNOWN_KEYS.get(eventType);
  if (known === undefined) return NONE;
  let problems: Problem[] | undefined;
  for (const key in payload) {
    const knownKey = known.get(key);
    if (knownKey === undefined) continue;
    const value = payload[key];
    const kinds = (knownKey.kinds ??= kindsOf(knownKey.schema));
    if ((kinds & kindOf(value)) !== 0) continue;
    const { error } = knownKey.schema.safeParse(value);
    if (error === undefined) continue;
    problems ??= [];
    for (const { path, message } of error.issues)
      problems.push({ path: ['payload', key, ...path], message });
  }
  return problems ?? NONE;
}

/** The five keys and their types. */
export const FIVE_KEYS: z.ZodType<TraceEvent> = z.object(
  {
    timestamp: z
      .number(expected('Unix seconds'))
      .nonnegative(expected('Unix seconds'))
      .max(MAX_UNIX_SECONDS, 'expected Unix seconds, got milliseconds')
      .describe('Unix seconds with a fraction; microseconds are exact.'),
    event_type: z
      .string(expected('a name'))
      .min(1, expected('a name'))
      .describe('Unknown names are legal.'),
    agent_name: z
      .string(expected('a string'))
      .default('')
      .describe('Empty when no agent is involved.'),
    pattern_type: z
      .string(expected('a string'))
      .default('')
      .describe('Empty when no pattern is involved.'),
    // not read here, so that a getter in it that throws does not cost the event
    payload: z
      .custom<TracePayload>(isObject, expected('an object'))
      .default({})
      .describe('By event type; unknown keys are legal.'),
  },
  expected('an object'),
);

/**
 * One trace event, as it comes from a file, a socket or code you do not trust.
 *
 * Exactly the five keys; those with a default may be missing. The known keys of a known event type's
 * payload have their base type or null; unknown keys and unknown event types survive. The output is
 * what `parseTraceEvent` returns.
 *
 * @example
 * ```ts
 * const bus = new TraceEventBus({ schema: TraceEventSchema });
 * ```
 */
export const TraceEventSchema: z.ZodType<TraceEvent> = z.unknown().transform((value, context) => {
  const { data, error } = FIVE_KEYS.safeParse(value);
  const problems: Problem[] = [...(error?.issues ?? []), ...unknownKeys(value)];
  if (data !== undefined) problems.push(...problemsOfPayload(data.event_type, data.payload));
  for (const { path, message } of problems) context.addIssue({ code: 'custom', path, message });
  return problems.length === 0 ? createTraceEvent(value as TraceEvent) : z.NEVER;
});

// by hand, since z.strictObject does not see a key called __proto__
function unknownKeys(value: unknown): Problem[] {
  return Object.keys(isObject(value) ? value : {})
    .filter((key) => !TRACE_EVENT_KEYS.has(key))
    .map((key) => ({ path: [key], message: 'unknown key; what is new goes into payload' }));
}

/**
 * Problems as one line. The timestamp's needs no place: only a timestamp is expected to be Unix
 * seconds.
 */
export function explain(problems: readonly Problem[]): string {
  return problems
    .map(({ path, message }) =>
      path.length === 0 || path[0] === 'timestamp' ? message : `${path.join('.')}: ${message}`,
    )
    .join('; ');
}

/**
 * The event that a value is, frozen and with its defaults filled in. Its payload is the value's own
 * object, not a copy.
 *
 * @throws {TraceError} `invalid_event`, naming each place that is wrong
 *
 * @example
 * ```ts
 * const event = parseTraceEvent(JSON.parse(body));
 * ```
 */
export function parseTraceEvent(value: unknown): TraceEvent {
  const { data, error } = TraceEventSchema.safeParse(value);
  if (error === undefined) return data;
  throw new TraceError('invalid_event', `trace event: ${explain(error.issues)}`, { cause: error });
}
