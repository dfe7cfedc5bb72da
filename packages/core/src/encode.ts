import { isCheckedEvent, isObject, problemOf, readable, type TraceEvent } from './event.ts';
import { isPlainData, toPlainData } from './plain.ts';

/** Written when nothing else can be, such as with an `Object.prototype.toJSON` that throws. */
const LAST_RESORT =
  '{"timestamp":0,"event_type":"error","agent_name":"","pattern_type":"","payload":{"message":"an event that cannot be written","source":"encodeTraceEvent"}}';

let delivering: TraceEvent | undefined;
let deliveredLine: string | undefined;

/** Keeps the line of one event while a bus delivers it, so that two exporters serialise it once. */
export function beginDelivery(event: TraceEvent): void {
  delivering = event;
  deliveredLine = undefined;
}

export function endDelivery(): void {
  if (delivering === undefined) return; // to look takes less time than to write, on every emit
  delivering = undefined;
  deliveredLine = undefined;
}

/** The event may have been changed since its line was made. */
export function forgetLine(): void {
  deliveredLine = undefined;
}

/**
 * One event as one line of JSON, without the line feed. Keys stand in the order of the wire.
 *
 * Never throws. What JSON cannot say is written as something readable (`toPlainData`); U+2028 and
 * U+2029 are escaped, since some readers end a line there.
 *
 * @example
 * ```ts
 * appendFileSync('run.jsonl', `${encodeTraceEvent(event)}\n`);
 * ```
 */
export function encodeTraceEvent(event: TraceEvent): string {
  if (event === delivering) return (deliveredLine ??= encode(event));
  return encode(event);
}

function encode(event: TraceEvent): string {
  const line = encodePlain(event) ?? encodeAnything(event);
  // it may have made anything of the event
  if ('toJSON' in Object.prototype && !isEvent(line)) return LAST_RESORT;
  return line.includes('\u2028') || line.includes('\u2029')
    ? line.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
    : line;
}

function isEvent(line: string): boolean {
  try {
    return problemOf(JSON.parse(line)) === undefined;
  } catch {
    return false;
  }
}

function encodePlain(event: TraceEvent): string | undefined {
  try {
    // a checked event has its keys in order already
    if (isCheckedEvent(event)) {
      if (isPlainData(event.payload)) return JSON.stringify(event);
    } else {
      const ordered = fiveKeys(event);
      if (isObject(ordered.payload) && isPlainData(ordered)) return JSON.stringify(ordered);
    }
  } catch {
    // a getter threw: the slow way writes what it can
  }
  return undefined;
}

function encodeAnything(event: TraceEvent): string {
  try {
    const plain = fiveKeys(toPlainData(readable(event)) as Values);
    // a Set, a Date, a revoked proxy: the wire wants an object
    if (!isObject(plain.payload)) plain.payload = { value: plain.payload };
    return JSON.stringify(plain);
  } catch {
    return LAST_RESORT;
  }
}

type Values = ReturnType<typeof readable>;

function fiveKeys({
  timestamp = null,
  event_type = null,
  agent_name = '',
  pattern_type = '',
  payload = {},
}: Values): Values {
  return { timestamp, event_type, agent_name, pattern_type, payload };
}
