import { expect } from '@jest/globals';
import { traceMatchers } from './matchers/trace-matchers.ts';
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

expect.extend({ ...traceMatchers });
