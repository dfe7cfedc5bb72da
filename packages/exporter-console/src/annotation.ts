import { toPlainData } from '@pyagent-trace/core';
import type { Span, SpanAnnotation } from '@pyagent-trace/core/spans';
import { formatEntries, formatValue } from './line.ts';

/** What a row says of an event inside a span; its place in the tree says the ids. */
export function describe({ event_type, payload }: SpanAnnotation): string {
  const plain = toPlainData(payload) as Record<string, unknown>;
  const { trace_id: _, span_id: __, parent_span_id: ___, ...rest } = plain;
  // what the router returned is kept for a replay, and mostly says the model again
  if (event_type === 'routing_decision' && 'selected_model' in rest) delete rest['result'];
  if (event_type !== 'error') return formatEntries(rest);
  const { error_type, message } = rest;
  return [error_type, message]
    .filter((part) => part !== undefined)
    .map(formatValue)
    .join(': ');
}

const MARKS = ['incomplete', 'synthetic_start', 'orphan', 'clock_skew'] as const;

/** What is not as it should be with a span, behind its name, in the words of the wire. */
export function notesOf(span: Span): string {
  const marks = MARKS.filter((mark) => span[mark]);
  const notes = span.status === 'ok' ? marks : [span.status, ...marks];
  return notes.length > 0 ? ` (${notes.join(', ')})` : '';
}
