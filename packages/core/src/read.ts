export { type LinePlace, TraceReadError, type TraceReadErrorReason } from './read/error.ts';
export type { ReadStats } from './read/line-reader.ts';
export {
  type ReadOptions,
  readTraceEvents,
  type TraceEventReader,
} from './read/read-trace-events.ts';
export type { TraceSource } from './read/source.ts';
