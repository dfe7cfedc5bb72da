export type { Difference } from './difference.ts';
export { type ReplayMissDetails, ReplayMissError } from './replay-miss-error.ts';
export {
  type CassetteFetch,
  cassetteFetch,
  type CassetteStats,
} from './cassette/cassette-fetch.ts';
export type { UnusedAnswer } from './cassette/cassette-file.ts';
export type { CassetteFetchOptions } from './cassette/options.ts';
export type { ReplayMode } from './replay-mode.ts';
export { readRecording, type RecordingReader } from './read-recording.ts';
export {
  type RecordEntry,
  RecordEntrySchema,
  type RecordEntryType,
  type RecordMessage,
  type RecordMessageInit,
} from './record-entry.ts';
