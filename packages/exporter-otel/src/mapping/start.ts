import { type Attributes, SpanKind } from '@opentelemetry/api';
import type { Span } from '@pyagent-trace/core/spans';
import { PyAgentAttributes } from '../attributes.ts';
import { cut, MAX_CHARS } from '../content.ts';
import * as semconv from '../semconv.ts';
import { providerOf } from './provider.ts';
import { isText, put, putCount, putText } from './values.ts';

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

/**
 * What an OpenTelemetry span is created with: name, kind, and the attributes that samplers see and that
 * processors filter by. Also of a complete span, where the end may have brought what the start lacked.
 */
export function startOf(span: Span): SpanStart {
  const { kind, attributes: payload, agent_name, name } = span;
  const operation = operationOf(span);
  const attributes: Attributes = {
    [semconv.OPERATION_NAME]: operation,
    [semconv.OPENINFERENCE_KIND]: OPENINFERENCE_KINDS[kind],
    [semconv.PYAGENT_TRACE_ID]: cut(span.trace_id, MAX_CHARS),
    [semconv.PYAGENT_SPAN_ID]: cut(span.span_id, MAX_CHARS),
  };
  // that of an orphan stands among the attributes
  const parent = span.parent_span_id ?? payload['parent_span_id'];
  putText(attributes, semconv.PYAGENT_PARENT_SPAN_ID, parent);
  putText(attributes, PyAgentAttributes.PATTERN_TYPE, span.pattern_type);
  putText(attributes, semconv.CONVERSATION_ID, span.session_id);
  putText(attributes, semconv.SESSION_ID, span.session_id);
  putText(attributes, semconv.USER_ID, span.user_id);
  if (kind === 'pattern') {
    putText(attributes, semconv.WORKFLOW_NAME, name);
  } else {
    putText(attributes, semconv.AGENT_NAME, agent_name);
    putText(attributes, PyAgentAttributes.AGENT_NAME, agent_name);
  }
  if (kind === 'tool') {
    putText(attributes, semconv.TOOL_NAME, name);
    putText(attributes, semconv.TOOL_CALL_ID, payload['tool_call_id']);
  }
  if (kind === 'llm') {
    const { provider } = payload;
    const known = isText(provider) ? provider : undefined;
    putText(attributes, semconv.PROVIDER_NAME, providerOf(known, name));
    putText(attributes, semconv.REQUEST_MODEL, name);
    putText(attributes, semconv.SERVER_ADDRESS, payload['server_address']);
    putCount(attributes, semconv.SERVER_PORT, payload['server_port']);
    if (operation === 'embeddings') put(attributes, semconv.OPENINFERENCE_KIND, 'EMBEDDING');
  }
  return {
    name: cut(name === '' ? operation : `${operation} ${name}`, MAX_CHARS),
    kind: kind === 'llm' ? SpanKind.CLIENT : SpanKind.INTERNAL,
    attributes,
  };
}

/** Whether what came later changes what a span should have started with. */
export function startsOtherwise(before: Span, after: Span): boolean {
  if (
    before.name !== after.name ||
    before.agent_name !== after.agent_name ||
    before.pattern_type !== after.pattern_type ||
    before.session_id !== after.session_id ||
    before.user_id !== after.user_id
  )
    return true;
  const { attributes: first } = before;
  const { attributes: last } = after;
  return (
    first['provider'] !== last['provider'] ||
    first['operation'] !== last['operation'] ||
    first['server_address'] !== last['server_address'] ||
    first['server_port'] !== last['server_port'] ||
    first['tool_call_id'] !== last['tool_call_id']
  );
}

const OPENINFERENCE_KINDS = { pattern: 'CHAIN', agent: 'AGENT', llm: 'LLM', tool: 'TOOL' } as const;

const OPERATIONS = {
  pattern: 'invoke_workflow',
  agent: 'invoke_agent',
  llm: 'chat',
  tool: 'execute_tool',
} as const;

function operationOf({ kind, attributes: { operation } }: Span): string {
  return kind === 'llm' && isText(operation) ? cut(operation, MAX_CHARS) : OPERATIONS[kind];
}
