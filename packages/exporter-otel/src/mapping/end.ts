import type { Attributes } from '@opentelemetry/api';
import type { Span } from '@pyagent-trace/core/spans';
import { PyAgentAttributes } from '../attributes.ts';
import { cut, MAX_CHARS } from '../content.ts';
import * as semconv from '../semconv.ts';
import type { Totals } from '../totals.ts';
import { describeCall } from './call.ts';
import type { Failure } from './failure.ts';
import { isNumber, isText, put, putCount, putNumber, putText } from './values.ts';

/** What an SDK keeps of a span, unless it is told otherwise. */
const MAX_ATTRIBUTES = 128;

/**
 * What is said of a complete span besides its start and its content.
 *
 * @param withTexts whether what may be a text of the model is said too: core leaves it out without content
 */
export function endAttributes(
  span: Span,
  totals: Totals,
  failure: Failure | undefined,
  withTexts: boolean,
): Attributes {
  const { kind, attributes: payload } = span;
  const attributes: Attributes = {};
  if (kind === 'llm') describeCall(attributes, span);
  if (kind === 'pattern') describePattern(attributes, payload, withTexts);
  if (kind === 'agent') describeAgent(attributes, payload, withTexts);
  if (kind !== 'tool') {
    putNumber(attributes, PyAgentAttributes.COST_TOTAL_USD, totals.cost_usd);
    putCount(attributes, PyAgentAttributes.COST_INPUT_TOKENS, totals.input_tokens);
    putCount(attributes, PyAgentAttributes.COST_OUTPUT_TOKENS, totals.output_tokens);
  }
  if (kind === 'pattern' || kind === 'agent') {
    putCount(attributes, PyAgentAttributes.EXEC_LLM_CALLS, totals.llm_calls);
    putCount(attributes, PyAgentAttributes.EXEC_TOKEN_ESTIMATE, payload['token_estimate']);
  }
  const { duration_ms, duration_seconds } = payload;
  if (isNumber(duration_ms)) attributes[PyAgentAttributes.EXEC_DURATION_MS] = duration_ms;
  else if (isNumber(duration_seconds))
    attributes[PyAgentAttributes.EXEC_DURATION_MS] = duration_seconds * 1000;
  describeOutcome(attributes, span, failure);
  put(attributes, semconv.PYAGENT_TAGS, span.tags);
  // last: of more than 128 attributes the SDK drops the later ones
  const { metadata } = payload;
  if (typeof metadata === 'object' && metadata !== null)
    for (const [key, value] of Object.entries(metadata).slice(0, MAX_ATTRIBUTES))
      put(attributes, cut(`${semconv.PYAGENT_METADATA}.${key}`, MAX_CHARS), value);
  return attributes;
}

function describePattern(
  attributes: Attributes,
  payload: Span['attributes'],
  withTexts: boolean,
): void {
  const { consensus } = payload;
  putCount(attributes, PyAgentAttributes.PATTERN_ROUNDS, payload['rounds']);
  if (withTexts || !isText(consensus))
    put(attributes, PyAgentAttributes.PATTERN_CONSENSUS, consensus);
  put(attributes, PyAgentAttributes.PATTERN_ESCALATED, payload['escalated']);
  put(attributes, PyAgentAttributes.PATTERN_ESCALATION_LEVEL, payload['escalation_level']);
}

function describeAgent(
  attributes: Attributes,
  payload: Span['attributes'],
  withTexts: boolean,
): void {
  const { contribution } = payload;
  putText(attributes, semconv.AGENT_ID, payload['agent_id']);
  putText(attributes, semconv.AGENT_DESCRIPTION, payload['agent_description']);
  put(attributes, PyAgentAttributes.AGENT_ROLE, payload['role']);
  if (withTexts || !isText(contribution))
    put(attributes, PyAgentAttributes.AGENT_CONTRIBUTION, contribution);
}

function describeOutcome(attributes: Attributes, span: Span, failure: Failure | undefined): void {
  const { status, annotations, dropped_annotations } = span;
  if (status === 'cancelled') attributes[semconv.PYAGENT_STATUS] = status;
  if (failure !== undefined) attributes[semconv.ERROR_TYPE] = failure.type;
  const errors = annotations.filter(({ event_type }) => event_type === 'error').length;
  if (errors > 0) {
    attributes[semconv.PYAGENT_ERROR_COUNT] = errors;
    if (status === 'ok' && !span.incomplete) attributes[semconv.PYAGENT_ERROR_HANDLED] = true;
  }
  put(attributes, semconv.PYAGENT_ORPHAN, span.orphan);
  put(attributes, semconv.PYAGENT_SYNTHETIC_START, span.synthetic_start);
  put(attributes, semconv.PYAGENT_INCOMPLETE, span.incomplete);
  put(attributes, semconv.PYAGENT_CLOCK_SKEW, span.clock_skew);
  putCount(attributes, semconv.PYAGENT_DROPPED_EVENTS, dropped_annotations);
}
