import type { TraceEvent, TracePayload } from '@pyagent-trace/core';
import { type Span, SpanAssembler } from '@pyagent-trace/core/spans';
import {
  ANSWER_KEYS,
  type CallIds,
  type EndedCall,
  entryOfEvent,
  entryOfCall,
  only,
  plainPayload,
  read,
} from './entry-of.ts';
import { FailureTrail, toCallError } from './failure-trail.ts';
import type { RecordEntry } from './record-entry.ts';

const CALL_ENDS: ReadonlySet<string> = new Set(['llm_response', 'tool_end']);
const CALL_EVENTS: ReadonlySet<string> = new Set(['llm_call', 'tool_start', ...CALL_ENDS]);
/** They are entries themselves; by them the assembler finds what belongs together, and what has no end. */
const PARENT_EVENTS: ReadonlySet<string> = new Set([
  'pattern_start',
  'pattern_end',
  'agent_start',
  'agent_end',
]);
/** More are not waited for. */
const MAX_UNANSWERED = 1_000;

/** What a call was asked, and the ids that its start had: the span has question and answer in one. */
interface Question {
  readonly asked: TracePayload;
  readonly ids: CallIds;
}

/** A call that was open when what it is part of ended, as the slower ones of a race are. */
interface Unanswered extends Question {
  readonly span: Span;
  /** Those that are in no entry yet. */
  events: number;
}

/**
 * Events in, entries out: one for each model call and tool, when it ends, and one for each other event. A
 * call without an end gets its entry at `flush`, and another one if its answer comes after all.
 */
export class EventEntries {
  readonly #onEntry: (entry: RecordEntry, events: number) => void;
  readonly #assembler = new SpanAssembler({
    onStart: (span) => this.#start(span),
    onAnnotate: (span) => {
      this.#isOfCall = isCall(span);
    },
    onEnd: (span, events) => this.#end(span, events),
  });
  /** The event of a call that is being added. */
  #adding: TraceEvent | undefined;
  #isOfCall = false;
  readonly #open = new Map<string, Question>();
  readonly #unanswered = new Map<string, Unanswered>();
  /** Of each span that is open, the call that it is, or that it happened in. */
  readonly #calls = new Map<string, string | undefined>();
  readonly #failures = new FailureTrail();
  #lost = 0;

  /** @param onEntry is told how many events the entry was made of */
  constructor(onEntry: (entry: RecordEntry, events: number) => void) {
    this.#onEntry = onEntry;
  }

  /** Events that became part of no entry: the second end of a call. */
  get lost(): number {
    return this.#lost;
  }

  add(event: TraceEvent): void {
    const { event_type } = event;
    if (CALL_EVENTS.has(event_type)) this.#addCall(event);
    else if (event_type !== 'error' || !this.#annotates(event)) {
      if (PARENT_EVENTS.has(event_type)) this.#assembler.add(event);
      this.#onEntry(
        event_type === 'routing_decision' ? this.#decision(event) : entryOfEvent(event),
        1,
      );
    }
    this.#failures.saw(event);
  }

  /** Hands on the calls that failed, and those that are part of something that ended. */
  flush(): void {
    this.#assembler.flush();
    for (const call of this.#unanswered.values()) this.#giveUp(call);
  }

  /** Hands on everything. */
  shutdown(): void {
    this.#assembler.shutdown();
    this.flush();
    this.#unanswered.clear();
  }

  #addCall(event: TraceEvent): void {
    const { event_type, payload } = event;
    if (this.#answersLate(event)) return;
    const before = this.#assembler.stats();
    this.#adding = event;
    this.#assembler.add(event);
    // what ended is written at once, not when its cost is known: the process may be killed by then
    if (event_type === 'llm_response' || read(payload, 'response') !== undefined)
      this.#assembler.flush();
    this.#adding = undefined;
    const { late, unmatched } = this.#assembler.stats();
    this.#lost += late + unmatched - before.late - before.unmatched;
  }

  /** Its ids are those of the operation around it. */
  #decision(event: TraceEvent): RecordEntry {
    const entry = entryOfEvent(event);
    const { trace_id = '', span_id = '' } = idsOf(event.payload);
    const outer_span_id = this.#calls.get(keyOf(trace_id, span_id));
    if (outer_span_id === undefined || outer_span_id === span_id) return entry;
    return { ...entry, metadata: { ...entry.metadata, outer_span_id } };
  }

  /** Whether an error happened in a call that is open: its entry will say so. */
  #annotates(error: TraceEvent): boolean {
    this.#isOfCall = false;
    this.#assembler.add(error);
    return this.#isOfCall;
  }

  #start(span: Span): void {
    const { trace_id, span_id, parent_span_id } = span;
    const key = keyOf(trace_id, span_id);
    const outer = this.#calls.get(keyOf(trace_id, parent_span_id ?? ''));
    this.#calls.set(key, isCall(span) ? span_id : outer);
    if (!isCall(span)) return;
    const ids = idsOf(this.#adding?.payload);
    const isApart = ids.parent_span_id !== undefined && outer !== parent_span_id;
    this.#open.set(key, {
      asked: askedBy(span),
      ids: isApart ? { ...ids, outer_span_id: outer } : ids,
    });
  }

  #end(span: Span, events: number): void {
    const key = keyOf(span.trace_id, span.span_id);
    this.#calls.delete(key);
    if (!isCall(span)) return;
    const question = this.#open.get(key) ?? { asked: {}, ids: {} };
    this.#open.delete(key);
    const { end_time, status, annotations } = span;
    if (span.incomplete === true) {
      this.#unanswered.set(key, { ...question, span, events });
      this.#forgetOldest();
      return;
    }
    const told = annotations.findLast(({ event_type }) => event_type === 'error');
    const error = told === undefined ? this.#failures.of(span.span_id) : toCallError(told.payload);
    this.#write(span, question, events, {
      timestamp: end_time ?? span.start_time,
      answered: this.#answered(span, question),
      error: status === 'ok' ? undefined : error,
    });
  }

  /** What the end said, of what the span has from both. */
  #answered({ attributes }: Span, { asked, ids }: Question): TracePayload {
    const end = this.#adding;
    const isEnd = ids.span_id !== undefined && ids.span_id === read(end?.payload, 'span_id');
    // without an id nobody knows which end it was: of a value that both gave, the end's is not told
    const said =
      isEnd && CALL_ENDS.has(end?.event_type ?? '')
        ? new Set(Object.keys(end?.payload ?? {}))
        : undefined;
    return only(attributes, (key) => said?.has(key) ?? attributes[key] !== asked[key]);
  }

  /** Whether an end is that of a call that was given up. */
  #answersLate({ timestamp, event_type, payload }: TraceEvent): boolean {
    if (this.#unanswered.size === 0 || !CALL_ENDS.has(event_type)) return false;
    const { trace_id = '', span_id = '' } = idsOf(payload);
    const call = this.#unanswered.get(keyOf(trace_id, span_id));
    if (call === undefined) return false;
    this.#unanswered.delete(keyOf(trace_id, span_id));
    const answered = plainPayload(payload);
    const error = answered['status'] === 'ok' ? undefined : this.#failures.of(span_id);
    this.#write(call.span, call, call.events + 1, { timestamp, answered, error });
    return true;
  }

  #giveUp(call: Unanswered): void {
    if (call.events === 0) return; // said already
    const { span, events } = call;
    call.events = 0;
    const timestamp = span.end_time ?? span.start_time;
    this.#write(span, call, events, { timestamp, answered: {}, incomplete: true });
  }

  #forgetOldest(): void {
    if (this.#unanswered.size <= MAX_UNANSWERED) return;
    for (const [key, call] of this.#unanswered) {
      this.#giveUp(call);
      this.#unanswered.delete(key);
      return;
    }
  }

  #write(
    { kind, agent_name, pattern_type }: Span,
    { asked, ids }: Question,
    events: number,
    end: Pick<EndedCall, 'timestamp' | 'answered' | 'error' | 'incomplete'>,
  ): void {
    const call = { kind: kind === 'tool' ? 'tool' : 'llm_call', agent_name, pattern_type } as const;
    this.#onEntry(entryOfCall({ ...call, ...ids, asked, ...end }), events);
  }
}

function isCall({ kind }: Span): boolean {
  return kind === 'llm' || kind === 'tool';
}

function keyOf(traceId: string, spanId: string): string {
  return `${traceId} ${spanId}`;
}

function idsOf(payload: unknown): CallIds {
  return {
    trace_id: textOf(read(payload, 'trace_id')),
    span_id: textOf(read(payload, 'span_id')),
    parent_span_id: textOf(read(payload, 'parent_span_id')),
  };
}

function askedBy({ attributes, session_id, user_id, tags, synthetic_start }: Span): TracePayload {
  if (synthetic_start === true) return {}; // nobody saw the question
  return {
    ...(session_id !== undefined && { session_id }),
    ...(user_id !== undefined && { user_id }),
    ...(tags !== undefined && { tags }),
    // of a whole call, recorded after the fact, one event has both
    ...only(attributes, (key) => !ANSWER_KEYS.has(key)),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
