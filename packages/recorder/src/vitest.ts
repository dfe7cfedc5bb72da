import { expect } from 'vitest';
import { traceMatchers } from './matchers/trace-matchers.ts';
import type { TraceMatchers } from './matchers/types.ts';

export type { ReplayedTrace } from './matchers/to-replay.ts';
export type { TraceMatchers } from './matchers/types.ts';

declare global {
  namespace Chai {
    // what vitest's own interfaces extend in every version, where theirs differ in type parameters
    interface Assertion extends TraceMatchers {}
  }
}

expect.extend({ ...traceMatchers });
