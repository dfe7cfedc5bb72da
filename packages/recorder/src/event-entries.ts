import { toPlainData, type TraceEvent, type TracePayload } from '@pyagent-trace/core';
import { type Span, SpanAssembler } from '@pyagent-trace/core/spans';
import { type EndedCall, entryOfCall, entryOfEvent } from './entry-of.ts';
import { FailureTrail, toCallError } from './failure-trail.ts';
import { isData, type RecordEntry } from './record-entry.ts';

const CALL_EVENTS: ReadonlySet<string> = new Set([
  'llm_call',
  'llm_response',
  'tool_start',
  'tool_end',
]);

/**
 * Events in, entries out: one for each model call and tool, when it ends, and one for each other event.
 *
 * The assembler hears of calls alone, so that a call which ends after its pattern, as the slower ones of a
 * race do, is recorded like any other.
 */
export class EventEntries {
  readonly #onEntry: (entry: RecordEntry, events: number) => void;
  readonly #assembler = new SpanAssembler({
    onStart: (span) => this.#asked.set(keyOf(span), askedBy(span)),
    onEnd: (span, events) => this.#end(span, events),
  });
  /** What open calls were asked: the span has question and answer in one. */
  readonly #asked = new Map<string, TracePayload>();
  readonly #failures = new FailureTrail();
  /** Events of calls without an end. */
  #unanswered = 0;
  /** Errors outside of calls, which the assembler knows no span of. */
  #strays = 0;

  /** @param onEntry is told how many events the entry was made of */
  constructor(onEntry: (entry: RecordEntry, events: number) => void) {
    this.#onEntry = onEntry;
  }

  add(given: TraceEvent): void {
    const event = plainEvent(given);
    const { event_type, payload } = event;
    if (CALL_EVENTS.has(event_type)) {
      this.#assembler.add(event);
      // what ended is written at once, not when its cost is known: the process may be killed by then
      if (event_type === 'llm_response' || payload['response'] !== undefined)
        this.#assembler.flush();
    } else if (event_type !== 'error' || !this.#isOfCall(event)) {
      this.#onEntry(entryOfEvent(event), 1);
    }
    this.#failures.saw(event);
  }

  /** Hands on calls that failed without an answer, which may have one yet. */
  flush(): void {
    this.#assembler.flush();
  }

  /** Gives up the calls that have no end, and hands on what is left. */
  shutdown(): void {
    this.#assembler.shutdown();
  }

  /** Events that became part of no entry. */
  get lost(): number {
    const { late, unmatched } = this.#assembler.stats();
    return late + unmatched - this.#strays + this.#unanswered;
  }

  /** Why they are lost. */
  get problem(): string | undefined {
    const late = this.lost - this.#unanswered;
    if (this.#unanswered > 0) return `events of calls that have no end: ${this.#unanswered}`;
    return late > 0 ? `events that came after their call had ended: ${late}` : undefined;
  }

  /** Whether an error happened in a call that is open: its entry will say so. */
  #isOfCall(event: TraceEvent): boolean {
    const { annotated } = this.#assembler.stats();
    this.#assembler.add(event);
    if (this.#assembler.stats().annotated > annotated) return true;
    this.#strays += 1;
    return false;
  }

  #end(span: Span, events: number): void {
    const key = keyOf(span);
    const asked = this.#asked.get(key) ?? {};
    this.#asked.delete(key);
    if (span.incomplete === true) {
      this.#unanswered += events;
      return;
    }
    this.#onEntry(entryOfCall(this.#callOf(span, asked)), events);
  }

  #callOf(span: Span, asked: TracePayload): EndedCall {
    const { trace_id, span_id, agent_name, pattern_type, attributes } = span;
    const told = span.annotations.findLast(({ event_type }) => event_type === 'error');
    const error = told === undefined ? this.#failures.of(span_id) : toCallError(told.payload);
    return {
      kind: span.kind === 'tool' ? 'tool' : 'llm_call',
      timestamp: span.end_time ?? span.start_time,
      agent_name,
      pattern_type,
      trace_id,
      span_id,
      // a parent that is no call is one that the assembler did not hear of
      parent_span_id: span.parent_span_id ?? textOf(attributes['parent_span_id']),
      asked,
      answered: attributes,
      error: span.status === 'ok' ? undefined : error,
    };
  }
}

function askedBy({ attributes, session_id, user_id, tags, synthetic_start }: Span): TracePayload {
  if (synthetic_start === true) return {}; // nobody saw the question
  return {
    ...(session_id !== undefined && { session_id }),
    ...(user_id !== undefined && { user_id }),
    ...(tags !== undefined && { tags }),
    ...attributes,
  };
}

/** A payload may have getters that throw, and change as soon as the bus goes on. */
function plainEvent(event: TraceEvent): TraceEvent {
  const { timestamp, event_type, agent_name, pattern_type } = event;
  const payload = toPlainData(event.payload);
  return {
    timestamp,
    event_type,
    agent_name,
    pattern_type,
    payload: isData(payload) ? payload : { value: payload },
  };
}

function keyOf({ trace_id, span_id }: Span): string {
  return `${trace_id} ${span_id}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
