import type { Attributes } from '@opentelemetry/api';
import type { SpanAnnotation } from '@pyagent-trace/core/spans';
import { PyAgentAttributes } from '../attributes.ts';
import { cut, MAX_CHARS, textOrJson } from '../content.ts';
import * as semconv from '../semconv.ts';
import { errorType } from './failure.ts';
import { isNumber, put, putContent, putCount, putNumber, putText } from './values.ts';

/** What is kept of an annotation: as a span event, and of the newest of its type on the span itself. */
export interface AnnotationMapping {
  readonly name: string;
  /** Of the span event. */
  readonly attributes: Attributes;
  /** Whether they belong on the span too. */
  readonly onSpan: boolean;
}

/** @param maxChars of each text; `undefined` where content is not captured */
export function mapAnnotation(
  { event_type, payload }: SpanAnnotation,
  maxChars: number | undefined,
): AnnotationMapping {
  const attributes: Attributes = {};
  switch (event_type) {
    case 'routing_decision':
      describeRouting(attributes, payload);
      return { name: 'pyagent.routing_decision', attributes, onSpan: true };
    case 'compression':
      describeCompression(attributes, payload);
      return { name: 'pyagent.compression', attributes, onSpan: true };
    case 'cost_record':
      putNumber(attributes, PyAgentAttributes.COST_TOTAL_USD, payload['cost_usd']);
      putCount(attributes, PyAgentAttributes.COST_INPUT_TOKENS, payload['input_tokens']);
      putCount(attributes, PyAgentAttributes.COST_OUTPUT_TOKENS, payload['output_tokens']);
      putText(attributes, PyAgentAttributes.COST_MODEL, payload['model']);
      return { name: 'pyagent.cost_record', attributes, onSpan: true };
    case 'error':
      attributes[semconv.EXCEPTION_TYPE] = errorType(payload);
      putText(attributes, semconv.EXCEPTION_MESSAGE, payload['message']);
      putText(attributes, semconv.EXCEPTION_STACKTRACE, payload['stack']);
      putText(attributes, semconv.PYAGENT_ERROR_SOURCE, payload['source']);
      return { name: semconv.EXCEPTION, attributes, onSpan: false };
    default:
      describeUnknown(attributes, payload, maxChars);
      return { name: cut(`pyagent.${event_type}`, MAX_CHARS), attributes, onSpan: false };
  }
}

function describeRouting(attributes: Attributes, payload: SpanAnnotation['payload']): void {
  putNumber(attributes, PyAgentAttributes.ROUTER_DIFFICULTY, payload['difficulty']);
  putText(attributes, PyAgentAttributes.ROUTER_DIFFICULTY_CATEGORY, payload['difficulty_category']);
  putText(attributes, PyAgentAttributes.ROUTER_SELECTED_MODEL, payload['selected_model']);
  putNumber(attributes, PyAgentAttributes.ROUTER_COST_ESTIMATE, payload['cost_estimate']);
  put(attributes, PyAgentAttributes.ROUTER_ALTERNATIVES, payload['alternatives']);
}

function describeCompression(attributes: Attributes, payload: SpanAnnotation['payload']): void {
  const { input_tokens, output_tokens, savings_pct } = payload;
  putCount(attributes, PyAgentAttributes.COMPRESS_INPUT_TOKENS, input_tokens);
  putCount(attributes, PyAgentAttributes.COMPRESS_OUTPUT_TOKENS, output_tokens);
  const saved =
    isNumber(input_tokens) && isNumber(output_tokens) && input_tokens > 0
      ? 1 - output_tokens / input_tokens
      : undefined;
  putNumber(
    attributes,
    PyAgentAttributes.COMPRESS_SAVINGS_PCT,
    isNumber(savings_pct) ? savings_pct : saved,
  );
}

/** Says where the event belongs, which the span says already. */
const IDS = new Set(['trace_id', 'span_id', 'parent_span_id', 'session_id', 'user_id']);

/** Without content, of a type that nobody knows only numbers and booleans are known to be none. */
function describeUnknown(
  attributes: Attributes,
  payload: SpanAnnotation['payload'],
  maxChars: number | undefined,
): void {
  for (const [key, value] of Object.entries(payload)) {
    if (IDS.has(key)) continue;
    const name = cut(`${semconv.PYAGENT_EVENT}.${key}`, MAX_CHARS);
    if (typeof value === 'boolean' || typeof value === 'number') put(attributes, name, value);
    else if (maxChars !== undefined) putContent(attributes, name, textOrJson(value, maxChars));
  }
}
