import type { SpanContext, SpanRecord } from './record.ts';

/** Ids of handed-on spans are kept in two generations of this size; the older one is let go whole. */
const GENERATION = 5_000;

/** Of a span that was handed on. */
interface Memory {
  readonly trace_id: string;
  readonly context: SpanContext;
  /** Another one with the same span id, which need not be unique across traces. */
  readonly namesake: Memory | undefined;
}

/**
 * The spans that are open or wait for their cost, and the ids of those handed on lately.
 *
 * Spans are looked up by their own id first: there is nearly always one, and a list of one costs nothing.
 */
export class SpanStore {
  /** By trace, in order of their start. */
  readonly #traces = new Map<string, Set<SpanRecord>>();
  /** Those that name a parent that nobody saw yet, by its id. */
  readonly #waiting = new Map<string, Set<SpanRecord>>();
  /** By span id, the newest first of each. */
  readonly #open = new Map<string, SpanRecord>();
  #recent = new Map<string, Memory>();
  #older = new Map<string, Memory>();
  #remembered = 0;
  readonly #patterns = new Set<SpanRecord>();
  #newest: SpanRecord | undefined;
  size = 0;
  /** The least recently active. It has no children here, since whatever touches them touches it later. */
  oldest: SpanRecord | undefined;

  get(traceId: string, spanId: string): SpanRecord | undefined {
    let record = this.#open.get(spanId);
    while (record !== undefined && record.span.trace_id !== traceId) record = record.namesake;
    return record;
  }

  /** What a span that was handed on lately handed down; `undefined` if there was none. */
  recall(traceId: string, spanId: string): SpanContext | undefined {
    for (const memories of [this.#recent, this.#older])
      for (let memory = memories.get(spanId); memory; memory = memory.namesake)
        if (memory.trace_id === traceId) return memory.context;
    return undefined;
  }

  hasTrace(traceId: string): boolean {
    return this.#traces.has(traceId);
  }

  /** The trace that a span is in: one where it is open, then the preferred one, then the newest. */
  traceOf(spanId: string, preferred: string): string | undefined {
    if (this.get(preferred, spanId) !== undefined) return preferred;
    const open = this.#open.get(spanId);
    if (open !== undefined) return open.span.trace_id;
    for (const memories of [this.#recent, this.#older]) {
      const newest = memories.get(spanId);
      if (newest === undefined) continue;
      for (let memory: Memory | undefined = newest; memory; memory = memory.namesake)
        if (memory.trace_id === preferred) return preferred;
      return newest.trace_id;
    }
    return undefined;
  }

  /** The newest span of a trace that is as asked for. */
  newest(traceId: string, matches: (record: SpanRecord) => boolean): SpanRecord | undefined {
    return last(this.#traces.get(traceId) ?? [], matches);
  }

  /** The newest open pattern, of any type if none is given. */
  newestPattern(patternType: string): SpanRecord | undefined {
    return last(
      this.#patterns,
      ({ span }) => patternType === '' || span.pattern_type === patternType,
    );
  }

  insert(record: SpanRecord): void {
    const { trace_id, span_id, parent_span_id, kind } = record.span;
    // children that came before it; not in a circle
    for (const child of this.#waiting.get(span_id) ?? [])
      if (child.span.trace_id === trace_id && !isInside(record, child)) {
        child.waiting = false;
        remove(this.#waiting, span_id, child);
        adopt(record, child);
      }
    if (record.parent !== undefined) adopt(record.parent, record);
    if (record.waiting) put(this.#waiting, parent_span_id as string, record);
    if (kind === 'pattern') this.#patterns.add(record);
    put(this.#traces, trace_id, record);
    record.namesake = this.#open.get(span_id);
    this.#open.set(span_id, record);
    this.size += 1;
    this.#append(record);
  }

  /** Notes that something happened in a span, and so in its ancestors. */
  touch(touched: SpanRecord, now: number, time: number): void {
    for (let record: SpanRecord | undefined = touched; record; record = record.parent) {
      record.activeAtMs = now;
      if (time > record.lastTime) record.lastTime = time;
      if (record === this.#newest) continue;
      this.#unlink(record);
      this.#append(record);
    }
  }

  /** Lets go of a span and remembers its id. */
  remove(record: SpanRecord, context: SpanContext): void {
    const { trace_id, parent_span_id, kind } = record.span;
    remove(this.#traces, trace_id, record);
    if (record.waiting) remove(this.#waiting, parent_span_id as string, record);
    this.#forget(record);
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
    const namesake = this.#recent.get(span_id);
    this.#recent.set(span_id, { trace_id, context, namesake });
    this.#remembered += 1;
  }

  #forget(record: SpanRecord): void {
    const { span_id } = record.span;
    const first = this.#open.get(span_id);
    if (first !== record) {
      let before = first;
      while (before !== undefined && before.namesake !== record) before = before.namesake;
      if (before !== undefined) before.namesake = record.namesake;
    } else if (record.namesake === undefined) this.#open.delete(span_id);
    else this.#open.set(span_id, record.namesake);
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

function put(sets: Map<string, Set<SpanRecord>>, key: string, record: SpanRecord): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([record]));
  else set.add(record);
}

function remove(sets: Map<string, Set<SpanRecord>>, key: string, record: SpanRecord): void {
  const set = sets.get(key);
  if (set?.delete(record) === true && set.size === 0) sets.delete(key);
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
