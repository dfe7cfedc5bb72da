import type { SpanContext, SpanRecord } from './record.ts';

/** Values by two ids. */
type Table<Value> = Map<string, Map<string, Value>>;

/** Ids of handed-on spans are kept in two generations of this size; the older one is let go whole. */
const GENERATION = 5_000;

/**
 * The spans that are open or wait for their cost, and the ids of those handed on lately.
 *
 * Ids are looked up by trace and span, since a span id need not be unique across traces.
 */
export class SpanStore {
  /** By trace, then span, in order of their start. */
  readonly #traces: Table<SpanRecord> = new Map();
  /** Of those, the ones that name a parent that nobody saw yet. */
  readonly #waiting: Table<SpanRecord> = new Map();
  /** By span, then trace: what names its span by id need not name the trace. */
  readonly #open: Table<SpanRecord> = new Map();
  #recent: Table<SpanContext> = new Map();
  #older: Table<SpanContext> = new Map();
  #remembered = 0;
  readonly #patterns = new Set<SpanRecord>();
  #newest: SpanRecord | undefined;
  size = 0;
  /** The least recently active. It has no children here, since whatever touches them touches it later. */
  oldest: SpanRecord | undefined;

  get(traceId: string, spanId: string): SpanRecord | undefined {
    return this.#traces.get(traceId)?.get(spanId);
  }

  /** What a span that was handed on lately handed down; `undefined` if there was none. */
  recall(traceId: string, spanId: string): SpanContext | undefined {
    return this.#recent.get(spanId)?.get(traceId) ?? this.#older.get(spanId)?.get(traceId);
  }

  hasTrace(traceId: string): boolean {
    return this.#traces.has(traceId);
  }

  /** The trace that a span is in: one where it is open, then the preferred one, then the newest. */
  traceOf(spanId: string, preferred: string): string | undefined {
    for (const known of [this.#open, this.#recent, this.#older]) {
      const traces = known.get(spanId);
      if (traces !== undefined)
        return traces.has(preferred) ? preferred : [...traces.keys()].at(-1);
    }
    return undefined;
  }

  /** The newest span of a trace that is as asked for. */
  newest(traceId: string, matches: (record: SpanRecord) => boolean): SpanRecord | undefined {
    return last(this.#traces.get(traceId)?.values() ?? [], matches);
  }

  /** The newest open pattern, of any type if none is given. */
  newestPattern(patternType: string): SpanRecord | undefined {
    return last(
      this.#patterns,
      ({ span }) => patternType === '' || span.pattern_type === patternType,
    );
  }

  insert(record: SpanRecord): void {
    const { trace_id, span_id, kind } = record.span;
    // children that came before it; not in a circle
    for (const child of this.#waiting.get(trace_id)?.values() ?? [])
      if (child.span.parent_span_id === span_id && !isInside(record, child)) {
        child.waiting = false;
        remove(this.#waiting, trace_id, child.span.span_id);
        adopt(record, child);
      }
    if (record.parent !== undefined) adopt(record.parent, record);
    if (record.waiting) put(this.#waiting, trace_id, span_id, record);
    if (kind === 'pattern') this.#patterns.add(record);
    put(this.#traces, trace_id, span_id, record);
    put(this.#open, span_id, trace_id, record);
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
    const { trace_id, span_id, kind } = record.span;
    remove(this.#traces, trace_id, span_id);
    remove(this.#open, span_id, trace_id);
    if (record.waiting) remove(this.#waiting, trace_id, span_id);
    if (kind === 'pattern') this.#patterns.delete(record);
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
    put(this.#recent, span_id, trace_id, context);
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

function put<Value>(table: Table<Value>, first: string, second: string, value: Value): void {
  let row = table.get(first);
  if (row === undefined) table.set(first, (row = new Map()));
  row.set(second, value);
}

function remove<Value>(table: Table<Value>, first: string, second: string): void {
  const row = table.get(first);
  if (row?.delete(second) === true && row.size === 0) table.delete(first);
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
