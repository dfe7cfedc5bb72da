export { type LinePlace, TraceReadError, type TraceReadErrorReason } from './read/error.ts';
export { type JsonlFormat, TRACE_EVENT_FORMAT } from './read/format.ts';
export type { ReadStats } from './read/line-reader.ts';
export { type JsonlReader, readJsonl, type ReadOptions } from './read/read-jsonl.ts';
export { readTraceEvents, type TraceEventReader } from './read/read-trace-events.ts';
export type { TraceSource } from './read/source.ts';
