import { type Span, type SpanAnnotation, toPlainData } from '@pyagent-trace/core';
import { formatCount, numberIn } from './figures.ts';
import { formatEntries, formatValue } from './line.ts';
import { type Preview, previewOf } from './text.ts';

/** What a row says of an event inside a span. */
export function describeAnnotation({ event_type, payload }: SpanAnnotation): {
  label: string;
  text: Preview | undefined;
} {
  const plain = toPlainData(payload) as Readonly<Record<string, unknown>>;
  switch (event_type) {
    case 'error':
      return { label: 'error', text: previewOf(messageOf(plain)) };
    case 'routing_decision':
      return { label: 'routing', text: previewOf(describeRouting(plain)) };
    case 'compression':
      return { label: 'compression', text: previewOf(describeCompression(plain)) };
    default: {
      const { trace_id: _, span_id: __, parent_span_id: ___, ...rest } = plain;
      return { label: event_type, text: previewOf(formatEntries(rest)) };
    }
  }
}

/** Why a call failed, as far as anybody said. */
export function describeError({ annotations }: Span): string {
  const error = annotations.findLast(({ event_type }) => event_type === 'error');
  return error === undefined
    ? ''
    : messageOf(toPlainData(error.payload) as Readonly<Record<string, unknown>>);
}

/** What is not as it should be with a span, behind its name. */
export function notesOf(span: Span): string {
  const notes = [
    // a call has its mark and its message
    span.status === 'error' && (span.kind === 'pattern' || span.kind === 'agent') && 'failed',
    span.status === 'cancelled' && 'cancelled',
    span.incomplete && 'incomplete',
    span.synthetic_start && 'start not seen',
    span.orphan && 'parent not seen',
    span.clock_skew && 'clock skew',
  ].filter(Boolean);
  return notes.length > 0 ? ` (${notes.join(', ')})` : '';
}

function messageOf({ error_type, message }: Readonly<Record<string, unknown>>): string {
  return [error_type, message].filter(isSaid).map(formatValue).join(': ');
}

function describeRouting(payload: Readonly<Record<string, unknown>>): string {
  const { difficulty, difficulty_category, selected_model } = payload;
  const category = isSaid(difficulty_category) ? `(${formatValue(difficulty_category)})` : '';
  return [
    isSaid(difficulty) ? `difficulty ${formatValue(difficulty)}` : '',
    category,
    isSaid(selected_model) ? `→ ${formatValue(selected_model)}` : '',
  ]
    .filter(isSaid)
    .join(' ');
}

function describeCompression(payload: Readonly<Record<string, unknown>>): string {
  const [before, after, saved] = ['input_tokens', 'output_tokens', 'savings_pct'].map((key) =>
    numberIn(payload[key]),
  );
  const counts = [before, after].filter((count) => count !== undefined).map(formatCount);
  return [
    counts.length > 0 ? `${counts.join('→')} tok` : '',
    saved === undefined ? '' : `${Math.round(saved * 100)}% saved`,
  ]
    .filter(isSaid)
    .join(', ');
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
