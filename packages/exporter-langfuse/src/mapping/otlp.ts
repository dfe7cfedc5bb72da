// An observation as OTLP/JSON, with the attributes that Langfuse reads.
// https://langfuse.com/integrations/native/opentelemetry
import type { Json } from '../content.ts';
import type { Observation } from '../observation.ts';

export interface OtlpAttribute {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly arrayValue: { readonly values: readonly { readonly stringValue: string }[] } };
}

/** What describes the program, the same on every span. */
export interface Origin {
  readonly environment?: string | undefined;
  readonly release?: string | undefined;
  readonly version?: string | undefined;
}

const SCOPE = { name: '@pyagent-trace/exporter-langfuse' };
const SPAN_KIND_INTERNAL = 1;
const STATUS_ERROR = 2;

export function toOtlpRequest(observations: readonly Observation[], origin: Origin): object {
  const spans = observations.map((observation) => toOtlpSpan(observation, origin));
  return {
    resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: SCOPE, spans }] }],
  };
}

function toOtlpSpan(observation: Observation, origin: Origin): object {
  const { trace, id, parent_id, name, start_time, end_time, level, status_message } = observation;
  return {
    traceId: trace.id,
    spanId: id,
    ...(parent_id !== undefined && { parentSpanId: parent_id }),
    name,
    kind: SPAN_KIND_INTERNAL,
    startTimeUnixNano: toNanoseconds(start_time),
    endTimeUnixNano: toNanoseconds(end_time),
    attributes: [...attributesOf(observation, origin)],
    ...(level === 'ERROR' && { status: { code: STATUS_ERROR, message: status_message ?? '' } }),
  };
}

function* attributesOf(observation: Observation, origin: Origin): Iterable<OtlpAttribute> {
  const { trace, tags, metadata, usage, cost_usd, completion_start_time } = observation;
  const texts: Record<string, string | undefined> = {
    'langfuse.trace.name': trace.name,
    'user.id': observation.user_id,
    'session.id': observation.session_id,
    'langfuse.environment': origin.environment,
    'langfuse.release': origin.release,
    'langfuse.version': origin.version,
    'langfuse.observation.type': observation.type,
    'langfuse.observation.level': observation.level,
    'langfuse.observation.status_message': observation.status_message,
    'langfuse.observation.input': observation.input && toText(observation.input),
    'langfuse.observation.output': observation.output && toText(observation.output),
    'langfuse.observation.model.name': observation.model,
    'langfuse.observation.model.parameters': JSON.stringify(observation.model_parameters),
    'langfuse.observation.usage_details': JSON.stringify(usage),
    // Langfuse adds up the costs of a trace and derives no total from names it does not know
    'langfuse.observation.cost_details':
      cost_usd === undefined ? undefined : JSON.stringify({ total: cost_usd }),
    'langfuse.observation.completion_start_time':
      completion_start_time === undefined
        ? undefined
        : JSON.stringify(new Date(Math.round(completion_start_time * 1000))),
  };
  for (const [key, text] of Object.entries(texts))
    if (text !== undefined) yield { key, value: { stringValue: text } };
  if (tags !== undefined && tags.length > 0)
    yield {
      key: 'langfuse.trace.tags',
      value: { arrayValue: { values: tags.map((tag) => ({ stringValue: tag })) } },
    };
  for (const [key, json] of Object.entries(metadata))
    yield { key: `langfuse.observation.metadata.${key}`, value: { stringValue: toText(json) } };
}

/** Langfuse takes a text as it is, and everything else as JSON. */
function toText(json: Json): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

/** Exact to the microsecond, which is what an event's timestamp has. */
function toNanoseconds(seconds: number): string {
  return `${BigInt(Math.round(seconds * 1e6)) * 1000n}`;
}
