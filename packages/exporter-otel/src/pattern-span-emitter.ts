import type { Attributes, Span, TracerProvider } from '@opentelemetry/api';
import type { TracePayload } from '@pyagent-trace/core';
import type { Compression, RoutingDecision } from '@pyagent-trace/core/tracer';
import { PyAgentAttributes } from './attributes.ts';
import { attempt } from './guard.ts';
import {
  type HelperSpanInit,
  parseHelperOptions,
  presentAttributes,
  runInHelperSpan,
  setError,
  setOk,
  type SpanHelperOptions,
  startHelperSpan,
} from './helper-span.ts';
import { mapAnnotation } from './mapping/annotation.ts';

type Callback<T> = (span: Span) => T;

/** What `setPatternResult` writes of a result. What is absent is not written; other keys neither. */
export interface PatternResult {
  readonly rounds?: number;
  /** 0 to 1. */
  readonly consensus?: number;
  /** @default false */
  readonly escalated?: boolean;
  readonly escalation_level?: number;
  /** Milliseconds. A span with a callback gets its own duration when it ends, which stands instead. */
  readonly duration_ms?: number;
  readonly token_estimate?: number;
  /** US dollars. */
  readonly cost_estimate?: number;
  readonly [key: string]: unknown;
}

/**
 * Makes spans for patterns and agents by hand, where there are no trace events to make them of.
 *
 * Without a callback a span is returned, and the caller ends it; it is not active. With a callback as
 * the last argument the span is active while the callback runs, so that spans of HTTP and database
 * instrumentations nest inside, and it ends once, with the status OK, or ERROR and the exception, and
 * with `pyagent.exec.duration_ms`. The callback may be asynchronous; of a generator each step runs in
 * the span, which ends with the last. What the callback returns or throws is what the app gets.
 *
 * Nothing that OpenTelemetry throws reaches the app.
 *
 * @example
 * ```ts
 * const emitter = new PatternSpanEmitter();
 * const result = await emitter.patternSpan('debate', async (span) => {
 *   const bull = await emitter.agentSpan('bull', () => ask('bull'));
 *   emitter.setPatternResult(span, { rounds: 1 });
 *   return bull;
 * });
 * ```
 */
export class PatternSpanEmitter {
  readonly #tracerProvider: TracerProvider | undefined;

  /** @throws {TraceError} `invalid_option` */
  constructor(options: SpanHelperOptions = {}) {
    this.#tracerProvider = parseHelperOptions(options, 'PatternSpanEmitter');
  }

  /** A span `pyagent.pattern.{patternType}`, a child of the active one. */
  patternSpan(patternType: string, attributes?: Attributes): Span;
  patternSpan<T>(patternType: string, callback: Callback<T>): T;
  patternSpan<T>(patternType: string, attributes: Attributes | undefined, callback: Callback<T>): T;
  patternSpan<T>(
    patternType: string,
    attributes?: Attributes | Callback<T>,
    callback?: Callback<T>,
  ): Span | T {
    return typeof attributes === 'function'
      ? this.#start({ kind: 'pattern', name: patternType }, attributes)
      : this.#start({ kind: 'pattern', name: patternType, attributes }, callback);
  }

  /** A span `pyagent.agent.{agentName}`, a child of `parent`, or else of the active one. */
  agentSpan(agentName: string, parent?: Span, attributes?: Attributes): Span;
  agentSpan<T>(agentName: string, callback: Callback<T>): T;
  agentSpan<T>(agentName: string, parent: Span | undefined, callback: Callback<T>): T;
  agentSpan<T>(
    agentName: string,
    parent: Span | undefined,
    attributes: Attributes | undefined,
    callback: Callback<T>,
  ): T;
  agentSpan<T>(
    agentName: string,
    parent?: Span | Callback<T>,
    attributes?: Attributes | Callback<T>,
    callback?: Callback<T>,
  ): Span | T {
    const init = { kind: 'agent', name: agentName } as const;
    if (typeof parent === 'function') return this.#start(init, parent);
    if (typeof attributes === 'function') return this.#start({ ...init, parent }, attributes);
    return this.#start({ ...init, parent, attributes }, callback);
  }

  /**
   * Writes what a pattern came to, and sets the status OK. Of a span whose callback is running the end
   * decides on the status: what is thrown later is an error all the same.
   */
  setPatternResult(span: Span, result: PatternResult = {}): void {
    attempt(() =>
      span.setAttributes(
        presentAttributes({
          [PyAgentAttributes.PATTERN_ROUNDS]: result.rounds,
          [PyAgentAttributes.PATTERN_CONSENSUS]: result.consensus,
          [PyAgentAttributes.PATTERN_ESCALATED]: result.escalated ?? false,
          [PyAgentAttributes.PATTERN_ESCALATION_LEVEL]: result.escalation_level,
          [PyAgentAttributes.EXEC_DURATION_MS]: result.duration_ms,
          [PyAgentAttributes.EXEC_TOKEN_ESTIMATE]: result.token_estimate,
          [PyAgentAttributes.COST_TOTAL_USD]: result.cost_estimate,
        }),
      ),
    );
    setOk(span);
  }

  /** Writes a routing decision: the attributes that the exporter makes of its event. */
  setRoutingInfo(span: Span, decision: RoutingDecision): void {
    annotate(span, 'routing_decision', decision);
  }

  /**
   * Writes how far a prompt was compressed. `savings_pct`, 0 to 1, is computed from the tokens where it
   * is absent.
   */
  setCompressionInfo(span: Span, compression: Compression): void {
    annotate(span, 'compression', compression);
  }

  /**
   * Sets the status ERROR and records the exception. Anything can be given: it was thrown. A span whose
   * callback goes on and returns stays an error. After `setPatternResult` on a span that the caller ends
   * the status stays OK, which OpenTelemetry takes as the last word.
   */
  setError(span: Span, error: unknown): void {
    setError(span, error);
  }

  #start<T>(
    init: Omit<HelperSpanInit, 'tracerProvider'>,
    callback: Callback<T> | undefined,
  ): Span | T {
    const whole = { ...init, tracerProvider: this.#tracerProvider };
    return callback === undefined ? startHelperSpan(whole) : runInHelperSpan(whole, callback);
  }
}

function annotate(span: Span, event_type: string, payload: TracePayload): void {
  attempt(() => {
    const annotation = { timestamp: 0, event_type, payload };
    span.setAttributes(mapAnnotation(annotation, undefined).attributes);
  });
}
