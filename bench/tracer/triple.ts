import type { Running } from '../harness/compare.ts';

export const QUESTION = 'Should we buy?';
export const ANSWER = 'Yes: earnings grew by 12 %.';
export const MESSAGES = [{ role: 'user', content: QUESTION }];
export const MESSAGES_JSON: string = JSON.stringify(MESSAGES);
export const FINISH_REASONS = ['stop'];
export const ANSWERED_MODEL = 'gpt-4o-2024-11-20';

/** A subject that runs triples; `seen` counts what its consumer heard, in triples. */
export function repeated(triple: () => unknown, seen: () => number): Running {
  return {
    async round(iterations) {
      const before = seen();
      for (let i = 0; i < iterations; i++) {
        const result = triple();
        if (result instanceof Promise) await result;
      }
      return seen() - before;
    },
  };
}
