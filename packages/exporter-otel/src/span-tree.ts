import { type Context, context, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import type { Span } from '@pyagent-trace/core/spans';
import { remoteSpanContext } from './ids.ts';
import { type Making, OpenSpan } from './open-span.ts';

export interface SpanTreeOptions {
  readonly making: Making;
  readonly parent: 'active' | 'none';
  /** A span of so many events was ended, with an error if OpenTelemetry threw one. */
  readonly onDone: (events: number, error: unknown) => void;
}

/** Ended spans are remembered in two generations of this size, as the assembler does. */
const GENERATION = 5_000;

/**
 * Keeps OpenTelemetry's tree in step with the assembled one. A span is created when it starts; one that
 * comes before its parent waits, and is created with its own start time once the parent starts, or once
 * it is known that none will. So each parent is a span that exists, and samplers see it.
 */
export class SpanTree {
  readonly #options: SpanTreeOptions;
  readonly #open = new Map<string, OpenSpan>();
  /** Those that wait, by the parent they wait for. */
  readonly #waiting = new Map<string, Set<OpenSpan>>();
  #recent = new Map<string, SpanContext>();
  #older = new Map<string, SpanContext>();

  constructor(options: SpanTreeOptions) {
    this.#options = options;
  }

  /** A span that was started and not handed on yet. */
  get(traceId: string, spanId: string): OpenSpan | undefined {
    return this.#open.get(keyOf(traceId, spanId));
  }

  start(span: Span): void {
    const { trace_id, span_id, parent_span_id, traceparent } = span;
    const base = this.#options.parent === 'active' ? context.active() : ROOT_CONTEXT;
    const key = keyOf(trace_id, span_id);
    const open = new OpenSpan(span, base);
    for (const child of this.#waiting.get(key) ?? []) child.parent = open;
    const parentKey = parent_span_id === undefined ? undefined : keyOf(trace_id, parent_span_id);
    open.parent = parentKey === undefined ? undefined : this.#open.get(parentKey);
    this.#open.set(key, open);
    const ended = this.#recent.get(parentKey ?? '') ?? this.#older.get(parentKey ?? '');
    const known = traceparent === undefined ? ended : remoteSpanContext(traceparent);
    if (parentKey === undefined) this.#create(open, base);
    else if (open.parent?.context !== undefined) this.#create(open, open.parent.context);
    else if (open.parent === undefined && known !== undefined)
      this.#create(open, trace.setSpanContext(base, known));
    else this.#wait(open, parentKey);
  }

  end(span: Span, events: number): void {
    const open = this.get(span.trace_id, span.span_id);
    if (open === undefined) {
      this.#options.onDone(events, new Error('OpenTelemetry gave no context to start a span in'));
      return;
    }
    open.span = span;
    open.events = events;
    if (span.orphan) open.parent = undefined;
    if (open.context !== undefined) this.#finish(open, events);
    // any other ends when its parent, which waits too, is created
    else if (open.parent === undefined) this.#create(open, open.base);
  }

  #wait(open: OpenSpan, parentKey: string): void {
    open.waitsFor = parentKey;
    const others = this.#waiting.get(parentKey);
    if (others === undefined) this.#waiting.set(parentKey, new Set([open]));
    else others.add(open);
  }

  /** Creates a span, then what waited for it; what of that is complete ends, children first. */
  #create(first: OpenSpan, parentContext: Context): void {
    const { making } = this.#options;
    const others = this.#waiting.get(first.waitsFor ?? '');
    if (others?.delete(first) === true && others.size === 0)
      this.#waiting.delete(first.waitsFor ?? '');
    first.create(parentContext, making);
    const created = [first];
    // grows while it is read: each is followed by those that waited for it
    for (const { span, context: inside = parentContext } of created) {
      const key = keyOf(span.trace_id, span.span_id);
      for (const child of this.#waiting.get(key) ?? []) {
        child.create(inside, making);
        created.push(child);
      }
      this.#waiting.delete(key);
    }
    for (const open of created.toReversed())
      if (open.events !== undefined) this.#finish(open, open.events);
  }

  #finish(open: OpenSpan, events: number): void {
    const { trace_id, span_id } = open.span;
    const key = keyOf(trace_id, span_id);
    open.finish(this.#options.making);
    this.#open.delete(key);
    if (open.otel !== undefined) this.#remember(key, open.otel.spanContext());
    this.#options.onDone(events, open.error);
  }

  #remember(key: string, spanContext: SpanContext): void {
    if (this.#recent.size === GENERATION) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, spanContext);
  }
}

/** Ids are any strings: without the length two pairs could have one key. */
function keyOf(traceId: string, spanId: string): string {
  return `${traceId.length}:${traceId}${spanId}`;
}
