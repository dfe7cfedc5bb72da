import type { Attributes } from '@opentelemetry/api';
import type { Span } from '@pyagent-trace/core/spans';
import { PyAgentAttributes } from '../attributes.ts';
import * as semconv from '../semconv.ts';
import { isNumber, isText, put, putCount, putNumber, putText } from './values.ts';

/** Request, answer and usage of a model call. Nothing else has usage: backends sum it over a trace. */
export function describeCall(attributes: Attributes, span: Span): void {
  const { attributes: payload } = span;
  describeRequest(attributes, payload);
  const { model, cost_usd } = payload;
  // one that is not said is the one asked for, which is the span's name
  if (model !== span.name) putText(attributes, semconv.RESPONSE_MODEL, model);
  putText(attributes, PyAgentAttributes.COST_MODEL, isText(model) ? model : span.name);
  putText(attributes, semconv.RESPONSE_ID, payload['response_id']);
  const { finish_reasons, finish_reason, time_to_first_chunk_ms } = payload;
  put(attributes, semconv.RESPONSE_FINISH_REASONS, toList(finish_reasons ?? finish_reason));
  if (isNumber(time_to_first_chunk_ms))
    attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = time_to_first_chunk_ms / 1000;
  putCount(attributes, semconv.USAGE_INPUT_TOKENS, payload['input_tokens']);
  putCount(attributes, semconv.USAGE_OUTPUT_TOKENS, payload['output_tokens']);
  putCount(attributes, semconv.USAGE_CACHE_READ, payload['cache_read_tokens']);
  putCount(attributes, semconv.USAGE_CACHE_CREATION, payload['cache_creation_tokens']);
  putCount(attributes, semconv.USAGE_REASONING, payload['reasoning_tokens']);
  putNumber(attributes, semconv.USAGE_COST, cost_usd);
}

function describeRequest(attributes: Attributes, payload: Span['attributes']): void {
  const { max_tokens, max_completion_tokens, max_output_tokens } = payload;
  const { stop, stop_sequences, stream, n, response_format } = payload;
  putNumber(attributes, semconv.REQUEST_TEMPERATURE, payload['temperature']);
  putNumber(attributes, semconv.REQUEST_TOP_P, payload['top_p']);
  putNumber(attributes, semconv.REQUEST_TOP_K, payload['top_k']);
  putCount(
    attributes,
    semconv.REQUEST_MAX_TOKENS,
    max_tokens ?? max_completion_tokens ?? max_output_tokens,
  );
  put(attributes, semconv.REQUEST_STOP_SEQUENCES, toList(stop ?? stop_sequences));
  putNumber(attributes, semconv.REQUEST_FREQUENCY_PENALTY, payload['frequency_penalty']);
  putNumber(attributes, semconv.REQUEST_PRESENCE_PENALTY, payload['presence_penalty']);
  putCount(attributes, semconv.REQUEST_SEED, payload['seed']);
  if (n !== 1) putCount(attributes, semconv.REQUEST_CHOICE_COUNT, n);
  if (typeof stream === 'boolean') attributes[semconv.REQUEST_STREAM] = stream;
  putText(attributes, semconv.REQUEST_REASONING_LEVEL, payload['reasoning_effort']);
  if (
    typeof response_format === 'object' &&
    response_format !== null &&
    'type' in response_format
  ) {
    put(attributes, semconv.OUTPUT_TYPE, OUTPUTS.get(response_format.type));
  }
}

const OUTPUTS: ReadonlyMap<unknown, string> = new Map([
  ['json_object', 'json'],
  ['json_schema', 'json'],
  ['text', 'text'],
]);

function toList(value: unknown): string[] | undefined {
  const texts = [value].flat().filter(isText);
  return texts.length > 0 ? texts : undefined;
}
