import {
  type Attributes,
  type Context,
  isSpanContextValid,
  type Span as OTelSpan,
  type SpanContext,
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
import { startOf, startsOtherwise } from './mapping/start.ts';
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
  /** What it starts in, unless a parent that it waits for comes first. */
  readonly base: Context;
  parent: OpenSpan | undefined;
  /** The id of the parent that it waits for. */
  waitsFor: string | undefined;
  /** Of how many events it was made, once it is complete. */
  events: number | undefined;
  /** What OpenTelemetry threw. */
  error: unknown;
  /** Once it is created, unless OpenTelemetry threw. */
  spanContext: SpanContext | undefined;
  #otel: OTelSpan | undefined;
  /** As it was created. */
  #created: Span | undefined;
  #parentContext: Context | undefined;
  #context: Context | undefined;
  /** What its children used. */
  readonly #used: Totals = { llm_calls: 0 };
  /** Why its newest child that failed did. */
  #childFailure: Failure | undefined;

  constructor(span: Span, base: Context, parent: OpenSpan | undefined) {
    this.span = span;
    this.base = base;
    this.parent = parent;
  }

  get otel(): OTelSpan | undefined {
    return this.#otel;
  }

  /**
   * What its children hang under; absent while it is not created. Its parent's, should OpenTelemetry have
   * thrown.
   */
  get context(): Context | undefined {
    if (this.#otel === undefined || this.#parentContext === undefined) return this.#parentContext;
    // only when asked for: most spans are leaves
    return (this.#context ??= trace.setSpan(this.#parentContext, this.#otel));
  }

  create(parentContext: Context, { tracer, idGenerator }: Making): void {
    this.#parentContext = parentContext;
    try {
      const { span } = this;
      const { name, kind, attributes } = startOf(span);
      const options = { kind, attributes, startTime: hrTime(span.start_time) };
      this.#otel =
        idGenerator === undefined
          ? tracer().startSpan(name, options, parentContext)
          : idGenerator.withIds(idsOf(span, parentContext), () =>
              tracer().startSpan(name, options, parentContext),
            );
      this.#created = span;
      this.spanContext = this.#otel.spanContext();
    } catch (error) {
      this.error = error;
    }
  }

  get created(): boolean {
    return this.#parentContext !== undefined;
  }

  /** Says the rest and ends it. */
  finish({ maxChars, metrics }: Making): void {
    const { span, parent } = this;
    const otel = this.#otel;
    try {
      const failure = failureOf(span, this.#childFailure);
      const totals = totalsOf(span, this.#used);
      if (parent !== undefined) {
        addTotals(parent.#used, totals);
        parent.#childFailure = failure ?? parent.#childFailure;
      }
      if (metrics !== undefined && span.kind === 'llm')
        metrics.record(span, failure, this.context ?? this.base);
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
    const attributes: Attributes = {};
    if (this.#created === undefined || startsOtherwise(this.#created, span)) {
      const start = startOf(span);
      otel.updateName(start.name);
      Object.assign(attributes, start.attributes);
    }
    for (const annotation of span.annotations) {
      const { name, attributes: said, onSpan } = mapAnnotation(annotation, maxChars);
      if (onSpan) Object.assign(attributes, said);
      otel.addEvent(name, said, hrTime(annotation.timestamp));
    }
    if (maxChars !== undefined) describeContent(attributes, span, maxChars);
    const capturesContent = maxChars !== undefined;
    const end = endAttributes(span, totals, failure, capturesContent);
    otel.setAttributes(Object.assign(attributes, end));
  }
}

/**
 * The ids of the events; a child is in its parent's trace. A trace named by its pattern type has no id of its
 * own: it is every run of that pattern, of every process, and gets a random one.
 */
function idsOf({ trace_id, span_id, pattern_type }: Span, parentContext: Context): SpanIds {
  const parent = trace.getSpanContext(parentContext);
  const isChild = parent !== undefined && isSpanContextValid(parent);
  const isNameless = trace_id === '' || trace_id === pattern_type;
  return {
    traceId: isChild || isNameless ? undefined : toTraceId(trace_id),
    spanId: toSpanId(trace_id, span_id),
  };
}
