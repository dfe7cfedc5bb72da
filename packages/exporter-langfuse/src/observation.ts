import type { TracePayload } from '@pyagent-trace/core';
import type { Span, SpanAnnotation } from '@pyagent-trace/core/spans';
import type { ContentFilter, Json } from './content.ts';
import { cutToBytes, cutToLength } from './cut.ts';
import { toSpanId } from './ids.ts';
import { modelParametersOf } from './model-parameters.ts';
import type { Trace } from './traces.ts';
import { costOf, type Usage, usageOf } from './usage.ts';

/** What Langfuse calls it; `event` has no duration. */
export type ObservationType = 'chain' | 'agent' | 'generation' | 'tool' | 'event';

/** One complete observation, as data: everything that is sent about it, in either of Langfuse's formats. */
export interface Observation {
  readonly type: ObservationType;
  /** 16 hex digits. */
  readonly id: string;
  /** Absent on a root. */
  readonly parent_id?: string;
  readonly trace: Trace;
  readonly name: string;
  /** Unix seconds. */
  readonly start_time: number;
  readonly end_time: number;
  readonly level: 'DEFAULT' | 'WARNING' | 'ERROR';
  readonly status_message?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly metadata: Readonly<Record<string, Json>>;
  readonly session_id?: string;
  readonly user_id?: string;
  readonly tags?: readonly string[];
  readonly model?: string;
  readonly model_parameters?: Readonly<Record<string, unknown>>;
  readonly usage?: Usage;
  /** US dollars. */
  readonly cost_usd?: number;
  /** Unix seconds: when the first piece of a streamed answer came. */
  readonly completion_start_time?: number;
  /** Events it was made of. */
  readonly events: number;
  /** Its part of the queue. */
  readonly bytes: number;
}

/** An observation's ids, times and numbers, in bytes. */
const ENVELOPE_BYTES = 500;
/** Of the tags, and of the model parameters: what people write there has a hundredth of it. */
const MAX_LIST_BYTES = 10_000;
/** What Langfuse takes as the name of a trace; a bound for the other texts that are no content. */
const MAX_NAME_LENGTH = 1_000;
/** The largest time that a trace event may have, in Unix seconds. */
const MAX_TIME = 1e11;

const TYPES = { pattern: 'chain', agent: 'agent', llm: 'generation', tool: 'tool' } as const;

/** Attributes that an observation has fields for. What else there is becomes metadata. */
const FIELDS: Readonly<Record<Span['kind'], readonly string[]>> = {
  pattern: ['input', 'output', 'result_output', 'pattern_type'],
  agent: ['input', 'output'],
  llm: [
    ['model', 'messages_in', 'response', 'tool_calls', 'result', 'cost_usd'],
    ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_creation_tokens'],
    ['reasoning_tokens', 'time_to_first_chunk_ms'],
  ].flat(),
  tool: ['arguments', 'result', 'tool_name'],
};

/** What is called so in Langfuse: the names that the Python exporter gives. */
export function nameOf({ kind, name, agent_name }: Span): string {
  if (kind === 'llm') return cut(agent_name === '' ? 'llm_call' : `llm_call.${agent_name}`);
  return cut(name === '' ? kind : name);
}

/** The observation that a span is, made of so many events. */
export function toObservation(
  span: Span,
  events: number,
  trace: Trace,
  filter: ContentFilter,
): Observation {
  const { kind, trace_id, parent_span_id } = span;
  const start_time = clampTime(span.start_time);
  const end_time = Math.max(start_time, clampTime(span.end_time ?? span.start_time));
  const message = filter.statusMessage(statusMessageOf(span));
  const parameters = kind === 'llm' ? modelParametersOf(span.attributes) : {};
  const { bytes, ...content } = filter.content({
    ...inputAndOutputOf(span),
    metadata: metadataOf(span, trace, new Set([...FIELDS[kind], ...Object.keys(parameters)])),
  });
  return withBytes(bytes, {
    type: TYPES[kind],
    id: toSpanId(trace_id, span.span_id),
    ...(parent_span_id !== undefined && { parent_id: toSpanId(trace_id, parent_span_id) }),
    trace,
    name: nameOf(span),
    start_time,
    end_time,
    level: levelOf(span),
    ...(message !== undefined && { status_message: message }),
    ...content,
    ...contextOf(span),
    ...(kind === 'llm' && generationOf(span, parameters, start_time, end_time)),
    events,
  });
}

/** Something that happened at one moment: a routing decision, a compression, an event of unknown type. */
export interface Moment extends SpanAnnotation {
  readonly id: string;
  readonly parent_id: string | undefined;
  readonly trace: Trace;
  readonly context: Context;
}

type Context = Pick<Span, 'session_id' | 'user_id' | 'tags'>;

/** Keys that an event's observation has fields for, or inherits. */
const MOMENT_FIELDS: ReadonlySet<string> = new Set(
  [
    ['trace_id', 'span_id', 'parent_span_id', 'traceparent', 'session_id', 'user_id', 'tags'],
    ['result', 'metadata'],
  ].flat(),
);

export function toEventObservation(moment: Moment, filter: ContentFilter): Observation {
  const { id, parent_id, trace, timestamp, event_type, payload, context } = moment;
  const time = clampTime(timestamp);
  const isError = event_type === 'error';
  const message = isError ? filter.statusMessage(errorMessageOf(payload)) : undefined;
  const { bytes, ...content } = filter.content({
    output: payload['result'],
    metadata: { ...restOf(payload, MOMENT_FIELDS), ...fieldsIn(payload['metadata']) },
  });
  return withBytes(bytes, {
    type: 'event',
    id,
    ...(parent_id !== undefined && { parent_id }),
    trace,
    name: cut(event_type),
    start_time: time,
    end_time: time,
    level: isError ? 'ERROR' : 'DEFAULT',
    ...(message !== undefined && { status_message: message }),
    ...content,
    ...contextOf(context),
    events: 1,
  });
}

/** Its content has so many bytes; what else there is of texts is counted here. */
function withBytes(contentBytes: number, observation: Omit<Observation, 'bytes'>): Observation {
  const { name, trace, session_id, user_id, tags, model, model_parameters } = observation;
  const texts = [name, trace, session_id, user_id, tags, model, model_parameters];
  const bytes = Buffer.byteLength(JSON.stringify([...texts, observation.status_message]));
  return { ...observation, bytes: contentBytes + bytes + ENVELOPE_BYTES };
}

function inputAndOutputOf({ kind, attributes }: Span): { input: unknown; output: unknown } {
  const { input, output, result_output, messages_in, response, result, tool_calls } = attributes;
  switch (kind) {
    case 'llm': {
      const answer = response ?? result;
      // as OpenAI writes it, and Langfuse shows it
      const message = { role: 'assistant', content: answer ?? null, tool_calls };
      return { input: messages_in, output: tool_calls === undefined ? answer : message };
    }
    case 'tool':
      return { input: attributes['arguments'], output: result };
    default:
      return { input, output: result_output ?? output };
  }
}

function generationOf(
  { name, attributes }: Span,
  parameters: Readonly<Record<string, unknown>>,
  start_time: number,
  end_time: number,
): Partial<Observation> {
  const { model, time_to_first_chunk_ms: firstMs } = attributes;
  const answered = typeof model === 'string' && model !== '' ? model : name;
  const usage = usageOf(attributes);
  const cost_usd = costOf(attributes);
  return {
    ...(answered !== '' && { model: cut(answered) }),
    ...(Object.keys(parameters).length > 0 && {
      model_parameters: cutToBytes(parameters, MAX_LIST_BYTES) as Record<string, unknown>,
    }),
    ...(usage !== undefined && { usage }),
    ...(cost_usd !== undefined && { cost_usd }),
    ...(typeof firstMs === 'number' &&
      firstMs >= 0 && { completion_start_time: Math.min(start_time + firstMs / 1000, end_time) }),
  };
}

function metadataOf(
  span: Span,
  trace: Trace,
  fields: ReadonlySet<string>,
): Record<string, unknown> {
  const { kind, trace_id, span_id, parent_span_id, agent_name, attributes } = span;
  const errors = errorsIn(span);
  const isReplaced = (id: string): boolean => toSpanId(trace_id, id) !== id;
  const metadata: Record<string, unknown> = {
    ...restOf(attributes, fields),
    status: undefined, // the level says it
    ...(agent_name !== '' && kind !== 'agent' && { agent_name }),
    ...(errors.length > 0 && {
      errors: errors.map(({ payload }) => restOf(payload, MOMENT_FIELDS)),
    }),
    ...(trace.id !== trace_id && trace_id !== '' && { trace_id }),
    ...(isReplaced(span_id) && { span_id }),
    ...(parent_span_id !== undefined && isReplaced(parent_span_id) && { parent_span_id }),
  };
  for (const mark of MARKS) if (span[mark] !== undefined) metadata[mark] = span[mark];
  return { ...metadata, ...fieldsIn(attributes['metadata']) };
}

const MARKS = ['synthetic_start', 'incomplete', 'orphan', 'remote_parent', 'clock_skew'] as const;

function levelOf(span: Span): Observation['level'] {
  const sawError = errorsIn(span).length > 0;
  // Python's ends have no status
  if (span.status === 'error' || (sawError && span.attributes['status'] !== 'ok')) return 'ERROR';
  return sawError || span.status === 'cancelled' || span.incomplete ? 'WARNING' : 'DEFAULT';
}

function statusMessageOf(span: Span): unknown {
  const error = errorsIn(span).at(-1);
  if (error !== undefined) return errorMessageOf(error.payload);
  if (span.status === 'cancelled') return 'cancelled';
  return span.incomplete ? 'its end never came' : undefined;
}

function errorsIn({ annotations }: Span): readonly SpanAnnotation[] {
  return annotations.filter(({ event_type }) => event_type === 'error');
}

function errorMessageOf({ message, error_type, code }: TracePayload): unknown {
  return message ?? error_type ?? code;
}

function restOf(payload: TracePayload, without: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(payload).filter(([key]) => key !== 'metadata' && !without.has(key)),
  );
}

/** The user's own keys. */
function fieldsIn(metadata: unknown): object {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return metadata === undefined || metadata === null ? {} : { metadata };
  return metadata;
}

function contextOf({ session_id, user_id, tags }: Context): Context {
  return {
    ...(session_id !== undefined && { session_id: cut(session_id) }),
    ...(user_id !== undefined && { user_id: cut(user_id) }),
    ...(tags !== undefined && { tags: cutToBytes(tags.map(cut), MAX_LIST_BYTES) as string[] }),
  };
}

function cut(name: string): string {
  return cutToLength(name, MAX_NAME_LENGTH);
}

/** 0 for what is no time. */
function clampTime(seconds: number): number {
  return seconds >= 0 ? Math.min(seconds, MAX_TIME) : 0;
}
