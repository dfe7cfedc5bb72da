import { parseOptions } from '@pyagent-trace/core/schema';
import { type DiffOptions, DiffOptionsSchema, diffRuns } from '../diff-traces.ts';
import { readRun } from '../diff/read-run.ts';
import { formatDiff } from '../format-diff.ts';
import type { ReplaySource } from '../replay/load.ts';
import { fileOf, type MatcherContext, type MatcherResult, updateModeOf } from './context.ts';
import { isWritten, missing, runFile, saveRun } from './run-file.ts';

const PLACE = 'toMatchTrace';

/** `expect(run).toMatchTrace(file, { ignore })`, of a run or a recorder that recorded one. */
export async function toMatchTrace(
  context: MatcherContext,
  received: unknown,
  file: string | URL,
  options: DiffOptions = {},
): Promise<MatcherResult> {
  const { ignore = [] } = parseOptions(DiffOptionsSchema, options, PLACE);
  const target = runFile(fileOf(file, context, PLACE));
  const mode = updateModeOf(context);
  const actual = await readRun(sourceOf(received), `${PLACE}: received`);
  if (!target.exists && !isWritten(target, mode))
    return missing(PLACE, target, context.isNot === true);
  const diff = target.exists
    ? diffRuns(await readRun(target.path, PLACE), actual, ignore)
    : undefined;
  if (diff?.equal !== true && isWritten(target, mode)) {
    await saveRun(target, actual);
    return { pass: true, message: () => `${PLACE}: ${target.name} was written` };
  }
  const pass = diff?.equal === true;
  return {
    pass,
    message: () =>
      pass || diff === undefined
        ? `${PLACE}: expected a run that differs from ${target.name}`
        : `${PLACE}: the run differs from ${target.name}\n\n${formatDiff(diff)}\n\nIf that is meant, run the tests with -u.`,
  };
}

function sourceOf(received: unknown): ReplaySource {
  const { entries } = (received ?? {}) as { entries?: unknown };
  // an array has a method of that name
  return Array.isArray(entries) ? entries : (received as ReplaySource);
}
