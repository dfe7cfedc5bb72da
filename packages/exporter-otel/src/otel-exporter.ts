import { type Context, context, trace } from '@opentelemetry/api';
import {
  type ExporterStats,
  type FlushOptions,
  messageOf,
  type TraceEvent,
  type TraceExporter,
} from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import { SpanAssembler } from '@pyagent-trace/core/spans';
import type { Interceptor } from '@pyagent-trace/core/tracer';
import { forceFlush } from './force-flush.ts';
import { attempt, runIn } from './guard.ts';
import { CallMetrics } from './metrics.ts';
import { type OTelExporterOptions, OptionsSchema } from './options.ts';
import { SpanTree } from './span-tree.ts';
import { VERSION } from './version.ts';

const FLUSH_TIMEOUT_MS = 5_000;

/**
 * Makes OpenTelemetry spans of trace events, with the attributes of the GenAI conventions. They go where
 * the app's SDK sends its spans; without an SDK nowhere.
 *
 * Registers nothing, and leaves the app's TracerProvider running at `shutdown`.
 *
 * @example
 * ```ts
 * const exporter = new OTelExporter();
 * bus.attach(exporter);
 * const tracer = createTracer(bus, { interceptors: [exporter.interceptor] });
 * ```
 */
export class OTelExporter implements TraceExporter {
  readonly name = 'otel';
  readonly #assembler: SpanAssembler;
  readonly #tree: SpanTree;
  /** Those whose `forceFlush` is called. */
  readonly #providers: () => readonly object[];
  #accepted = 0;
  #dropped = 0;
  #delivered = 0;
  #failed = 0;
  #error: string | undefined;
  #flushError: string | undefined;
  #closed: Promise<void> | undefined;

  /** @throws {TraceError} `invalid_option` */
  constructor(options: OTelExporterOptions = {}) {
    const {
      tracerName,
      tracerVersion = VERSION,
      tracerProvider,
      idGenerator,
      captureContent,
      maxContentChars,
      parent,
      metrics: withMetrics,
      meterProvider,
    } = parseOptions(OptionsSchema, options, 'OTelExporter');
    const metrics = withMetrics
      ? new CallMetrics(tracerName, tracerVersion, meterProvider)
      : undefined;
    this.#providers = () => [
      tracerProvider ?? trace.getTracerProvider(),
      ...(metrics === undefined ? [] : [metrics.provider]),
    ];
    const tree = new SpanTree({
      making: {
        tracer: () => (tracerProvider ?? trace).getTracer(tracerName, tracerVersion),
        idGenerator,
        maxChars: captureContent ? maxContentChars : undefined,
        metrics,
      },
      parent,
      onDone: (events, error) => this.#count(events, error),
    });
    this.#tree = tree;
    this.#assembler = new SpanAssembler({
      onStart: (span) => tree.start(span),
      onEnd: (span, events) => tree.end(span, events),
    });
  }

  readonly exportEvent = (event: TraceEvent): void => {
    if (this.#closed !== undefined) {
      this.#dropped += 1;
      this.#error = 'an event came after shutdown';
      return;
    }
    this.#accepted += 1;
    this.#assembler.add(event);
  };

  /**
   * Around each model call, tool and routing decision of a tracer: makes the span active while it runs, so
   * that spans of HTTP and database instrumentations nest in it. Works detached.
   */
  readonly interceptor: Interceptor = ({ trace_id, span_id }, next) => {
    const inside = this.contextFor(trace_id, span_id);
    return inside === undefined ? next() : runIn(inside, next);
  };

  /** The active context with the OpenTelemetry span of an operation that is open. */
  contextFor(traceId: string, spanId: string): Context | undefined {
    const span = this.#tree.get(traceId, spanId)?.otel;
    return span && attempt(() => trace.setSpan(context.active(), span));
  }

  /**
   * Ends the spans of calls that wait for their cost, and has the provider send what it has. Operations
   * that run stay open. Never rejects.
   *
   * @param options `timeoutMs` is 5,000 by default
   */
  async flush({ timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {}): Promise<void> {
    this.#assembler.flush();
    await this.#forceFlush(timeoutMs);
  }

  /** Ends all spans, those that are open as incomplete, and flushes. The provider stays the app's. */
  shutdown({ timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {}): Promise<void> {
    if (this.#closed === undefined) {
      this.#assembler.shutdown();
      this.#closed = this.#forceFlush(timeoutMs);
    }
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /**
   * An event is delivered when the span that holds it was ended; what the SDK then loses it says itself.
   * One that belongs to no span, or came after its span had ended, is `failed`.
   */
  stats(): ExporterStats {
    const { late, unmatched } = this.#assembler.stats();
    const failed = this.#failed + late + unmatched;
    const homeless = `events that came after their span had ended: ${late}; without a span: ${unmatched}`;
    const error = this.#flushError ?? this.#error ?? (late + unmatched > 0 ? homeless : undefined);
    return {
      accepted: this.#accepted,
      dropped: this.#dropped,
      delivered: this.#delivered,
      failed,
      pending: this.#accepted - this.#delivered - failed,
      ...(error !== undefined && { error }),
    };
  }

  #count(events: number, error: unknown): void {
    if (error === undefined) {
      this.#delivered += events;
    } else {
      this.#failed += events;
      this.#error = messageOf(error);
    }
  }

  async #forceFlush(timeoutMs: number): Promise<void> {
    this.#flushError = await forceFlush(this.#providers, timeoutMs);
  }
}
