import type { SpanContext, SpanRecord } from './record.ts';

/** Spans of one trace, in order of their start. */
interface Trace<Value> {
  readonly spans: Map<string, Value>;
  /** How many of them name a parent that nobody saw yet. */
  waiting: number;
}

type Traces<Value> = Map<string, Trace<Value>>;

/** Ids of handed-on spans are kept in two generations of this size; the older one is let go whole. */
const GENERATION = 5_000;

/**
 * The spans that are open or wait for their cost, and the ids of those handed on lately.
 *
 * Ids are looked up by trace and span, since a span id need not be unique across traces.
 */
export class SpanStore {
  readonly #open: Traces<SpanRecord> = new Map();
  #recent: Traces<SpanContext> = new Map();
  #older: Traces<SpanContext> = new Map();
  #remembered = 0;
  readonly #patterns = new Set<SpanRecord>();
  #newest: SpanRecord | undefined;
  size = 0;
  /** The least recently active. It has no children here, since whatever touches them touches it later. */
  oldest: SpanRecord | undefined;

  get(traceId: string, spanId: string): SpanRecord | undefined {
    return this.#open.get(traceId)?.spans.get(spanId);
  }

  /** What a span that was handed on lately handed down; `undefined` if there was none. */
  recall(traceId: string, spanId: string): SpanContext | undefined {
    return (
      this.#recent.get(traceId)?.spans.get(spanId) ?? this.#older.get(traceId)?.spans.get(spanId)
    );
  }

  hasTrace(traceId: string): boolean {
    return this.#open.has(traceId);
  }

  /** The trace that a span is in, the preferred one first, then the newest. */
  traceOf(spanId: string, preferred: string): string | undefined {
    let found: string | undefined;
    for (const traces of [this.#older, this.#recent, this.#open]) {
      for (const [traceId, { spans }] of traces) if (spans.has(spanId)) found = traceId;
      if (traces.get(preferred)?.spans.has(spanId) === true) found = preferred;
    }
    return found;
  }

  /** The newest span of a trace that is as asked for. */
  newest(traceId: string, matches: (record: SpanRecord) => boolean): SpanRecord | undefined {
    return last(this.#open.get(traceId)?.spans.values() ?? [], matches);
  }

  /** The newest open pattern, of any type if none is given. */
  newestPattern(patternType: string): SpanRecord | undefined {
    return last(
      this.#patterns,
      ({ span }) => patternType === '' || span.pattern_type === patternType,
    );
  }

  insert(record: SpanRecord): void {
    let trace = this.#open.get(record.span.trace_id);
    if (trace === undefined) this.#open.set(record.span.trace_id, (trace = newTrace()));
    // children that came before it; not in a circle
    if (trace.waiting > 0)
      for (const child of trace.spans.values())
        if (
          child.waiting &&
          child.span.parent_span_id === record.span.span_id &&
          !isInside(record, child)
        ) {
          child.waiting = false;
          trace.waiting -= 1;
          adopt(record, child);
        }
    if (record.parent !== undefined) adopt(record.parent, record);
    if (record.waiting) trace.waiting += 1;
    if (record.span.kind === 'pattern') this.#patterns.add(record);
    trace.spans.set(record.span.span_id, record);
    this.size += 1;
    this.#append(record);
  }

  /** Notes that something happened in a span, and so in its ancestors. */
  touch(touched: SpanRecord, now: number, time: number): void {
    for (let record: SpanRecord | undefined = touched; record; record = record.parent) {
      record.activeAt = now;
      if (time > record.lastTime) record.lastTime = time;
      if (record === this.#newest) continue;
      this.#unlink(record);
      this.#append(record);
    }
  }

  /** Lets go of a span and remembers its id. */
  remove(record: SpanRecord, context: SpanContext): void {
    const trace = this.#open.get(record.span.trace_id) as Trace<SpanRecord>;
    trace.spans.delete(record.span.span_id);
    if (record.waiting) trace.waiting -= 1;
    if (trace.spans.size === 0) this.#open.delete(record.span.trace_id);
    if (record.span.kind === 'pattern') this.#patterns.delete(record);
    record.parent?.children?.delete(record);
    this.size -= 1;
    this.#unlink(record);
    this.#remember(record, context);
  }

  #remember({ span: { trace_id, span_id } }: SpanRecord, context: SpanContext): void {
    if (this.#remembered === GENERATION) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#remembered = 0;
    }
    let trace = this.#recent.get(trace_id);
    if (trace === undefined) this.#recent.set(trace_id, (trace = newTrace()));
    trace.spans.set(span_id, context);
    this.#remembered += 1;
  }

  #append(record: SpanRecord): void {
    record.previous = this.#newest;
    record.next = undefined;
    if (this.#newest === undefined) this.oldest = record;
    else this.#newest.next = record;
    this.#newest = record;
  }

  #unlink({ previous, next }: SpanRecord): void {
    if (previous === undefined) this.oldest = next;
    else previous.next = next;
    if (next === undefined) this.#newest = previous;
    else next.previous = previous;
  }
}

function newTrace<Value>(): Trace<Value> {
  return { spans: new Map(), waiting: 0 };
}

function adopt(parent: SpanRecord, child: SpanRecord): void {
  child.parent = parent;
  (parent.children ??= new Set()).add(child);
}

function isInside(record: SpanRecord, ancestor: SpanRecord): boolean {
  for (let above: SpanRecord | undefined = record; above; above = above.parent)
    if (above === ancestor) return true;
  return false;
}

function last<Value>(
  values: Iterable<Value>,
  matches: (value: Value) => boolean,
): Value | undefined {
  let found: Value | undefined;
  for (const value of values) if (matches(value)) found = value;
  return found;
}
