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

/** By trace, then span: to join both ids into one key took a fifth of the time that a span takes. */
type Table<Value> = Map<string, Map<string, Value>>;

/** Ended spans are remembered in two generations of this size, as the assembler does. */
const GENERATION = 5_000;

/**
 * Keeps OpenTelemetry's tree in step with the assembled one. A span is created when it starts; one that
 * comes before its parent waits, and is created with its own start time once the parent starts, or once
 * it is known that none will. So each parent is a span that exists, and samplers see it.
 */
export class SpanTree {
  readonly #options: SpanTreeOptions;
  readonly #open: Table<OpenSpan> = new Map();
  /** Those that wait, by the parent they wait for. */
  readonly #waiting: Table<Set<OpenSpan>> = new Map();
  #recent: Table<SpanContext> = new Map();
  #older: Table<SpanContext> = new Map();
  #remembered = 0;

  constructor(options: SpanTreeOptions) {
    this.#options = options;
  }

  /** A span that was started and not handed on yet. */
  get(traceId: string, spanId: string): OpenSpan | undefined {
    return this.#open.get(traceId)?.get(spanId);
  }

  start(span: Span): void {
    const { trace_id, span_id, parent_span_id, remote_parent } = span;
    const parent = parent_span_id === undefined ? undefined : this.get(trace_id, parent_span_id);
    const known = parent === undefined ? this.#parentElsewhere(span) : undefined;
    const open = new OpenSpan(span, parent?.context ?? this.#contextOutside(known), parent);
    for (const child of this.#childrenInWait(span)) child.parent = open;
    put(this.#open, trace_id, span_id, open);
    const isThere = parent?.created === true || known !== undefined || remote_parent === true;
    if (parent_span_id === undefined || isThere) this.#create(open);
    else this.#wait(open, parent_span_id);
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
    if (open.created) this.#finish(open, events);
    // any other ends when its parent, which waits too, is created
    else if (open.parent === undefined) this.#create(open);
  }

  /** A parent in another process, or one that has ended. */
  #parentElsewhere({ trace_id, parent_span_id, traceparent }: Span): SpanContext | undefined {
    if (traceparent !== undefined) return remoteSpanContext(traceparent);
    return parent_span_id === undefined ? undefined : this.#recall(trace_id, parent_span_id);
  }

  #contextOutside(known: SpanContext | undefined): Context {
    const outside = this.#options.parent === 'active' ? context.active() : ROOT_CONTEXT;
    return known === undefined ? outside : trace.setSpanContext(outside, known);
  }

  #childrenInWait({ trace_id, span_id }: Span): Iterable<OpenSpan> {
    return this.#waiting.get(trace_id)?.get(span_id) ?? [];
  }

  #wait(open: OpenSpan, parentId: string): void {
    const { trace_id } = open.span;
    open.waitsFor = parentId;
    const others = this.#waiting.get(trace_id)?.get(parentId);
    if (others === undefined) put(this.#waiting, trace_id, parentId, new Set([open]));
    else others.add(open);
  }

  #stopWaiting(open: OpenSpan): void {
    const { waitsFor, span } = open;
    if (waitsFor === undefined) return;
    const others = this.#waiting.get(span.trace_id)?.get(waitsFor);
    if (others?.delete(open) === true && others.size === 0)
      remove(this.#waiting, span.trace_id, waitsFor);
  }

  /** Creates a span, then what waited for it; what of that is complete ends, children first. */
  #create(first: OpenSpan): void {
    const { making } = this.#options;
    this.#stopWaiting(first);
    first.create(first.base, making);
    const created = [first];
    // grows while it is read: each is followed by those that waited for it
    for (const open of created) {
      const { trace_id, span_id } = open.span;
      for (const child of this.#childrenInWait(open.span)) {
        child.create(open.context ?? child.base, making);
        created.push(child);
      }
      remove(this.#waiting, trace_id, span_id);
    }
    for (const open of created.toReversed())
      if (open.events !== undefined) this.#finish(open, open.events);
  }

  #finish(open: OpenSpan, events: number): void {
    const { trace_id, span_id } = open.span;
    open.finish(this.#options.making);
    remove(this.#open, trace_id, span_id);
    if (open.spanContext !== undefined) this.#remember(trace_id, span_id, open.spanContext);
    this.#options.onDone(events, open.error);
  }

  #recall(traceId: string, spanId: string): SpanContext | undefined {
    return this.#recent.get(traceId)?.get(spanId) ?? this.#older.get(traceId)?.get(spanId);
  }

  #remember(traceId: string, spanId: string, spanContext: SpanContext): void {
    if (this.#remembered === GENERATION) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#remembered = 0;
    }
    put(this.#recent, traceId, spanId, spanContext);
    this.#remembered += 1;
  }
}

function put<Value>(table: Table<Value>, traceId: string, spanId: string, value: Value): void {
  const spans = table.get(traceId);
  if (spans === undefined) table.set(traceId, new Map([[spanId, value]]));
  else spans.set(spanId, value);
}

function remove<Value>(table: Table<Value>, traceId: string, spanId: string): void {
  const spans = table.get(traceId);
  if (spans?.delete(spanId) === true && spans.size === 0) table.delete(traceId);
}
