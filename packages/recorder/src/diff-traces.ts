import * as z from 'zod';
import { parseOptions } from '@pyagent-trace/core/schema';
import { compareTrees } from './diff/compare-trees.ts';
import { groupCalls } from './diff/group-calls.ts';
import { readRun, type Run } from './diff/read-run.ts';
import { buildRecordingTree } from './diff/recording-tree.ts';
import type { RunNode } from './diff/run-node.ts';
import { buildTree, type RunTree } from './diff/run-tree.ts';
import { totalsOf } from './diff/totals.ts';
import type { TraceDiff } from './diff/types.ts';
import type { ReplaySource } from './replay/load.ts';

export interface DiffOptions {
  /**
   * Keys of operations that are not compared, as they stand in the events: `messages_in.0.content`,
   * `cost_usd`, `arguments.*.date`; `*` is any key or index.
   */
  readonly ignore?: readonly string[] | undefined;
}

export const DiffOptionsSchema: z.ZodType<DiffOptions> = z.strictObject({
  ignore: z.array(z.string().min(1, 'expected a path')).readonly().optional(),
});

/**
 * Compares two runs: what they were asked and answered, which calls they made, tokens, cost, errors.
 *
 * Operations are aligned by pattern, agent and call: those that ask the same, then those of the same name.
 * The order counts of operations that follow each other in both runs; parallel ones have none. Times and
 * ids are no differences, nor is `metadata` or `tags`. Where one of the runs is a recording, calls are
 * compared by pattern type and agent name.
 *
 * @param expected the path of a trace or a recording, chunks of one, or its events or entries
 * @throws {TraceError} `invalid_option`; what `readTraceEvents` throws, with file and line; `run_too_large`
 *   for a run of more than 200,000 lines or 256 Mi characters
 *
 * @example
 * ```ts
 * const diff = await diffTraces('yesterday.jsonl', 'today.jsonl', { ignore: ['cost_usd'] });
 * if (!diff.equal) console.log(formatDiff(diff));
 * ```
 */
export async function diffTraces(
  expected: ReplaySource,
  actual: ReplaySource,
  options: DiffOptions = {},
): Promise<TraceDiff> {
  const { ignore = [] } = parseOptions(DiffOptionsSchema, options, 'diffTraces');
  return diffRuns(
    await readRun(expected, 'diffTraces: expected'),
    await readRun(actual, 'diffTraces: actual'),
    ignore,
  );
}

/** Runs that are read already. */
export function diffRuns(expected: Run, actual: Run, ignore: readonly string[]): TraceDiff {
  const trees = { expected: treeOf(expected), actual: treeOf(actual) };
  const byCalls = expected.entries.length > 0 || actual.entries.length > 0;
  const rootsOf = ({ roots }: RunTree): readonly RunNode[] => (byCalls ? groupCalls(roots) : roots);
  const { differences, more, durations } = compareTrees(
    rootsOf(trees.expected),
    rootsOf(trees.actual),
    ignore,
  );
  const [first] = differences;
  return {
    equal: first === undefined,
    ...(first !== undefined && { first }),
    differences,
    more,
    durations,
    totals: { expected: totalsOf(trees.expected.roots), actual: totalsOf(trees.actual.roots) },
    warnings: [
      ...warningsOf('expected', expected, trees.expected),
      ...warningsOf('actual', actual, trees.actual),
    ],
  };
}

function warningsOf(side: string, run: Run, tree: RunTree): string[] {
  return [...run.warnings, ...tree.warnings].map((warning) => `${side}: ${warning}`);
}

function treeOf({ events, entries }: Run): RunTree {
  return entries.length > 0 ? buildRecordingTree(entries) : buildTree(events);
}
