import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  type Span,
  type SpanStatus,
  SpanStatusCode,
  trace,
  type TracerProvider,
} from '@opentelemetry/api';
import { messageOf } from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import { PyAgentAttributes } from './attributes.ts';
import { cut, MAX_CHARS } from './content.ts';
import { follow, type Follower } from './follow-result.ts';
import { attempt, runIn } from './guard.ts';
import { put } from './mapping/values.ts';
import { OptionsSchema } from './options.ts';
import { VERSION } from './version.ts';

export interface SpanHelperOptions {
  /**
   * Where spans are made.
   *
   * @default the provider that is registered globally when a span starts
   */
  readonly tracerProvider?: TracerProvider;
}

const HelperOptionsSchema = OptionsSchema.pick({ tracerProvider: true });

/** @throws {TraceError} `invalid_option` */
export function parseHelperOptions(
  options: SpanHelperOptions,
  place: string,
): TracerProvider | undefined {
  return parseOptions(HelperOptionsSchema, options, place).tracerProvider;
}

/** A span to be: `pyagent.pattern.debate`. */
export interface HelperSpanInit {
  readonly kind: 'pattern' | 'agent';
  /** The pattern's type or the agent's name. */
  readonly name: string;
  readonly attributes?: Attributes | undefined;
  /** Without it, the span that is active. */
  readonly parent?: Span | undefined;
  readonly tracerProvider: TracerProvider | undefined;
}

/** Starts a span that the caller ends. Where OpenTelemetry throws, one that records nothing. */
export function startHelperSpan(init: HelperSpanInit): Span {
  return start(init).span;
}

/**
 * Runs code with a new span active, and ends the span when the code is done.
 *
 * @param attributesOf reads more attributes from the result
 */
export function runInHelperSpan<T>(
  init: HelperSpanInit,
  code: (span: Span) => T,
  attributesOf?: (result: unknown) => Attributes,
): T {
  return new HelperSpan(start(init), attributesOf).run(code);
}

interface Started {
  readonly span: Span;
  /** With the span active. */
  readonly inside: Context;
}

const NAME_KEY = {
  pattern: PyAgentAttributes.PATTERN_TYPE,
  agent: PyAgentAttributes.AGENT_NAME,
} as const;

function start({ kind, name, attributes, parent, tracerProvider }: HelperSpanInit): Started {
  const active = attempt(() => context.active()) ?? ROOT_CONTEXT;
  const around = parent === undefined ? active : trace.setSpan(active, parent);
  const span =
    attempt(() =>
      // asked for each time: the app may register its provider after this module is loaded
      (tracerProvider ?? trace)
        .getTracer('@pyagent-trace/exporter-otel', VERSION)
        .startSpan(
          `pyagent.${kind}.${name}`,
          { attributes: { [NAME_KEY[kind]]: name, ...attributes } },
          around,
        ),
    ) ?? trace.wrapSpanContext(trace.getSpanContext(around) ?? INVALID_SPAN_CONTEXT);
  return { span, inside: trace.setSpan(around, span) };
}

/** Spans whose callback is running: their end decides on the status. */
const running = new WeakSet<Span>();

class HelperSpan implements Follower {
  readonly #span: Span;
  readonly #inside: Context;
  readonly #attributesOf: ((result: unknown) => Attributes) | undefined;
  readonly #startedMs = performance.now();

  constructor({ span, inside }: Started, attributesOf?: (result: unknown) => Attributes) {
    this.#span = span;
    this.#inside = inside;
    this.#attributesOf = attributesOf;
  }

  run<T>(code: (span: Span) => T): T {
    running.add(this.#span);
    let result: T;
    try {
      result = this.inside(() => code(this.#span));
    } catch (error) {
      this.fail(error);
      throw error;
    }
    return follow(result, this);
  }

  inside<T>(code: () => T): T {
    return runIn(this.#inside, code);
  }

  succeed(result: unknown): void {
    attempt(() => {
      const more = this.#attributesOf?.(result);
      if (more !== undefined) this.#span.setAttributes(more);
    });
    this.#end(() => {
      // the SDK's spans show their status: an error that the app handled and recorded stays one
      const { status } = this.#span as Partial<{ readonly status: SpanStatus }>;
      if (status?.code !== SpanStatusCode.ERROR) setOk(this.#span);
    });
  }

  fail(error: unknown): void {
    this.#end(() => setError(this.#span, error));
  }

  abandon(): void {
    attempt(() => this.#span.end());
  }

  #end(setStatus: () => void): void {
    running.delete(this.#span);
    // the app may have ended it itself
    if (attempt(() => this.#span.isRecording()) === false) return;
    const durationMs = Math.round((performance.now() - this.#startedMs) * 1000) / 1000;
    attempt(() => this.#span.setAttribute(PyAgentAttributes.EXEC_DURATION_MS, durationMs));
    setStatus();
    attempt(() => this.#span.end());
  }
}

/** Says that all went well; of a running span its end will say so. */
export function setOk(span: Span): void {
  if (!running.has(span)) attempt(() => span.setStatus({ code: SpanStatusCode.OK }));
}

/** Says that it failed, and records what was thrown. */
export function setError(span: Span, error: unknown): void {
  const message = cut(messageOf(error), MAX_CHARS);
  attempt(() => span.setStatus({ code: SpanStatusCode.ERROR, message }));
  attempt(() => {
    // an error of another realm is none to instanceof
    const isError = typeof (error as Error | null | undefined)?.message === 'string';
    span.recordException(isError ? (error as Error) : { name: typeof error, message });
  });
}

/** Attributes of what is known: `undefined`, null and NaN are not. */
export function presentAttributes(values: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(values)) put(attributes, key, value);
  return attributes;
}
