export {
  type CassetteFetch,
  cassetteFetch,
  type CassetteStats,
} from './cassette/cassette-fetch.ts';
export type { UnusedResponse } from './cassette/cassette-file.ts';
export type { CassetteFetchOptions } from './cassette/options.ts';
export { type DiffOptions, diffTraces } from './diff-traces.ts';
export type {
  DifferenceKind,
  DurationPair,
  RunTotals,
  TraceDiff,
  TraceDifference,
} from './diff/types.ts';
export { formatDiff } from './format-diff.ts';
export { createReplayer, type CreateReplayerOptions, type Replay } from './create-replayer.ts';
export type { Difference } from './difference.ts';
export { readRecording, type RecordingReader } from './read-recording.ts';
export {
  type RecordEntry,
  RecordEntrySchema,
  type RecordEntryType,
  type RecordMessage,
  type RecordMessageInit,
} from './record-entry.ts';
export { type LlmCallRecord, Recorder } from './recorder.ts';
export type { RecorderOptions } from './options.ts';
export { type ReplayMissDetails, ReplayMissError } from './replay-miss-error.ts';
export type { ReplayMode } from './replay-mode.ts';
export type { ReplayTiming } from './replay/given-answer.ts';
export type { ReplaySource } from './replay/load.ts';
export type { ReplayStats, UnusedAnswer } from './replay/replayer.ts';
