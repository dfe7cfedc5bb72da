import type { DiffOptions } from '../diff-traces.ts';
import type { MatcherContext, MatcherResult } from './context.ts';
import { toMatchTrace } from './to-match-trace.ts';
import { toReplay } from './to-replay.ts';

type Matcher = (
  this: MatcherContext,
  received: unknown,
  file: string | URL,
  options?: DiffOptions,
) => Promise<MatcherResult>;

/** What `expect.extend` takes, of vitest and of jest. */
export const traceMatchers: { readonly toReplay: Matcher; readonly toMatchTrace: Matcher } = {
  toReplay(received, file, options) {
    return toReplay(this, received, file, options);
  },
  toMatchTrace(received, file, options) {
    return toMatchTrace(this, received, file, options);
  },
};
