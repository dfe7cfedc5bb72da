export type { Difference } from './difference.ts';
export { type ReplayMissDetails, ReplayMissError } from './replay-miss-error.ts';
export type { ReplayMode } from './replay-mode.ts';
