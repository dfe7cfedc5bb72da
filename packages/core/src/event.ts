import { nowSeconds } from './clock.ts';
import { messageOf } from './errors.ts';

/** The event types of the wire, in the order of `spec/README.md`: ten of the seed, then three of ours. */
export const EVENT_TYPES = [
  'pattern_start',
  'pattern_end',
  'agent_start',
  'agent_end',
  'llm_call',
  'llm_response',
  'routing_decision',
  'compression',
  'error',
  'cost_record',
  'tool_start',
  'tool_end',
  'trace_gap',
] as const;

/** A name that this version knows. */
export type KnownEventType = (typeof EVENT_TYPES)[number];

/** Known names complete in the editor; unknown ones are legal and pass through untouched. */
export type EventType = KnownEventType | (string & {});

/** Event-specific data. Keys are snake_case; `spec/README.md` lists the known ones. */
export type TracePayload = { readonly [key: string]: unknown };

/** One event, as data: exactly these five keys, which Python's `TraceEvent(**line)` takes. */
export interface TraceEvent {
  /** Unix seconds with a fraction; microseconds are exact. */
  readonly timestamp: number;
  readonly event_type: EventType;
  /** Empty when no agent is involved. */
  readonly agent_name: string;
  /** Empty when no pattern is involved. */
  readonly pattern_type: string;
  readonly payload: TracePayload;
}

/** What `createTraceEvent` fills in may be left out. */
export type TraceEventInit = Pick<TraceEvent, 'event_type'> & Partial<TraceEvent>;

/** No trace is from the year 5138: a larger number is milliseconds that nobody divided by 1000. */
export const MAX_UNIX_SECONDS = 1e11;

/**
 * A private field stamped on what this module made and checked: `#checked in event` costs less than
 * looking at five keys again on every `emit`, and less than a `WeakSet`.
 */
class Stamp extends (function (event: object): object {
  return event;
} as unknown as new (event: object) => object) {
  // oxlint-disable-next-line no-unused-private-class-members -- read by `in`, which the rule does not see
  #checked = true;

  static put(event: object): object {
    return new Stamp(event); // the event itself: a constructor may return another object
  }

  static isOn(value: object): boolean {
    return #checked in value;
  }
}

/**
 * Makes an event: frozen, with five keys, `timestamp` now and the others empty unless given.
 * The payload is taken as it is, neither copied nor frozen.
 *
 * Never throws: what is wrong with the values is reported by the bus that the event is emitted on.
 *
 * @example
 * ```ts
 * const event = createTraceEvent({ event_type: 'llm_call', payload: { model: 'gpt-4o' } });
 * ```
 */
export function createTraceEvent(init: TraceEventInit): TraceEvent {
  const event = complete(init);
  if (problemOfValues(event) === undefined) Stamp.put(event);
  return Object.freeze(event);
}

/**
 * The value itself as an event, frozen, if it has all five keys in the order in which they are written
 * and they are right. Nearly every line that is read is such a value, and needs no copy.
 */
export function adoptTraceEvent(value: unknown): TraceEvent | undefined {
  if (!isObject(value) || !isInOrder(value) || problemOfValues(value) !== undefined)
    return undefined;
  Stamp.put(value);
  return Object.freeze(value) as unknown as TraceEvent;
}

function complete(init: TraceEventInit): TraceEvent {
  try {
    return {
      timestamp: init.timestamp ?? nowSeconds(),
      event_type: init.event_type,
      agent_name: init.agent_name ?? '',
      pattern_type: init.pattern_type ?? '',
      payload: init.payload ?? {},
    };
  } catch {
    // null, or a getter that throws: a bus reports the marker where it is no legal value
    return complete(readable(init) as unknown as TraceEventInit);
  }
}

/** The five keys of anything, with a marker for a value that throws when it is read. Never throws. */
export function readable(event: unknown): Partial<Record<keyof TraceEvent, unknown>> {
  const values: Record<string, unknown> = {};
  for (const key of TRACE_EVENT_KEYS) {
    try {
      values[key] = (event as Record<string, unknown> | null | undefined)?.[key];
    } catch {
      values[key] = '[Getter threw]';
    }
  }
  return values;
}

/** Whether `createTraceEvent` made the value and found it right. */
export function isCheckedEvent(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Stamp.isOn(value);
}

/** The keys of an event, in the order in which they are written. */
export const TRACE_EVENT_KEYS: ReadonlySet<string> = new Set([
  'timestamp',
  'event_type',
  'agent_name',
  'pattern_type',
  'payload',
]);

const KEYS_IN_ORDER: readonly string[] = [...TRACE_EVENT_KEYS];

function isInOrder(value: object): boolean {
  let index = 0;
  for (const key in value) {
    if (key !== KEYS_IN_ORDER[index]) return false;
    index += 1;
  }
  return index === KEYS_IN_ORDER.length;
}

/**
 * What makes a value no trace event, with its place and value, or `undefined`. Says the same as
 * `TraceEventSchema` does of the five keys; keys that have a default may be missing.
 */
export function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return `expected an object, got ${describe(value)}`;
  try {
    const problem = problemOfValues(value);
    if (problem !== undefined) return problem;
    for (const key in value)
      if (!isTraceEventKey(key) && Object.hasOwn(value, key))
        return `${key}: unknown key; what is new goes into payload`;
    return undefined;
  } catch {
    return problemOfReading(value);
  }
}

// Takes a third of the time of TRACE_EVENT_KEYS.has(), five times for each event that is a literal.
function isTraceEventKey(key: string): key is keyof TraceEvent {
  switch (key) {
    case 'timestamp':
    case 'event_type':
    case 'agent_name':
    case 'pattern_type':
    case 'payload':
      return true;
    default:
      return false;
  }
}

function problemOfReading(value: Record<string, unknown>): string {
  for (const key of TRACE_EVENT_KEYS) {
    try {
      void value[key];
    } catch (error) {
      return `${key}: cannot be read, ${messageOf(error)}`;
    }
  }
  return 'expected an object, got one whose keys cannot be read';
}

function problemOfValues(
  value: Readonly<Partial<Record<keyof TraceEvent, unknown>>>,
): string | undefined {
  const { timestamp, event_type, agent_name, pattern_type, payload } = value;
  if (typeof timestamp !== 'number' || !(timestamp >= 0 && timestamp < Infinity))
    return `timestamp: expected Unix seconds, got ${describe(timestamp)}`;
  if (timestamp > MAX_UNIX_SECONDS)
    return `timestamp: expected Unix seconds, got milliseconds (${timestamp})`;
  if (typeof event_type !== 'string' || event_type === '')
    return `event_type: expected a name, got ${describe(event_type)}`;
  if (agent_name !== undefined && typeof agent_name !== 'string')
    return `agent_name: expected a string, got ${describe(agent_name)}`;
  if (pattern_type !== undefined && typeof pattern_type !== 'string')
    return `pattern_type: expected a string, got ${describe(pattern_type)}`;
  if (payload !== undefined && !isObject(payload))
    return `payload: expected an object, got ${describe(payload)}`;
  return undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isArray(value);
}

export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  return value === undefined ? 'nothing' : `a ${typeof value}`;
}

function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a revoked proxy
  }
}
