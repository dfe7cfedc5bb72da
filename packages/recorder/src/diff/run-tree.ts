import type { TraceEvent, TracePayload } from '@pyagent-trace/core';
import { type Span, type SpanAnnotation, SpanAssembler } from '@pyagent-trace/core/spans';
import { takeApart } from './compared.ts';
import type { RunNode } from './run-node.ts';

export interface RunTree {
  readonly roots: readonly RunNode[];
  /** What the tree does not hold. */
  readonly warnings: readonly string[];
}

type Growing = Omit<RunNode, 'children'> & { readonly children: Growing[] };

interface Placed {
  readonly span: Span;
  readonly node: Growing;
  /** In which order it was seen first: spans that start at once keep it. */
  readonly index: number;
}

/**
 * The operations of a run, as the assembler pairs and nests them. In one go: while events are read one by
 * one, a call would be handed on after 250 ms without the cost that stands a few lines below.
 */
export function buildTree(events: Iterable<TraceEvent>): RunTree {
  const order = new Map<string, number>();
  const placed = new Map<string, Placed>();
  let dropped = 0;
  const assembler = new SpanAssembler({
    onStart: (span) => void order.set(keyOf(span), order.size),
    onEnd: (span) => {
      const key = keyOf(span);
      placed.set(key, { span, node: toNode(span), index: order.get(key) ?? 0 });
      dropped += span.dropped_annotations ?? 0;
    },
  });
  for (const event of events) assembler.add(event);
  assembler.shutdown();

  const { unmatched, late } = assembler.stats();
  const left = unmatched + late + dropped;
  return {
    roots: nest(placed),
    warnings:
      left === 0 ? [] : [`${left} events are about no operation, or came too late: not compared`],
  };
}

function keyOf({ trace_id, span_id }: Span): string {
  return JSON.stringify([trace_id, span_id]);
}

function nest(placed: ReadonlyMap<string, Placed>): RunNode[] {
  const byStart = [...placed.values()].toSorted(
    (a, b) => a.node.start - b.node.start || a.index - b.index,
  );
  const parents = new Map<Growing, Growing>();
  for (const { span, node } of byStart) {
    const { parent_span_id } = span;
    if (parent_span_id === undefined) continue;
    const parent = placed.get(keyOf({ ...span, span_id: parent_span_id }));
    if (parent !== undefined) parents.set(node, parent.node);
  }
  const nodes = byStart.map(({ node }) => node);
  for (const root of circles(nodes, parents)) parents.delete(root);
  for (const node of nodes) parents.get(node)?.children.push(node);
  // events stand among the operations that ran before and after them
  for (const node of nodes) node.children.sort((a, b) => a.start - b.start);
  return nodes.filter((node) => !parents.has(node));
}

/** One span of each circle of parents, which a hostile file may have: nothing else leads to it. */
function* circles(
  nodes: readonly Growing[],
  parents: ReadonlyMap<Growing, Growing>,
): Generator<Growing, void, void> {
  const seen = new Map<Growing, Growing>();
  for (const first of nodes)
    for (let node: Growing | undefined = first; node !== undefined; node = parents.get(node)) {
      const seenFrom = seen.get(node);
      if (seenFrom === undefined) seen.set(node, first);
      else {
        if (seenFrom === first) yield node;
        break;
      }
    }
}

function toNode(span: Span): Growing {
  const { name, agent_name, attributes, start_time, end_time = start_time } = span;
  const isIncomplete = span.incomplete === true || attributes['incomplete'] === true;
  const kind = span.kind === 'llm' ? 'llm_call' : span.kind;
  const isCall = kind === 'llm_call' || kind === 'tool';
  const error = isCall
    ? span.annotations.find(({ event_type }) => event_type === 'error')
    : undefined;
  const { asked, answered } = takeApart(kind, {
    ...attributes,
    // both of one call: the attributes have the model that answered
    model: kind === 'llm_call' ? name : undefined,
    answered_by: answeredBy(span),
    error: error === undefined ? attributes['error'] : errorOf(error.payload),
    status: isIncomplete ? 'incomplete' : span.status,
  });
  return {
    kind,
    name,
    agent_name,
    pattern_type: span.pattern_type,
    start: start_time,
    end: end_time,
    is_point: start_time === end_time && durationOf(span) === undefined,
    duration_ms: isIncomplete ? undefined : durationOf(span),
    asked,
    answered,
    children: span.annotations
      .filter((annotation) => annotation !== error)
      .map((annotation) => eventNode(annotation, span)),
  };
}

/** A model that calls itself otherwise than it was asked for. */
function answeredBy({ kind, name, attributes }: Span): unknown {
  if (kind !== 'llm') return undefined;
  const model = attributes['response_model'] ?? attributes['model'];
  return model === name ? undefined : model;
}

/** An event that happened inside an operation. */
export function eventNode(
  { event_type, timestamp, payload }: SpanAnnotation,
  { agent_name, pattern_type }: Pick<Span, 'agent_name' | 'pattern_type'>,
): RunNode & { readonly children: [] } {
  return {
    kind: event_type,
    name: '',
    agent_name,
    pattern_type,
    start: timestamp,
    end: timestamp,
    is_point: false,
    duration_ms: undefined,
    ...takeApart(event_type, event_type === 'error' ? errorOf(payload) : payload),
    children: [],
  };
}

function errorOf({ message, error_type, code }: TracePayload): Record<string, unknown> {
  return { message, error_type, code };
}

/** Milliseconds, or `undefined` where a call was written after the fact without its duration. */
function durationOf({ start_time, end_time, attributes }: Span): number | undefined {
  const { duration_ms, duration_seconds } = attributes;
  if (typeof duration_ms === 'number') return duration_ms;
  if (typeof duration_seconds === 'number') return duration_seconds * 1000;
  return end_time === undefined || end_time === start_time
    ? undefined
    : Math.round((end_time - start_time) * 1e6) / 1000;
}
