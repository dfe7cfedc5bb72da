// What a backend got, as rows: each span under its parent, whatever order they came in.
import { escapeControls } from '@pyagent-trace/core';
import type { ReceivedSpan } from './otlp-decode.ts';

const NAME_WIDTH = 34;
const TOKENS_WIDTH = 12;
const COST_WIDTH = 9;
const FAILURE_WIDTH = 12;
const COST = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });

/** One row per span: name, tokens, cost, what failed, duration. A span whose parent is missing is a root. */
export function formatSpanTree(spans: readonly ReceivedSpan[]): string {
  const byStart = spans.toSorted((a, b) => Number(a.start_ns - b.start_ns));
  const ids = new Set(spans.map(({ span_id }) => span_id));
  const childrenOf = new Map<string, ReceivedSpan[]>();
  for (const span of byStart) {
    const parent = ids.has(span.parent_span_id) ? span.parent_span_id : '';
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), span]);
  }

  function rows(span: ReceivedSpan, head: string, indent: string): string[] {
    const children = childrenOf.get(span.span_id) ?? [];
    const below = children.flatMap((child, index) =>
      index < children.length - 1
        ? rows(child, `${indent}├ `, `${indent}│ `)
        : rows(child, `${indent}└ `, `${indent}  `),
    );
    return [row(span, head), ...below];
  }

  const roots = childrenOf.get('') ?? [];
  return roots.flatMap((root) => rows(root, '', '')).join('\n');
}

function row(span: ReceivedSpan, head: string): string {
  return [
    escapeControls(head + span.name).padEnd(NAME_WIDTH),
    tokensOf(span).padStart(TOKENS_WIDTH),
    costOf(span).padStart(COST_WIDTH),
    failureOf(span).padEnd(FAILURE_WIDTH),
    durationOf(span).padStart(7),
  ].join('  ');
}

/** A call has its own, an agent and a pattern the sum of theirs. */
function tokensOf({ attributes }: ReceivedSpan): string {
  const input = attributes['pyagent.cost.input_tokens'];
  const output = attributes['pyagent.cost.output_tokens'];
  return input === undefined ? '' : `${Number(input)}→${Number(output)} tok`;
}

function costOf({ attributes }: ReceivedSpan): string {
  const cost = attributes['pyagent.cost.total_usd'];
  return cost === undefined ? '' : `$${COST.format(Number(cost))}`;
}

function failureOf({ status, attributes }: ReceivedSpan): string {
  return status === 'error' ? escapeControls(`✗ ${String(attributes['error.type'])}`) : '';
}

function durationOf({ start_ns, end_ns }: ReceivedSpan): string {
  const ms = Number(end_ns - start_ns) / 1e6;
  return ms < 999.5 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
