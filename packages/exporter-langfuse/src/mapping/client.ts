// An observation as the `langfuse` package takes it: one call each, with everything in it, since an update
// may be read before what it updates.
import type { LangfuseClient } from '../client.ts';
import type { Json } from '../content.ts';
import type { Observation } from '../observation.ts';
import type { Origin } from './otlp.ts';

/** Gives a client one observation, and before a root its trace. Yields what it returns. */
export function* record(
  client: LangfuseClient,
  observation: Observation,
  origin: Origin,
): Iterable<unknown> {
  if (observation.parent_id === undefined) yield client.trace(toTraceBody(observation, origin));
  const body = toBody(observation, origin);
  switch (observation.type) {
    case 'generation':
      yield client.generation({ ...body, ...toGenerationFields(observation) });
      break;
    case 'event':
      yield client.event(body);
      break;
    default:
      yield client.span({ ...body, endTime: toDate(observation.end_time) });
  }
}

function toTraceBody(observation: Observation, { environment, release, version }: Origin): object {
  const { trace, session_id, user_id, tags, start_time, input, output, metadata } = observation;
  return defined({
    id: trace.id,
    name: trace.name,
    timestamp: toDate(trace.start_time ?? start_time),
    sessionId: session_id,
    userId: user_id,
    tags,
    input: fromJson(input),
    output: fromJson(output),
    metadata: fromFields(metadata),
    environment,
    release,
    version,
  });
}

function toBody(observation: Observation, { environment, version }: Origin): object {
  const { id, trace, parent_id, name, level, status_message, start_time } = observation;
  return defined({
    id,
    traceId: trace.id,
    parentObservationId: parent_id,
    name,
    startTime: toDate(start_time),
    input: fromJson(observation.input),
    output: fromJson(observation.output),
    metadata: fromFields(observation.metadata),
    level,
    statusMessage: status_message,
    environment,
    version,
  });
}

function toGenerationFields(observation: Observation): object {
  const { model, model_parameters, usage, cost_usd, end_time, completion_start_time } = observation;
  return defined({
    endTime: toDate(end_time),
    completionStartTime:
      completion_start_time === undefined ? undefined : toDate(completion_start_time),
    model,
    modelParameters: model_parameters,
    usageDetails: usage,
    costDetails: cost_usd === undefined ? undefined : { total: cost_usd },
    usage: toLegacyUsage(observation),
  });
}

/** Langfuse 2 reads nothing of the details. Its input and output are sums. */
function toLegacyUsage({ usage, cost_usd }: Observation): object | undefined {
  if (usage === undefined && cost_usd === undefined) return undefined;
  return defined({
    ...(usage !== undefined && {
      input: sum(usage, 'input', 'input_cache_read', 'input_cache_creation'),
      output: sum(usage, 'output', 'output_reasoning'),
      total: usage['total'],
    }),
    unit: 'TOKENS',
    totalCost: cost_usd,
  });
}

function sum(usage: Readonly<Record<string, number>>, ...buckets: readonly string[]): number {
  return buckets.reduce((total, bucket) => total + (usage[bucket] ?? 0), 0);
}

function toDate(seconds: number): Date {
  return new Date(Math.round(seconds * 1000));
}

function fromJson(json: Json | undefined): unknown {
  if (json === undefined) return undefined;
  return JSON.parse(json, json.includes('"data:') ? keepText : undefined) as unknown;
}

/** The package takes each text that begins so for a file, and puts an error in the place of one that is none. */
function keepText(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('data:') ? ` ${value}` : value;
}

function fromFields(fields: Readonly<Record<string, Json>>): object {
  return Object.fromEntries(Object.entries(fields).map(([name, json]) => [name, fromJson(json)]));
}

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
