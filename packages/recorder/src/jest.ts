import { expect } from '@jest/globals';
import { toMatchTrace } from './matchers/to-match-trace.ts';
import { toReplay } from './matchers/to-replay.ts';
import type { TraceMatchers } from './matchers/types.ts';

export type { ReplayedTrace } from './matchers/to-replay.ts';
export type { TraceMatchers } from './matchers/types.ts';

// for `import { expect } from '@jest/globals'`
declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T> extends TraceMatchers {}
}

// for the globals of @types/jest
declare global {
  namespace jest {
    interface Matchers<R, T> extends TraceMatchers {}
  }
}

expect.extend({ toMatchTrace, toReplay });
