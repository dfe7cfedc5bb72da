import type { DiffOptions } from '../diff-traces.ts';

/** What `expect` can do more, in vitest and in jest. */
export interface TraceMatchers {
  /**
   * Runs the function with a tracer that answers from the file, and fails where it asks for something else,
   * leaves an answer unused, throws, or leaves another trace. Costs are not compared.
   *
   * The runner's update flag records a run anew that fails, as does a file that is missing outside of CI.
   *
   * @param file relative to the test file
   *
   * @example
   * ```ts
   * await expect(({ tracer }: ReplayedTrace) => debate(tracer)).toReplay('debate.jsonl');
   * ```
   */
  toReplay(file: string | URL, options?: DiffOptions): Promise<void>;
  /**
   * Compares a run with a file as `diffTraces` does: a list of events or entries, a path, or a recorder. The
   * runner's update flag writes a file that differs, as does a file that is missing outside of CI.
   *
   * @param file relative to the test file
   *
   * @example
   * ```ts
   * await expect(recorder).toMatchTrace('debate.jsonl', { ignore: ['cost_usd'] });
   * ```
   */
  toMatchTrace(file: string | URL, options?: DiffOptions): Promise<void>;
}
