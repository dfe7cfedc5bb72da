import type { TraceEvent, TracePayload } from '@pyagent-trace/core';
import { type Span, type SpanAnnotation, SpanAssembler } from '@pyagent-trace/core/spans';
import type { Exchange } from './exchange.ts';
import { type IgnoredPath, questionOf } from './question.ts';
import { answerOf, NEVER_ENDED } from './recorded-answer.ts';

/** The events whose payloads make an exchange, by the key that their line takes through the assembler. */
const LINE_KEYS: Readonly<Record<string, string>> = {
  llm_call: ' start',
  tool_start: ' start',
  llm_response: ' end',
  tool_end: ' end',
};

/** Keys of a call that was recorded after the fact: what was asked. */
const PROMPT_KEYS: ReadonlySet<string> = new Set([
  'provider',
  'operation',
  'messages_in',
  'stream',
  'tags',
  'metadata',
]);

/** Keys of a routing decision that a tracer adds. */
const ROUTED: ReadonlySet<string> = new Set(['result', 'result_captured']);

/** Below this many spans that are open or held, the assembler keeps them all. */
const MAX_HELD = 5_000;

/** Calls that were open when what they are part of ended, as the slower ones of a race are. */
const MAX_UNENDED = 1_000;
/** More levels are no run, but a circle of parents. */
const MAX_LEVELS = 1_000;

interface Unended {
  readonly span: Span;
  readonly start: TraceEvent;
  error: TracePayload | undefined;
}

interface Node {
  readonly parent: string | undefined;
  /** The model call or tool that it is, or that it happened in. */
  readonly exchange: string | undefined;
  /** The newest error in it or below it: one that is thrown through several is emitted once. */
  error: TracePayload | undefined;
}

/**
 * The exchanges of a trace. Which events belong together is the assembler's business: each takes its line
 * through it, and comes back out with the span; what the events say is taken from the events, since a span
 * has one value for a key that start and end both have.
 */
export class TraceExchanges {
  readonly #onExchange: (exchange: Exchange) => void;
  readonly #ignored: readonly IgnoredPath[];
  /** Those of the spans that are open. */
  readonly #events = new Map<number, TraceEvent>();
  readonly #nodes = new Map<string, Node>();
  readonly #assembler = new SpanAssembler({
    onStart: (span) => this.#start(span),
    onAnnotate: (span, annotation) => this.#note(span, annotation),
    onEnd: (span) => void this.#ended.push(span),
  });
  readonly #unended = new Map<string, Unended>();
  /** Not looked at while the assembler hands them on: it swallows what is thrown there. */
  #ended: Span[] = [];

  constructor(onExchange: (exchange: Exchange) => void, ignored: readonly IgnoredPath[]) {
    this.#onExchange = onExchange;
    this.#ignored = ignored;
  }

  add(event: TraceEvent, line: number): void {
    if (event.event_type === 'routing_decision') this.#decide(event, line);
    if (this.#unended.size > 0 && this.#endsLate(event)) return;
    const key = Object.hasOwn(LINE_KEYS, event.event_type) && LINE_KEYS[event.event_type];
    if (!key) {
      this.#assembler.add(event);
      this.#handOn();
      return;
    }
    const before = this.#assembler.stats();
    this.#events.set(line, event);
    // first, so that it is there however large the payload is
    this.#assembler.add({ ...event, payload: { [key]: line, ...event.payload } });
    const { late, unmatched, open } = this.#assembler.stats();
    // an event that the assembler could not use
    if (late + unmatched > before.late + before.unmatched) this.#events.delete(line);
    // calls wait for a cost that nobody needs here; not between an error and its answer
    if (open > MAX_HELD && key === ' end') this.#assembler.flush();
    this.#handOn();
  }

  /** There are no more events. */
  finish(): void {
    this.#assembler.shutdown();
    this.#handOn();
    for (const [id, call] of this.#unended) this.#giveUp(id, call);
  }

  #handOn(): void {
    if (this.#ended.length === 0) return;
    const ended = this.#ended;
    this.#ended = [];
    for (const span of ended) this.#end(span);
  }

  #start(span: Span): void {
    const parent = parentOf(span);
    const isExchange = span.kind === 'llm' || span.kind === 'tool';
    this.#nodes.set(idOf(span), {
      parent,
      exchange: isExchange ? idOf(span) : this.#exchangeAround(parent),
      error: undefined,
    });
  }

  #exchangeAround(id: string | undefined): string | undefined {
    return id === undefined ? undefined : this.#nodes.get(id)?.exchange;
  }

  #note(span: Span, { event_type, payload }: SpanAnnotation): void {
    if (event_type !== 'error') return;
    let id: string | undefined = idOf(span);
    for (let level = 0; id !== undefined && level < MAX_LEVELS; level++) {
      const node = this.#nodes.get(id);
      if (node !== undefined) node.error = payload;
      id = node?.parent;
    }
  }

  #end(span: Span): void {
    const id = idOf(span);
    const node = this.#nodes.get(id);
    this.#nodes.delete(id);
    const { attributes } = span;
    const start = this.#take(attributes[' start']);
    const end = this.#take(attributes[' end']);
    // a file that begins in the middle has ends without a question
    if (start === undefined) return;
    if (span.incomplete !== true || end !== undefined) {
      this.#emit(span, start, end, node?.error);
      return;
    }
    this.#unended.set(id, { span, start, error: node?.error });
    if (this.#unended.size <= MAX_UNENDED) return;
    for (const [oldest, call] of this.#unended) {
      this.#giveUp(oldest, call);
      return;
    }
  }

  /** Whether an event belongs to a call that the assembler closed with what it is part of. */
  #endsLate(event: TraceEvent): boolean {
    const { event_type, payload } = event;
    const id = `${String(payload['trace_id'])} ${String(payload['span_id'])}`;
    const call = this.#unended.get(id);
    if (call === undefined) return false;
    if (event_type === 'error') call.error = payload;
    else if (LINE_KEYS[event_type] === ' end') {
      this.#unended.delete(id);
      this.#emit(call.span, call.start, event, call.error);
    } else return false;
    return true;
  }

  #giveUp(id: string, { span, start, error }: Unended): void {
    this.#unended.delete(id);
    this.#emit(span, start, undefined, error);
  }

  #emit(
    span: Span,
    start: TraceEvent,
    end: TraceEvent | undefined,
    error: TracePayload | undefined,
  ): void {
    const line = span.attributes[' start'] as number;
    const isIncomplete = span.incomplete === true && end === undefined;
    this.#onExchange({
      ...this.#exchange(span, start, end, error),
      agent_name: start.agent_name,
      pattern_type: span.pattern_type,
      session_id: span.session_id ?? '',
      line,
      order: line,
      span: idOf(span),
      inside: this.#exchangeAround(parentOf(span)),
      optional: isIncomplete,
    });
  }

  #exchange(
    { kind, status, incomplete }: Span,
    { agent_name, payload }: TraceEvent,
    end: TraceEvent | undefined,
    error: TracePayload | undefined,
  ): Pick<Exchange, 'kind' | 'question' | 'compared' | 'answer'> {
    const question = questionOf(agent_name, payload, this.#ignored);
    if (kind === 'llm' && end === undefined && (payload['response'] ?? undefined) !== undefined) {
      // after the fact, as Python's recorder does: one event has the question and the answer
      const answered = Object.entries(payload).filter(([key]) => !PROMPT_KEYS.has(key));
      const answer = answerOf(Object.fromEntries(answered), undefined);
      return { kind: 'llm_call', compared: 'prompt', question, answer };
    }
    const said = end?.payload['status'] ?? (incomplete === true ? undefined : status);
    const isFailed = error !== undefined && said !== undefined && said !== 'ok';
    const answer =
      end === undefined && !isFailed
        ? { end: {}, problem: NEVER_ENDED }
        : answerOf({ ...end?.payload, status: said }, isFailed ? (error as never) : undefined);
    return { kind: kind === 'llm' ? 'llm_call' : 'tool', compared: 'all', question, answer };
  }

  /** One event has it all. What `set` added to it cannot be told from what was asked. */
  #decide({ agent_name, pattern_type, payload }: TraceEvent, line: number): void {
    const { trace_id, span_id, session_id, ...rest } = payload;
    const decision = Object.fromEntries(Object.entries(rest).filter(([key]) => !ROUTED.has(key)));
    this.#onExchange({
      kind: 'routing_decision',
      compared: 'asked',
      question: questionOf(agent_name, decision, this.#ignored),
      answer: answerOf(payload, undefined),
      agent_name,
      pattern_type,
      session_id: typeof session_id === 'string' ? session_id : '',
      line,
      order: line,
      inside: this.#exchangeAround(`${String(trace_id)} ${String(span_id)}`),
      optional: !Object.hasOwn(payload, 'result'),
    });
  }

  #take(line: unknown): TraceEvent | undefined {
    const event = this.#events.get(line as number);
    this.#events.delete(line as number);
    return event;
  }
}

function idOf({ trace_id, span_id }: Span): string {
  return `${trace_id} ${span_id}`;
}

function parentOf({ trace_id, parent_span_id }: Span): string | undefined {
  return parent_span_id === undefined ? undefined : `${trace_id} ${parent_span_id}`;
}
