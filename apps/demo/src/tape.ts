// A run on tape: recorded as it happens, or answered from what was recorded.
import type { Interceptor } from '@pyagent-trace/core/tracer';
import { createReplayer } from '@pyagent-trace/recorder';
import type { Flags } from './flags.ts';
import { shown, typed } from './trace-file.ts';

export interface Tape {
  /** For the tracer: they answer a call, or write down how it ended. */
  readonly interceptors: readonly Interceptor[];
  /** Closes the file, and says what became of each call. */
  readonly end: () => Promise<string | undefined>;
}

/** @throws {TraceError} when the file cannot be read, holds something else, or is not to be written over */
export async function openTape({ record, replay }: Flags): Promise<Tape> {
  const path = typed(record ?? replay ?? '');
  if (record === undefined && replay === undefined)
    return { interceptors: [], end: async () => undefined };
  const replayer = await createReplayer(path, {
    mode: record === undefined ? 'replay' : 'record',
    onUnused: () => {}, // the account says how many
  });
  return {
    interceptors: [replayer],
    async end() {
      await replayer.close();
      const { replayed, missed, recorded, failed, unused } = replayer.stats();
      return record === undefined
        ? `Replayed from ${shown(path)}\n  ${replayed} answered, ${missed} missed, ${unused} not asked for`
        : `Recorded in ${shown(path)}\n  ${recorded} calls, ${failed} lost`;
    },
  };
}
