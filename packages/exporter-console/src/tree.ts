import { toPlainData, type TraceEvent } from '@pyagent-trace/core';
import { type Span, type SpanAnnotation, SpanAssembler } from '@pyagent-trace/core/spans';
import { describe, notesOf } from './annotation.ts';
import { Branch, labelOf, lineageOf } from './branch.ts';
import { formatLine, formatValue } from './line.ts';
import { MAX_LEVELS, type Row } from './row.ts';
import { previewOf } from './text.ts';
import { Totals } from './totals.ts';

/**
 * Events in, rows out: a row when a pattern or agent starts and ends, one for each finished call, and
 * one for whatever else is said, all at the moment they are known.
 */
export class Tree {
  /** Calls that have begun and are not printed: each stands for an event whose row is still to come. */
  held = 0;
  readonly #print: (row: Row) => void;
  readonly #spans: SpanAssembler;
  readonly #root = new Branch();
  /** Of an open pattern or agent its branch, of a call that is not printed the branch it is in. */
  readonly #places = new Map<string, Branch>();
  /** The branch that the last row left open. */
  #here = this.#root;

  constructor(print: (row: Row) => void) {
    this.#print = print;
    this.#spans = new SpanAssembler({
      onStart: (span) => this.#start(span),
      onAnnotate: (span, annotation) => this.#annotate(span, annotation),
      onEnd: (span) => (isCall(span) ? this.#endCall(span) : this.#end(span)),
    });
  }

  add(event: TraceEvent): void {
    const before = this.#spans.stats();
    this.#spans.add(event);
    const { late, unmatched } = this.#spans.stats();
    if (late > before.late) this.#printStray('late', event);
    else if (unmatched > before.unmatched) this.#printStray('unmatched', event);
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
    const parent = this.#placeOf(span);
    this.#settleCalls(parent);
    if (isCall(span)) {
      this.#places.set(keyOf(span), parent);
      parent.calls += 1;
      this.held += 1;
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
    const key = keyOf(span);
    const branch = this.#places.get(key) ?? this.#open(span, this.#placeOf(span));
    const parent = branch.parent ?? this.#root;
    const { output, result_output = output } = span.attributes;
    const answer = previewOf(result_output);
    this.#row(parent, {
      glyph: '└',
      style: span.status === 'error' ? 'red' : 'bold',
      label: branch.label + notesOf(span),
      text: answer?.text === branch.said ? undefined : answer,
      figures: branch.totals.figuresOf(span),
    });
    parent.said = answer?.text ?? branch.said;
    this.#places.delete(key);
    branch.close();
  }

  #endCall(span: Span): void {
    const branch = this.#placeOf(span);
    if (this.#places.delete(keyOf(span))) {
      branch.calls -= 1;
      this.held -= 1;
    }
    const own = new Totals();
    own.addCall(span);
    for (const above of lineageOf(branch)) above.totals.addCall(span);
    const failed = span.status === 'error';
    const tool = span.kind === 'tool';
    const text = previewOf(failed ? failureOf(span) : answerOf(span));
    branch.said = text?.text;
    this.#row(
      branch,
      {
        glyph: failed ? '✗' : '•',
        style: failed ? 'red' : tool ? 'magenta' : 'cyan',
        label: labelOf(span.name || span.kind) + (tool ? '()' : '') + notesOf(span),
        text,
        figures: own.figuresOf(span),
      },
      span.agent_name,
    );
  }

  #annotate(span: Span, annotation: SpanAnnotation): void {
    const failed = annotation.event_type === 'error';
    // the row of the call will say it
    if (failed && isCall(span) && span.end_time === undefined) return;
    const branch = this.#placeOf(span);
    this.#settleCalls(branch);
    this.#row(branch, {
      glyph: failed ? '✗' : '◆',
      style: failed ? 'red' : 'yellow',
      label: labelOf(annotation.event_type),
      text: previewOf(describe(annotation)),
    });
  }

  /**
   * A finished call waits for its cost. What comes after it in the same agent comes after it on the
   * screen, so that a tool does not stand above the answer that asked for it.
   */
  #settleCalls(branch: Branch): void {
    if (branch.calls > 0) this.#spans.flush();
  }

  /** What belongs to no span: as a line, since there is no place for it in the tree. */
  #printStray(label: string, event: TraceEvent): void {
    const text = previewOf(formatLine(event));
    this.#row(this.#root, { glyph: '◆', style: 'yellow', label, text });
  }

  /** Prints a row in a branch. The agent is named if none of its branches is above. */
  #row(branch: Branch, row: Omit<Row, 'depth' | 'crumbs'>, agent = ''): void {
    const here = new Set(lineageOf(this.#here));
    const labels: string[] = []; // innermost first
    let needed = 0;
    let named = agent === '';
    for (const above of lineageOf(branch)) {
      labels.push(above.label);
      if (!here.has(above) || above.isOneOfSeveral) needed = labels.length;
      named ||= above.name === agent;
    }
    const crumbs = labels.slice(0, Math.min(needed, MAX_LEVELS)).toReversed();
    if (!named) crumbs.push(labelOf(agent));
    this.#print({ ...row, depth: labels.length, crumbs });
    this.#here = branch;
  }

  #open(span: Span, parent: Branch): Branch {
    const branch = new Branch(span.name || span.kind, parent);
    this.#places.set(keyOf(span), branch);
    return branch;
  }

  /** The branch to print a span or its children in. */
  #placeOf(span: Span): Branch {
    const { trace_id, parent_span_id: span_id = '' } = span;
    const places = this.#places;
    return places.get(keyOf(span)) ?? places.get(keyOf({ trace_id, span_id })) ?? this.#root;
  }
}

function isCall({ kind }: Span): boolean {
  return kind === 'llm' || kind === 'tool';
}

/** A span id need not be unique across traces. */
function keyOf({ trace_id, span_id }: Pick<Span, 'trace_id' | 'span_id'>): string {
  return `${trace_id}\n${span_id}`;
}

/** Why a call failed, as far as anybody said. */
function failureOf({ annotations }: Span): string {
  const error = annotations.findLast(({ event_type }) => event_type === 'error');
  return error === undefined ? '' : describe(error);
}

/** A model's answer; what a tool was asked and what it said. */
function answerOf({ kind, attributes }: Span): unknown {
  if (kind === 'llm') return attributes['response'];
  return [attributes['arguments'], attributes['result']]
    .filter((value) => value !== undefined)
    .map((value) => formatValue(toPlainData(value)))
    .join(' → ');
}
