import { type TraceEvent, TraceError } from '@pyagent-trace/core';
import {
  type JsonlFormat,
  readJsonl,
  TRACE_EVENT_FORMAT,
  TraceReadError,
  type TraceSource,
} from '@pyagent-trace/core/read';
import { RECORD_ENTRY_FORMAT, type RecordEntry } from '../record-entry.ts';

/**
 * A run: the path or the chunks of a file, which is a trace or a recording; or its events or entries.
 * Where a file holds several runs, they are compared as one.
 */
export type RunSource = TraceSource | readonly TraceEvent[] | readonly RecordEntry[];

export interface Run {
  readonly events: readonly TraceEvent[];
  readonly entries: readonly RecordEntry[];
  readonly warnings: readonly string[];
}

/** Two runs are held in memory, to be aligned. */
const BOUNDS = { lines: 200_000, characters: 256 * 1024 * 1024 };

type Item = TraceEvent | RecordEntry;

/** Either may stand in a line; what it has tells them apart. */
const EITHER: { readonly event: JsonlFormat<Item>; readonly entry: JsonlFormat<Item> } = {
  event: TRACE_EVENT_FORMAT,
  entry: RECORD_ENTRY_FORMAT,
};

/**
 * @param place whose run it is, for messages: `diffTraces: expected`
 * @throws {TraceError} what `readTraceEvents` throws, with file and line; `invalid_line` for a file of both
 *   formats; `run_too_large` over 200,000 lines or 256 Mi characters
 */
export async function readRun(source: RunSource, place: string, bounds = BOUNDS): Promise<Run> {
  const events: TraceEvent[] = [];
  const entries: RecordEntry[] = [];
  const warnings: string[] = [];
  let characters = 0;
  const add = (item: Item, where: () => string): void => {
    if (isEntry(item)) entries.push(item);
    else events.push(item);
    if (entries.length > 0 && events.length > 0)
      throw new TraceError('invalid_line', `${where()}: a trace and a recording in one run`);
    if (entries.length + events.length > bounds.lines || characters > bounds.characters)
      throw new TraceError(
        'run_too_large',
        `${where()}: more than ${bounds.lines} lines or ${bounds.characters} characters cannot be compared`,
      );
  };

  if (isItems(source)) {
    let index = 0;
    for (const value of source) {
      const where = `${place}[${index}]`;
      add(check(value, where), () => where);
      index += 1;
    }
  } else {
    const reader = readJsonl(source, formatOf, { onError }, place);
    const where = (): string => `${reader.place().source}:${reader.place().line}`;
    for await (const item of reader) {
      characters += charactersOf(item);
      add(item, where);
    }
  }
  return { events, entries, warnings };

  function onError(error: TraceReadError): void {
    // what a kill and another version leave behind
    if (error.reason !== 'torn' && error.reason !== 'unknown_key') throw error;
    warnings.push(error.message);
  }
}

function formatOf(value: unknown): JsonlFormat<Item> {
  return isEntry(value) ? EITHER.entry : EITHER.event;
}

function isEntry(value: unknown): value is RecordEntry {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(value, 'messages_in') &&
    !Object.hasOwn(value, 'payload')
  );
}

function check(value: unknown, where: string): Item {
  const { data, error } = formatOf(value).schema.safeParse(value);
  if (error === undefined) return data;
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  throw new TraceError(
    'invalid_event',
    `${where}: ${path === '' ? '' : `${path}: `}${issue?.message ?? 'no event'}`,
    { cause: error },
  );
}

/** A list is one of events, unless it holds chunks of a file. */
function isItems(source: RunSource): source is readonly TraceEvent[] | readonly RecordEntry[] {
  if (!Array.isArray(source)) return false;
  const [first] = source as unknown[];
  return typeof first !== 'string' && !ArrayBuffer.isView(first);
}

/** Of all texts and keys. Lines are no deeper than 200 levels, and payloads than 128. */
function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let characters = 16;
  for (const key of Object.keys(value))
    characters += key.length + charactersOf((value as Record<string, unknown>)[key]);
  return characters;
}
