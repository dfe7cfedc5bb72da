export {
  type AttachOptions,
  type BusStats,
  TraceEventBus,
  type TraceEventBusOptions,
} from './bus.ts';
export { toDelayMs } from './delay.ts';
export { encodeTraceEvent } from './encode.ts';
export { escapeControls } from './escape.ts';
export { messageOf, TraceError, type TraceErrorCode } from './errors.ts';
export {
  createTraceEvent,
  EVENT_TYPES,
  type EventType,
  type KnownEventType,
  type TraceEvent,
  type TraceEventInit,
  type TracePayload,
} from './event.ts';
export {
  type EventSink,
  type EventSource,
  type ExporterStats,
  type FlushOptions,
  type FlushReport,
  isTraceExporter,
  type TraceExporter,
} from './exporter.ts';
export type { DropReason, EventSchema, Processor } from './bus/gate.ts';
export { newSpanId, newTraceId } from './ids.ts';
export { toPlainData } from './plain.ts';
export type { ErrorHandler } from './bus/report.ts';
export type { Subscriber } from './bus/subscriptions.ts';
