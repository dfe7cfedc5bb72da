import { newSpanId } from '../ids.ts';
import { type Reading, text } from './reading.ts';
import type { SpanRecord } from './record.ts';
import type { SpanStore } from './store.ts';
import type { SpanKind } from './span.ts';

/** Which span an event is about. */
export interface Identity {
  readonly trace_id: string;
  /** Of the span it starts, ends or happened in; absent if there is none. */
  readonly span_id: string | undefined;
  /** Of a start, or of an end whose start is missing. */
  readonly parent_span_id: string | undefined;
}

/**
 * The first of two steps: every event gets ids. Those it carries are taken; for those it lacks (events
 * from Python) the newest span that fits is the one. After this step nothing but ids pairs events.
 */
export function identify(reading: Reading, store: SpanStore): Identity {
  const trace_id = reading.trace_id ?? traceOf(reading, store);
  const kind = reading.starts ?? reading.ends;
  if (kind === undefined)
    return { trace_id, span_id: aboutWhat(reading, trace_id, store), parent_span_id: undefined };
  const open = openSpans(trace_id, store);
  const { ends, parent_span_id = reading.remote_span_id } = reading;
  const span_id = reading.span_id ?? (ends && endedBy(ends, reading, open)?.span.span_id);
  if (span_id !== undefined) return { trace_id, span_id, parent_span_id };
  return {
    trace_id,
    span_id: newSpanId(),
    parent_span_id: parent_span_id ?? parentOf(kind, reading, open)?.span.span_id,
  };
}

/** The trace of what it names by id, else of its pattern, else of the newest open pattern. */
function traceOf(reading: Reading, store: SpanStore): string {
  const { starts, span_id, parent_span_id, pattern_type } = reading;
  for (const id of [starts ? undefined : span_id, parent_span_id]) {
    const found = id && store.traceOf(id, pattern_type);
    if (found !== undefined) return found;
  }
  // as in the seed; a cost tracker or an old agent in a run that has ids joins that run
  if (pattern_type !== '' && (starts === 'pattern' || store.hasTrace(pattern_type)))
    return pattern_type;
  return store.newestPattern(pattern_type)?.span.trace_id ?? pattern_type;
}

type Find = (
  kind: SpanKind,
  matches?: (record: SpanRecord) => boolean,
  ended?: boolean,
) => SpanRecord | undefined;

/** Finds the newest span of a trace that is open, or else waits for something, of a kind. */
function openSpans(trace_id: string, store: SpanStore): Find {
  return (kind, matches = () => true, ended = false) =>
    store.newest(
      trace_id,
      (record) =>
        record.span.kind === kind &&
        (record.span.end_time !== undefined) === ended &&
        matches(record),
    );
}

function parentOf(kind: SpanKind, { agent_name }: Reading, open: Find): SpanRecord | undefined {
  if (kind === 'agent') return open('pattern');
  const own = kind === 'pattern' ? undefined : open('agent', isOf(agent_name));
  return own ?? open('agent') ?? open('pattern');
}

function endedBy(kind: SpanKind, reading: Reading, open: Find): SpanRecord | undefined {
  const ofAgent = isOf(reading.agent_name);
  switch (kind) {
    case 'pattern':
      return open(kind, ({ span }) => [span.pattern_type, ''].includes(reading.pattern_type));
    case 'agent':
      return open(kind, ofAgent);
    case 'llm':
      // an error may have come before its answer
      return open(kind, ofAgent) ?? open(kind, (call) => ofAgent(call) && !call.answered, true);
    default: {
      const { tool_call_id, tool_name } = reading.attributes;
      const id = text(tool_call_id);
      return (
        open(kind, (tool) => id !== undefined && callIdOf(tool) === id) ??
        open(
          kind,
          (tool) =>
            tool.span.name === (text(tool_name) ?? '') &&
            (id === undefined || callIdOf(tool) === undefined),
        )
      );
    }
  }
}

/** The operation that an event which starts and ends nothing happened in. */
function aboutWhat(reading: Reading, trace_id: string, store: SpanStore): string | undefined {
  const { event_type, span_id, parent_span_id, agent_name } = reading;
  if (event_type === 'trace_gap') return undefined; // about the writer, not about a span
  if (span_id !== undefined) {
    const known = store.get(trace_id, span_id) ?? store.recall(trace_id, span_id);
    return known !== undefined ? span_id : (parent_span_id ?? span_id);
  }
  const open = openSpans(trace_id, store);
  const ofAgent = isOf(agent_name);
  const isCost = event_type === 'cost_record';
  const call = isCost ? unpricedCall(reading, trace_id, store) : undefined;
  if (call === undefined && parent_span_id !== undefined) return parent_span_id;
  const running = isCost ? undefined : (open('llm', ofAgent) ?? open('tool', ofAgent));
  const agent = open('agent', ofAgent) ?? (isCost ? undefined : open('agent'));
  return (call ?? running ?? agent ?? open('pattern'))?.span.span_id;
}

/** The call that a cost without a `span_id` is for. */
function unpricedCall(
  { agent_name, parent_span_id, attributes }: Reading,
  trace_id: string,
  store: SpanStore,
): SpanRecord | undefined {
  const model = text(attributes['model']);
  return store.newest(trace_id, ({ span, priced }) => {
    const models = [span.name, span.attributes['model']];
    return (
      span.kind === 'llm' &&
      !priced &&
      span.agent_name === agent_name &&
      (parent_span_id === undefined || span.parent_span_id === parent_span_id) &&
      (model === undefined || !models.some(text) || models.includes(model))
    );
  });
}

function callIdOf({ span }: SpanRecord): string | undefined {
  return text(span.attributes['tool_call_id']);
}

function isOf(agentName: string): (record: SpanRecord) => boolean {
  return (record) => record.span.agent_name === agentName;
}
