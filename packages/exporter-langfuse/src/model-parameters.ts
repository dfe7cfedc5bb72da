import type { TracePayload } from '@pyagent-trace/core';

/** Request parameters by the names that providers give them; `spec/README.md` lists the first of them. */
const NAMES = [
  ['temperature', 'top_p', 'max_tokens', 'stop', 'seed', 'stream', 'top_k', 'n', 'logprobs'],
  ['max_completion_tokens', 'max_output_tokens', 'stop_sequences', 'presence_penalty'],
  ['frequency_penalty', 'reasoning_effort', 'service_tier', 'tool_choice', 'parallel_tool_calls'],
  ['top_logprobs', 'verbosity'],
].flat();

/** Those of a call that Langfuse can show: it refuses an observation for a parameter of another shape. */
export function modelParametersOf(attributes: TracePayload): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const name of NAMES) {
    const value = attributes[name];
    if (
      isScalar(value) ||
      (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    )
      parameters[name] = value;
  }
  return parameters;
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
