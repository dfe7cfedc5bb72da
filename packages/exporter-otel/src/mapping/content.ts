import type { Attributes } from '@opentelemetry/api';
import type { Span } from '@pyagent-trace/core/spans';
import { instructionsJson, messagesJson, textOrJson } from '../content.ts';
import * as semconv from '../semconv.ts';
import { putContent } from './values.ts';

/** Prompts, answers, arguments and results. */
export function describeContent(attributes: Attributes, span: Span, maxChars: number): void {
  const { kind, attributes: payload } = span;
  if (kind === 'tool') {
    putContent(attributes, semconv.TOOL_CALL_ARGUMENTS, textOrJson(payload['arguments'], maxChars));
    putContent(attributes, semconv.TOOL_CALL_RESULT, textOrJson(payload['result'], maxChars));
    return;
  }
  const isCall = kind === 'llm';
  const asked = isCall ? payload['messages_in'] : payload['input'];
  const answered = isCall ? payload['response'] : (payload['output'] ?? payload['result_output']);
  putContent(attributes, semconv.INPUT_MESSAGES, messagesJson(asked, 'user', maxChars));
  putContent(attributes, semconv.OUTPUT_MESSAGES, messagesJson(answered, 'assistant', maxChars));
  if (!isCall) return;
  const { system, instructions = system, tools } = payload;
  putContent(attributes, semconv.SYSTEM_INSTRUCTIONS, instructionsJson(instructions, maxChars));
  putContent(attributes, semconv.TOOL_DEFINITIONS, textOrJson(tools, maxChars));
}
