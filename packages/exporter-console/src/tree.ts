import {
  type Span,
  type SpanAnnotation,
  SpanAssembler,
  toPlainData,
  type TraceEvent,
  type TracePayload,
} from '@pyagent-trace/core';
import { describeAnnotation, describeError, notesOf } from './annotation.ts';
import { Branch, labelOf, lineageOf } from './branch.ts';
import { formatLine, formatValue } from './line.ts';
import { MAX_LEVELS, type Row } from './row.ts';
import { type Preview, previewOf } from './text.ts';
import { Totals } from './totals.ts';

/**
 * Events in, rows out: a row when a pattern or agent starts and ends, one for each finished call, and
 * one for whatever else is said, all at the moment they are known.
 */
export class Tree {
  readonly #print: (row: Row) => void;
  readonly #spans: SpanAssembler;
  readonly #root = new Branch();
  /** Open patterns and agents. */
  readonly #branches = new Map<string, Branch>();
  /** The branches of the calls that have begun and are not printed. */
  readonly #calls = new Map<string, Branch>();
  /** The branch that the last row left open. */
  #here = this.#root;

  constructor(print: (row: Row) => void) {
    this.#print = print;
    this.#spans = new SpanAssembler({
      onStart: (span) => this.#start(span),
      onAnnotate: (span, annotation) => this.#annotate(span, annotation),
      onEnd: (span) => this.#end(span),
    });
  }

  /** Events that are told of by a row that is still to come: one for each call that is not printed. */
  get held(): number {
    return this.#calls.size;
  }

  add(event: TraceEvent): void {
    this.#settleCallsBefore(event);
    const before = this.#spans.stats();
    this.#spans.add(event);
    const { late, unmatched } = this.#spans.stats();
    if (late > before.late) this.#printStray(event, 'late ');
    else if (unmatched > before.unmatched) this.#printStray(event, '');
  }

  /** Prints the calls that wait for their cost. */
  flush(): void {
    this.#spans.flush();
  }

  /** Prints everything that is open as incomplete. */
  shutdown(): void {
    this.#spans.shutdown();
  }

  #start(span: Span): void {
    const parent = this.#parentOf(span);
    if (isCall(span)) {
      this.#calls.set(keyOf(span), parent);
      parent.calls += 1;
      return;
    }
    const branch = this.#open(span, parent);
    const input = previewOf(span.attributes['input']);
    const text = input?.text === parent.asked ? undefined : input;
    branch.asked = input?.text ?? parent.asked;
    this.#row(parent, { glyph: '┌', style: 'bold', label: branch.label, text });
    this.#here = branch;
  }

  #end(span: Span): void {
    if (isCall(span)) {
      this.#endCall(span);
      return;
    }
    const branch = this.#branches.get(keyOf(span)) ?? this.#open(span, this.#parentOf(span));
    const parent = branch.parent ?? this.#root;
    const { output, result_output = output } = span.attributes;
    this.#row(parent, {
      glyph: '└',
      style: span.status === 'error' ? 'red' : 'bold',
      label: branch.label + notesOf(span),
      text: this.#unsaid(branch, result_output),
      figures: branch.totals.figuresOf(span),
    });
    parent.said = branch.said;
    this.#branches.delete(keyOf(span));
    branch.close();
    this.#here = parent;
  }

  #endCall(span: Span): void {
    const parent = this.#parentOf(span);
    if (this.#calls.delete(keyOf(span))) parent.calls -= 1;
    const own = new Totals();
    own.addCall(span);
    for (const branch of lineageOf(parent)) branch.totals.addCall(span);
    const failed = span.status === 'error';
    const tool = span.kind === 'tool';
    this.#row(parent, {
      glyph: failed ? '✗' : '•',
      style: failed ? 'red' : tool ? 'magenta' : 'cyan',
      agent: span.agent_name,
      label: labelOf(span.name || span.kind) + (tool ? '()' : '') + notesOf(span),
      text: failed ? previewOf(describeError(span)) : this.#unsaid(parent, answerOf(span)),
      figures: own.figuresOf(span),
    });
  }

  #annotate(span: Span, annotation: SpanAnnotation): void {
    const branch = this.#branches.get(keyOf(span));
    const failed = annotation.event_type === 'error';
    // the row of the call will say it
    if (branch === undefined && failed) return;
    this.#row(branch ?? this.#parentOf(span), {
      glyph: failed ? '✗' : '◆',
      style: failed ? 'red' : 'yellow',
      ...describeAnnotation(annotation),
    });
  }

  /** What belongs to no span: as a line, since there is no place for it in the tree. */
  #printStray(event: TraceEvent, note: string): void {
    const label = previewOf(note + formatLine(event))?.text ?? '';
    this.#row(this.#root, { glyph: '◆', style: 'yellow', label });
  }

  #row(branch: Branch, row: Omit<Row, 'depth' | 'crumbs'> & { readonly agent?: string }): void {
    const { agent = '', ...rest } = row;
    const here = new Set(lineageOf(this.#here));
    const labels: string[] = []; // innermost first
    let needed = 0;
    let named = agent === '';
    for (const above of lineageOf(branch)) {
      labels.push(above.label);
      if (!here.has(above) || (above.parent?.open ?? 0) > 1) needed = labels.length;
      named ||= above.name === agent;
    }
    const crumbs = labels.slice(0, Math.min(needed, MAX_LEVELS)).toReversed();
    // a call of an agent that nobody started
    if (!named) crumbs.push(labelOf(agent));
    this.#print({ ...rest, depth: branch.depth + 1, crumbs });
    this.#here = branch;
  }

  #open(span: Span, parent: Branch): Branch {
    const branch = new Branch(span.name || span.kind, parent);
    this.#branches.set(keyOf(span), branch);
    return branch;
  }

  #parentOf({ trace_id, span_id, parent_span_id }: Span): Branch {
    return (
      this.#calls.get(keyOf({ trace_id, span_id })) ??
      this.#placeOf(trace_id, parent_span_id) ??
      this.#root
    );
  }

  /** The branch of a span: its own, or the one that a call is made in. */
  #placeOf(traceId: string, spanId: unknown): Branch | undefined {
    if (typeof spanId !== 'string') return undefined;
    const key = keyOf({ trace_id: traceId, span_id: spanId });
    return this.#branches.get(key) ?? this.#calls.get(key);
  }

  /** The text, unless it was the last answer in the branch. */
  #unsaid(branch: Branch, value: unknown): Preview | undefined {
    const text = previewOf(value);
    if (text === undefined || text.text === branch.said) return undefined;
    branch.said = text.text;
    return text;
  }

  /**
   * A finished call waits for its cost. What comes after it in the same agent comes after it on the
   * screen, so that a tool does not stand above the answer that asked for it.
   */
  #settleCallsBefore(event: TraceEvent): void {
    if (this.#calls.size === 0 || CONCLUDING.has(event.event_type)) return;
    const { trace_id, span_id, parent_span_id } = idsOf(event);
    if (typeof trace_id === 'string' && typeof span_id === 'string') {
      const place = this.#placeOf(trace_id, parent_span_id) ?? this.#placeOf(trace_id, span_id);
      if (place === undefined || place.calls === 0) return;
    }
    this.#spans.flush();
  }
}

/** These may be about the call that waits. */
const CONCLUDING: ReadonlySet<string> = new Set(['llm_response', 'cost_record']);

function idsOf({ payload }: TraceEvent): TracePayload {
  try {
    const { trace_id, span_id, parent_span_id } = payload;
    return { trace_id, span_id, parent_span_id };
  } catch {
    return {}; // ids that throw when they are read
  }
}

function isCall({ kind }: Span): boolean {
  return kind === 'llm' || kind === 'tool';
}

/** A span id need not be unique across traces. */
function keyOf({ trace_id, span_id }: Pick<Span, 'trace_id' | 'span_id'>): string {
  return `${trace_id}\n${span_id}`;
}

/** A model's answer; what a tool was asked and what it said. */
function answerOf({ kind, attributes }: Span): unknown {
  if (kind === 'llm') return attributes['response'];
  return [attributes['arguments'], attributes['result']]
    .filter((value) => value !== undefined)
    .map((value) => formatValue(toPlainData(value)))
    .join(' → ');
}
