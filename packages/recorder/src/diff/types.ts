import type { Difference } from '../difference.ts';

/**
 * - `missing`, `extra`: an operation, with all that is inside it, that only the expected, only the actual
 *   run has.
 * - `order`: operations that follow each other in both runs, the other way round.
 * - The others say which part of an operation differs; `event` is one that happened inside it.
 */
export type DifferenceKind =
  | 'missing'
  | 'extra'
  | 'order'
  | 'prompt'
  | 'arguments'
  | 'model'
  | 'parameters'
  | 'answer'
  | 'result'
  | 'tokens'
  | 'cost'
  | 'status'
  | 'error'
  | 'event';

/** One thing in which the runs differ. Its `path` leads to a key of the operation's payload. */
export interface TraceDifference extends Difference {
  readonly what: DifferenceKind;
  /** The operation: `debate → bull → llm_call 2`. */
  readonly place: string;
}

/** How long an operation took in both runs, in milliseconds. */
export interface DurationPair {
  readonly place: string;
  readonly expected_ms: number;
  readonly actual_ms: number;
}

export interface RunTotals {
  readonly llm_calls: number;
  readonly tool_calls: number;
  /** Operations that failed, were cancelled or never ended. */
  readonly failed: number;
  /** The sums of the model calls. A count that no call gives is 0. */
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
  /** From the first start to the last end. */
  readonly duration_ms: number;
}

/** What two runs differ in, as data. */
export interface TraceDiff {
  /** Whether there are no differences. Times, durations and ids are none. */
  readonly equal: boolean;
  /** The difference that the run came to first; absent where there is none. */
  readonly first?: TraceDifference;
  /** In the order in which the expected run came to them, 1,000 at most. */
  readonly differences: readonly TraceDifference[];
  /** Differences beyond the first 1,000. */
  readonly more: number;
  /** Of operations that are in both runs, the largest change first, 1,000 at most. */
  readonly durations: readonly DurationPair[];
  readonly totals: { readonly expected: RunTotals; readonly actual: RunTotals };
  /** What could not be compared: half a line at the end of a file, events that belong to no operation. */
  readonly warnings: readonly string[];
}
