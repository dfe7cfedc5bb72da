import type { Attributes, SpanStatus, TracerProvider } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider as SdkTracerProvider,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';
import type { TraceEvent, TracePayload } from '@pyagent-trace/core';
import { OTelExporter, type OTelExporterOptions } from '../src/index.ts';

/** A finished span. Times are Unix seconds, exact to the microsecond. */
export interface ExportedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly start: string;
  readonly end: string;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly events: readonly [name: string, time: string, attributes: Attributes][];
}

export interface Destination {
  readonly tracerProvider: TracerProvider & { forceFlush(): Promise<void> };
  /** In the order in which they ended. */
  readonly spans: () => readonly ExportedSpan[];
  /** The only span of that name. */
  readonly span: (name: string) => ExportedSpan;
  /** Names of finished spans after those of their ancestors, in order of their start. */
  readonly tree: () => readonly string[];
}

/** A provider that keeps finished spans in memory. */
export function destination({
  spanProcessors = [],
  ...options
}: TracerProviderOptions = {}): Destination {
  const memory = new InMemorySpanExporter();
  const tracerProvider = new SdkTracerProvider({
    ...options,
    spanProcessors: [new SimpleSpanProcessor({ exporter: memory }), ...spanProcessors],
  });
  const spans = (): ExportedSpan[] => memory.getFinishedSpans().map(toExported);
  return {
    tracerProvider,
    spans,
    span: (name) => {
      const [found, ...more] = spans().filter((span) => span.name === name);
      if (found === undefined) throw new Error(`no span ${name}`);
      if (more.length > 0) throw new Error(`more than one span ${name}`);
      return found;
    },
    tree: () => treeOf(spans()),
  };
}

/** An exporter on a provider in memory. */
export function setUp(
  options: OTelExporterOptions = {},
  sdk: TracerProviderOptions = {},
): Destination & { readonly exporter: OTelExporter; readonly give: (...drafts: Draft[]) => void } {
  const { idGenerator } = options;
  const target = destination(idGenerator === undefined ? sdk : { idGenerator, ...sdk });
  const exporter = new OTelExporter({ tracerProvider: target.tracerProvider, ...options });
  return {
    ...target,
    exporter,
    give: (...drafts) => {
      for (const draft of drafts) exporter.exportEvent(event(...draft));
    },
  };
}

export type Draft = readonly [
  event_type: string,
  timestamp: number,
  payload?: TracePayload | undefined,
  names?: { readonly agent_name?: string; readonly pattern_type?: string } | undefined,
];

export function event(...[event_type, timestamp, payload = {}, names]: Draft): TraceEvent {
  return { timestamp, event_type, agent_name: '', pattern_type: '', ...names, payload };
}

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

/** Ids of a trace of the test's own: a digit each. */
export function ids(span: number, parent?: number, trace_id: string = TRACE_ID): TracePayload {
  return {
    trace_id,
    span_id: spanId(span),
    ...(parent !== undefined && { parent_span_id: spanId(parent) }),
  };
}

export function spanId(number: number): string {
  return number.toString(16).padStart(16, '0');
}

function toExported(span: ReadableSpan): ExportedSpan {
  const { traceId, spanId: id } = span.spanContext();
  return {
    name: span.name,
    kind: span.kind,
    traceId,
    spanId: id,
    parentId: span.parentSpanContext?.spanId,
    start: seconds(span.startTime),
    end: seconds(span.endTime),
    status: span.status,
    attributes: span.attributes,
    events: span.events.map(({ name, time, attributes = {} }) => [name, seconds(time), attributes]),
  };
}

function seconds([whole, nanos]: readonly [number, number]): string {
  return `${whole}.${String(nanos).padStart(9, '0')}`.replace(/\.?0+$/, '');
}

function treeOf(spans: readonly ExportedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.traceId + span.spanId, span]));
  const path = (span: ExportedSpan): string => {
    const parent = byId.get(span.traceId + (span.parentId ?? ''));
    return parent === undefined ? span.name : `${path(parent)} > ${span.name}`;
  };
  return spans.toSorted((a, b) => Number(a.start) - Number(b.start)).map(path);
}
