import { type TraceEvent, TraceError } from '@pyagent-trace/core';
import type { TraceReadError } from '@pyagent-trace/core/read';
import type { RecordEntry } from '../record-entry.ts';
import { openRun, type ReplaySource } from '../replay/load.ts';

/** Of one of both formats. Where a file holds several runs, they are compared as one. */
export interface Run {
  readonly events: readonly TraceEvent[];
  readonly entries: readonly RecordEntry[];
  /** What was left out, with file and line. */
  readonly warnings: readonly string[];
}

/** Two runs are held in memory, to be aligned. */
const BOUNDS = { lines: 200_000, characters: 256 * 1024 * 1024 };

/**
 * @param place whose run it is, for messages: `diffTraces: expected`
 * @throws {TraceError} what `readTraceEvents` throws, with file and line; `invalid_line` for a file of both
 *   formats; `run_too_large` over 200,000 lines or 256 Mi characters
 */
export async function readRun(source: ReplaySource, place: string, bounds = BOUNDS): Promise<Run> {
  const events: TraceEvent[] = [];
  const entries: RecordEntry[] = [];
  const warnings: string[] = [];
  let characters = 0;
  const onError = (error: TraceReadError): void => {
    // what a kill and another version leave behind
    if (!/^(?:torn|half)$/.test(error.reason) && error.reason !== 'unknown_key') throw error;
    warnings.push(error.message);
  };
  const reader = openRun(source, { onError }, place);
  const fail = (code: string, problem: string): never => {
    const { source: name, line } = reader.place();
    throw new TraceError(code, `${name}:${line}: ${problem}`);
  };
  for await (const item of reader) {
    if ('payload' in item) events.push(item);
    else entries.push(item);
    if (entries.length > 0 && events.length > 0)
      fail('invalid_line', 'a trace and a recording in one run');
    characters += charactersOf(item);
    if (entries.length + events.length > bounds.lines || characters > bounds.characters)
      fail(
        'run_too_large',
        `more than ${bounds.lines} lines or ${bounds.characters} characters cannot be compared`,
      );
  }
  return { events, entries, warnings };
}

/** Of all texts and keys. Lines are no deeper than 200 levels. */
function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let characters = 16;
  for (const key of Object.keys(value))
    characters += key.length + charactersOf((value as Record<string, unknown>)[key]);
  return characters;
}
