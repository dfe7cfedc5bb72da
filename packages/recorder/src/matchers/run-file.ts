import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { encodeTraceEvent, escapeControls } from '@pyagent-trace/core';
import type { Run } from '../diff/read-run.ts';
import { encodeEntry } from '../entry-of.ts';
import { saveLines } from '../save-lines.ts';
import type { MatcherResult, UpdateMode } from './context.ts';

export interface RunFile {
  readonly path: string;
  readonly exists: boolean;
  /** For messages: as seen from where the runner was started. */
  readonly name: string;
}

export function runFile(path: string): RunFile {
  return { path, exists: existsSync(path), name: escapeControls(relative('.', path) || path) };
}

export function saveRun({ path }: RunFile, { events, entries }: Run): Promise<void> {
  return saveLines(path, [...events.map(encodeTraceEvent), ...entries.map(encodeEntry)]);
}

/** Whether a file that is missing, or differs, is to be written. */
export function isWritten({ exists }: RunFile, mode: UpdateMode): boolean {
  return mode === 'all' || (mode === 'new' && !exists);
}

export function missing(place: string, { name }: RunFile, isNot: boolean): MatcherResult {
  return {
    // the opposite of what was expected, whatever that was
    pass: isNot,
    message: () =>
      isNot
        ? `${place}: ${name} does not exist, and with .not nothing is written.`
        : `${place}: ${name} does not exist, and this run of the tests writes no files. Run them once outside of CI, or with -u.`,
  };
}
