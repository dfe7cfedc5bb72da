import {
  type Attributes,
  type Context,
  type Span as OTelSpan,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { Span } from '@pyagent-trace/core/spans';
import type { PyAgentIdGenerator, SpanIds } from './id-generator.ts';
import { toSpanId, toTraceId } from './ids.ts';
import { mapAnnotation } from './mapping/annotation.ts';
import { describeContent } from './mapping/content.ts';
import { endAttributes } from './mapping/end.ts';
import { type Failure, failureOf } from './mapping/failure.ts';
import { type SpanStart, startOf } from './mapping/start.ts';
import type { CallMetrics } from './metrics.ts';
import { hrTime } from './time.ts';
import { addTotals, type Totals, totalsOf } from './totals.ts';

/** How spans are made, the same for all of an exporter. */
export interface Making {
  readonly tracer: () => Tracer;
  readonly idGenerator: PyAgentIdGenerator | undefined;
  /** Of each text of content; `undefined` where content is not captured. */
  readonly maxChars: number | undefined;
  readonly metrics: CallMetrics | undefined;
}

/** One span on its way: assembled on one side, OpenTelemetry's on the other. */
export class OpenSpan {
  /** As it started; once it is complete, as it ended. */
  span: Span;
  /** What it hangs under if it has no parent of ours. */
  readonly base: Context;
  parent: OpenSpan | undefined;
  /** The key of the parent that it waits for. */
  waitsFor: string | undefined;
  /** What its children hang under; absent while it is not created. */
  context: Context | undefined;
  /** Of how many events it was made, once it is complete. */
  events: number | undefined;
  /** What OpenTelemetry threw. */
  error: unknown;
  #otel: OTelSpan | undefined;
  #start: SpanStart | undefined;
  /** What its children used. */
  readonly #used: Totals = { llm_calls: 0 };
  /** Why its newest child that failed did. */
  #childFailure: Failure | undefined;

  constructor(span: Span, base: Context) {
    this.span = span;
    this.base = base;
  }

  get otel(): OTelSpan | undefined {
    return this.#otel;
  }

  /** Should OpenTelemetry throw, its children hang under its parent. */
  create(parentContext: Context, { tracer, idGenerator }: Making): void {
    this.context = parentContext;
    try {
      const { span } = this;
      const start = startOf(span);
      const { name, kind, attributes } = start;
      const startTime = hrTime(span.start_time);
      const startSpan = (): OTelSpan =>
        tracer().startSpan(name, { kind, attributes, startTime }, parentContext);
      this.#otel =
        idGenerator === undefined ? startSpan() : idGenerator.withIds(idsOf(span), startSpan);
      this.#start = start;
      this.context = trace.setSpan(parentContext, this.#otel);
    } catch (error) {
      this.error = error;
    }
  }

  /** Says the rest and ends it. */
  finish({ maxChars, metrics }: Making): void {
    const { span, parent, context } = this;
    const otel = this.#otel;
    try {
      const failure = failureOf(span, this.#childFailure);
      const totals = totalsOf(span, this.#used);
      if (parent !== undefined) {
        addTotals(parent.#used, totals);
        parent.#childFailure = failure ?? parent.#childFailure;
      }
      if (span.kind === 'llm' && context !== undefined) metrics?.record(span, failure, context);
      if (otel?.isRecording() === true) {
        this.#describe(otel, failure, totals, maxChars);
        if (failure !== undefined)
          otel.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
      }
    } catch (error) {
      this.error ??= error;
    }
    try {
      otel?.end(hrTime(span.end_time ?? span.start_time));
    } catch (error) {
      this.error ??= error;
    }
  }

  #describe(
    otel: OTelSpan,
    failure: Failure | undefined,
    totals: Totals,
    maxChars: number | undefined,
  ): void {
    const { span } = this;
    const start = startOf(span);
    const attributes: Attributes = {};
    if (start.name !== this.#start?.name) otel.updateName(start.name);
    for (const [key, value] of Object.entries(start.attributes))
      if (value !== this.#start?.attributes[key]) attributes[key] = value;
    for (const annotation of span.annotations) {
      const { name, attributes: said, onSpan } = mapAnnotation(annotation, maxChars);
      if (onSpan) Object.assign(attributes, said);
      otel.addEvent(name, said, hrTime(annotation.timestamp));
    }
    if (maxChars !== undefined) describeContent(attributes, span, maxChars);
    otel.setAttributes(Object.assign(attributes, endAttributes(span, totals, failure)));
  }
}

/**
 * The ids of the events. A trace named by its pattern type has none of its own: it is every run of that
 * pattern, of every process, and gets a random one.
 */
function idsOf({ trace_id, span_id, pattern_type }: Span): SpanIds {
  return {
    traceId: trace_id === '' || trace_id === pattern_type ? undefined : toTraceId(trace_id),
    spanId: toSpanId(trace_id, span_id),
  };
}
