import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TraceError } from '@pyagent-trace/core';

/** What vitest and jest give a matcher as `this`; the parts that are read. */
export interface MatcherContext {
  readonly isNot?: boolean;
  readonly testPath?: string | undefined;
  readonly snapshotState?: object;
}

/** What a matcher gives back to vitest and jest. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** What the runner would do with a snapshot: write every one, those that are missing, or none. */
export type UpdateMode = 'all' | 'new' | 'none';

/**
 * Vitest calls it `snapshotUpdateState`; jest, and vitest before version 4, keep it in a field that other
 * matchers of files read as well. A runner that says nothing writes nothing.
 */
export function updateModeOf({ snapshotState, isNot }: MatcherContext): UpdateMode {
  if (isNot === true) return 'none';
  const { snapshotUpdateState, _updateSnapshot } = (snapshotState ?? {}) as Record<string, unknown>;
  const mode = snapshotUpdateState ?? _updateSnapshot;
  return mode === 'all' || mode === 'new' ? mode : 'none';
}

/**
 * A path that is relative is so to the test file, wherever the runner was started.
 *
 * @throws {TraceError} `invalid_option`
 */
export function fileOf(file: unknown, { testPath }: MatcherContext, place: string): string {
  if (file instanceof URL && file.protocol === 'file:') return fileURLToPath(file);
  if (typeof file === 'string' && file !== '')
    return resolve(testPath === undefined ? '.' : dirname(testPath), file);
  throw new TraceError('invalid_option', `${place}: expected the path or file: URL of a trace`);
}
