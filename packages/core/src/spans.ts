import { Alarm } from './alarm.ts';
import { requireFunction, requireKnownKeys } from './check.ts';
import { monotonicMs } from './clock.ts';
import type { TraceEvent } from './event.ts';
import { identify } from './spans/identity.ts';
import { merge, type Reading, readEvent, statusOf } from './spans/reading.ts';
import { addEnd, contextOf, newRecord, type SpanRecord, toSpan } from './spans/record.ts';
import { SpanStore } from './spans/store.ts';
import type { Span, SpanAnnotation, SpanStatus } from './spans/span.ts';

export type { Span, SpanAnnotation, SpanKind, SpanStatus } from './spans/span.ts';

/** What a callback throws is swallowed: it must not reach the traced app. */
export interface SpanAssemblerOptions {
  /** A span opened. Its `end_time` and `status` are absent. */
  readonly onStart?: (span: Span) => void;
  /** Something happened inside a span that is not handed on yet. */
  readonly onAnnotate?: (span: Span, annotation: SpanAnnotation) => void;
  /**
   * A span is complete. Children come before their parents; each span once.
   *
   * @param events how many events it was made of: together with `late` and `unmatched`, and those of
   * spans that are still open, they are all
   */
  readonly onEnd?: (span: Span, events: number) => void;
}

/** Every event ends in exactly one of these counts; their sum is `events`. */
export interface SpanAssemblerStats {
  readonly events: number;
  readonly started: number;
  readonly ended: number;
  /** Kept on a span: as an annotation, or as the cost of a call. */
  readonly annotated: number;
  /** A second start, end or cost of one span, or one that came after the span was handed on, or after `shutdown`. */
  readonly late: number;
  /** About no span that is known: a `trace_gap`, an unknown type, a cost without its call. */
  readonly unmatched: number;
  /** Spans that are open or wait for their cost. Not an event count. */
  readonly open: number;
}

type Outcome = 'started' | 'ended' | 'annotated' | 'late' | 'unmatched';

/** More are a leak: the least recently active one is closed. */
const MAX_OPEN = 10_000;
/** A model that thinks for long takes minutes; what was silent for longer will not end any more. */
const MAX_IDLE_MS = 30 * 60_000;
/** A tracker emits the cost in the same turn as the answer; one that asks a service takes longer. */
const HOLD_MS = 250;
/** Of one span: one that lives as long as the process must not grow without end. */
const MAX_ANNOTATIONS = 1_000;

/**
 * Pairs events: starts, ends and what happened between come in, spans go out. `spec/README.md` has the
 * rules, for events with ids and without.
 *
 * A finished call, failed or not, is held until its `cost_record` came, its parent ended, or 250 ms passed.
 *
 * @example
 * ```ts
 * const assembler = new SpanAssembler({ onEnd: (span) => console.log(span.kind, span.name) });
 * bus.subscribe(assembler.add);
 * ```
 */
export class SpanAssembler {
  readonly #options: SpanAssemblerOptions;
  readonly #store = new SpanStore();
  /** Finished calls, and since when they wait. */
  readonly #held = new Map<SpanRecord, number>();
  readonly #holdAlarm = new Alarm(() => this.#release());
  readonly #idleAlarm = new Alarm(() => this.#expire(monotonicMs()));
  #closed = false;
  #events = 0;
  readonly #counts: Record<Outcome, number> = {
    started: 0,
    ended: 0,
    annotated: 0,
    late: 0,
    unmatched: 0,
  };

  /** @throws {TraceError} `invalid_option` */
  constructor(options: SpanAssemblerOptions = {}) {
    requireKnownKeys(options, ['onStart', 'onAnnotate', 'onEnd'], 'SpanAssembler');
    for (const [name, callback] of Object.entries(options))
      if (callback !== undefined) requireFunction(callback, `SpanAssembler: ${name}`);
    this.#options = { ...options };
  }

  /** Takes one event and keeps nothing of it. Never throws. Works detached. */
  readonly add = (event: TraceEvent): void => {
    this.#events += 1;
    let outcome: Outcome = 'unmatched';
    try {
      if (this.#closed) {
        outcome = 'late';
      } else {
        const now = monotonicMs();
        outcome = this.#take(readEvent(event), now);
        this.#expire(now);
      }
    } catch {
      // no event at all, or one that throws when it is read
    }
    this.#counts[outcome] += 1;
  };

  /** Hands on the calls that wait for their cost. Spans without an end stay open. */
  flush(): void {
    for (const call of this.#held.keys()) this.#handOn(call);
    this.#holdAlarm.stop();
  }

  /** Hands on everything; what has no end yet is `incomplete`. */
  shutdown(): void {
    this.#closed = true;
    for (let next = this.#store.oldest; next; next = this.#store.oldest) this.#close(next);
    this.#holdAlarm.stop();
    this.#idleAlarm.stop();
  }

  stats(): SpanAssemblerStats {
    return { events: this.#events, ...this.#counts, open: this.#store.size };
  }

  #take(reading: Reading, now: number): Outcome {
    const store = this.#store;
    const identity = identify(reading, store);
    const { trace_id, span_id } = identity;
    if (span_id === undefined) return 'unmatched';
    const record = store.get(trace_id, span_id);
    if (record !== undefined) store.touch(record, now, reading.timestamp);
    else if (store.recall(trace_id, span_id) !== undefined) return 'late';

    const { starts, ends, event_type } = reading;
    if (starts !== undefined) {
      if (record !== undefined) return 'late';
      const complete = starts === 'llm' && reading.attributes['response'] !== undefined;
      const started = this.#open(newRecord(starts, reading, identity, span_id, complete), now);
      if (complete) this.#end(started, reading);
      return 'started';
    }
    if (record === undefined) {
      if (ends === undefined) return 'unmatched';
      this.#end(this.#open(newRecord(ends, reading, identity, span_id, true), now), reading);
      return 'ended';
    }
    if (ends === record.span.kind) {
      if (record.answered) return 'late';
      record.events += 1;
      this.#end(record, reading);
      return 'ended';
    }
    if (event_type === 'cost_record' && record.span.kind === 'llm') {
      if (record.priced) return 'late';
      record.events += 1;
      this.#price(record, reading);
    } else {
      record.events += 1;
      this.#annotate(record, reading);
    }
    return 'annotated';
  }

  #open(record: SpanRecord, now: number): SpanRecord {
    const store = this.#store;
    const { trace_id, parent_span_id } = record.span;
    if (parent_span_id !== undefined) {
      const parent = store.get(trace_id, parent_span_id);
      const known = parent?.context ?? store.recall(trace_id, parent_span_id);
      // what starts after its parent ended is the grandparent's to close
      record.parent = parent?.span.end_time === undefined ? parent : parent.parent;
      record.waiting = known === undefined && record.span.remote_parent === undefined;
      record.context = { ...known, ...record.context };
    }
    store.insert(record);
    store.touch(record, now, record.lastTime);
    guard(() => this.#options.onStart?.(toSpan(record)));
    if (store.size > MAX_OPEN) this.#close(store.oldest as SpanRecord);
    return record;
  }

  #annotate(record: SpanRecord, { timestamp, event_type, payload }: Reading): void {
    const { span } = record;
    const annotation: SpanAnnotation = { timestamp, event_type, payload };
    if (span.annotations.length < MAX_ANNOTATIONS) span.annotations.push(annotation);
    else span.dropped_annotations = (span.dropped_annotations ?? 0) + 1;
    guard(() => this.#options.onAnnotate?.(toSpan(record), annotation));
    if (event_type !== 'error') return;
    record.failed = true;
    // providers send it instead of an answer; the tracer's answer follows it and says when it ended
    if (span.kind !== 'llm' || span.end_time !== undefined) return;
    this.#finish(record, timestamp, 'error');
    this.#hold(record);
  }

  #price(call: SpanRecord, { attributes }: Reading): void {
    call.span.attributes = merge(attributes, call.span.attributes);
    call.priced = true;
    if (call.answered) this.#handOn(call);
  }

  #end(record: SpanRecord, reading: Reading): void {
    const { span } = record;
    const isCall = span.kind === 'llm';
    addEnd(record, reading);
    const status = statusOf(reading.attributes) ?? (isCall && record.failed ? 'error' : 'ok');
    this.#finish(record, reading.timestamp, status);
    if (!isCall || record.priced) this.#handOn(record);
    else this.#hold(record);
  }

  #finish({ span, children }: SpanRecord, time: number, status: SpanStatus): void {
    if (time < span.start_time) span.clock_skew = true;
    const end = Math.max(time, span.start_time);
    span.end_time = end;
    span.status = status;
    if (children === undefined) return;
    const below = [...children];
    // grows while it is read: each is followed by its children
    for (const { children: next } of below) if (next !== undefined) below.push(...next);
    for (const child of below.toReversed()) this.#close(child, end);
  }

  /** Hands on a span that is not going to end. */
  #close(record: SpanRecord, time: number = record.lastTime): void {
    if (record.span.end_time === undefined) {
      record.span.incomplete = true;
      this.#finish(record, time, record.failed ? 'error' : 'ok');
    }
    this.#handOn(record);
  }

  #hold(call: SpanRecord): void {
    this.#held.delete(call); // the newest last
    this.#held.set(call, monotonicMs());
    this.#holdAlarm.arm(HOLD_MS);
  }

  #release(): void {
    const now = monotonicMs();
    for (const [call, since] of this.#held) {
      const leftMs = since + HOLD_MS - now;
      if (leftMs > 0) {
        this.#holdAlarm.arm(leftMs);
        return;
      }
      this.#handOn(call);
    }
  }

  #expire(now: number): void {
    for (let next = this.#store.oldest; next; next = this.#store.oldest) {
      const leftMs = next.activeAtMs + MAX_IDLE_MS - now;
      if (leftMs > 0) {
        this.#idleAlarm.arm(leftMs);
        return;
      }
      this.#close(next);
    }
  }

  #handOn(record: SpanRecord): void {
    this.#held.delete(record);
    if (record.handedOn) return; // by a callback that came back with an event
    record.handedOn = true;
    this.#store.remove(record, contextOf(record));
    const { span } = record;
    // only now is it certain that nobody saw its parent
    if (record.waiting) {
      span.attributes = merge(span.attributes, { parent_span_id: span.parent_span_id });
      delete span.parent_span_id;
      span.orphan = true;
    }
    const complete = toSpan(record);
    guard(() => this.#options.onEnd?.(complete, record.events));
  }
}

function guard(callback: () => void): void {
  try {
    callback();
  } catch {
    // the consumer's own loss, which it has to count
  }
}
