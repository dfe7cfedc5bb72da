import type { TracePayload } from '@pyagent-trace/core';
import { answeredOf, askedOf } from '../entry-of.ts';
import type { RecordEntry } from '../record-entry.ts';
import type { Compared, Exchange, ExchangeKind } from './exchange.ts';
import { type IgnoredPath, isRecord, questionOf } from './question.ts';
import { answerOf, NEVER_ENDED } from './recorded-answer.ts';

const KINDS: Readonly<Record<string, ExchangeKind>> = {
  llm_call: 'llm_call',
  tool_end: 'tool',
  routing_decision: 'routing_decision',
};

/** The exchange of an entry; `undefined` where it is no call. */
export function exchangeOfEntry(
  entry: RecordEntry,
  line: number,
  ignored: readonly IgnoredPath[],
): Exchange | undefined {
  const { event_type, agent_name, timestamp, metadata } = entry;
  const kind = Object.hasOwn(KINDS, event_type) ? KINDS[event_type] : undefined;
  if (kind === undefined) return undefined;
  const { duration_ms, error, incomplete } = metadata;
  const asked = askedOf(entry);
  // of a decision, nobody can tell which keys were asked
  const end = { ...(kind === 'routing_decision' && asked), ...answeredOf(entry) };
  const seconds = typeof duration_ms === 'number' ? duration_ms / 1000 : 0;
  return {
    kind,
    question: questionOf(agent_name, asked, ignored),
    compared: comparedBy(kind, metadata),
    answer:
      incomplete === true
        ? { end: {}, problem: NEVER_ENDED }
        : answerOf(end, isRecord(error) ? (error as never) : undefined),
    agent_name,
    pattern_type: text(metadata, 'pattern_type'),
    session_id: text(metadata, 'session_id'),
    line,
    order: timestamp - seconds,
    ...(kind !== 'routing_decision' && { span: idOf(metadata, 'span_id') }),
    inside:
      idOf(metadata, 'outer_span_id') ??
      idOf(metadata, kind === 'routing_decision' ? 'span_id' : 'parent_span_id'),
    optional:
      incomplete === true || (kind === 'routing_decision' && !Object.hasOwn(metadata, 'result')),
  };
}

function comparedBy(kind: ExchangeKind, { status }: TracePayload): Compared {
  if (kind === 'routing_decision') return 'asked'; // a recorder on a bus cannot tell what was asked
  // Python's recorder writes what the app tells it, and no status
  return kind === 'llm_call' && status === undefined ? 'prompt' : 'all';
}

function text(metadata: TracePayload, key: string): string {
  const value = metadata[key];
  return typeof value === 'string' ? value : '';
}

function idOf(metadata: TracePayload, key: string): string | undefined {
  const span = metadata[key];
  return typeof span === 'string' ? `${String(metadata['trace_id'])} ${span}` : undefined;
}
