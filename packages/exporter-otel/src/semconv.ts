// Attribute keys of the OpenTelemetry GenAI semantic conventions, and of backends, as strings: the
// conventions are in development and their npm package marks every one of them as deprecated.
// Source: github.com/open-telemetry/semantic-conventions-genai, 1.42.0-dev; where it renamed a key that
// backends still read under the old name (cache_creation), the old name stands.

export const OPERATION_NAME = 'gen_ai.operation.name';
export const PROVIDER_NAME = 'gen_ai.provider.name';
export const CONVERSATION_ID = 'gen_ai.conversation.id';
export const WORKFLOW_NAME = 'gen_ai.workflow.name';

export const AGENT_NAME = 'gen_ai.agent.name';
export const AGENT_ID = 'gen_ai.agent.id';
export const AGENT_DESCRIPTION = 'gen_ai.agent.description';

export const TOOL_NAME = 'gen_ai.tool.name';
export const TOOL_CALL_ID = 'gen_ai.tool.call.id';
export const TOOL_CALL_ARGUMENTS = 'gen_ai.tool.call.arguments';
export const TOOL_CALL_RESULT = 'gen_ai.tool.call.result';
export const TOOL_DEFINITIONS = 'gen_ai.tool.definitions';

export const REQUEST_MODEL = 'gen_ai.request.model';
export const REQUEST_TEMPERATURE = 'gen_ai.request.temperature';
export const REQUEST_TOP_P = 'gen_ai.request.top_p';
export const REQUEST_TOP_K = 'gen_ai.request.top_k';
export const REQUEST_MAX_TOKENS = 'gen_ai.request.max_tokens';
export const REQUEST_STOP_SEQUENCES = 'gen_ai.request.stop_sequences';
export const REQUEST_FREQUENCY_PENALTY = 'gen_ai.request.frequency_penalty';
export const REQUEST_PRESENCE_PENALTY = 'gen_ai.request.presence_penalty';
export const REQUEST_SEED = 'gen_ai.request.seed';
export const REQUEST_CHOICE_COUNT = 'gen_ai.request.choice.count';
export const REQUEST_STREAM = 'gen_ai.request.stream';
export const REQUEST_REASONING_LEVEL = 'gen_ai.request.reasoning.level';
export const OUTPUT_TYPE = 'gen_ai.output.type';

export const RESPONSE_MODEL = 'gen_ai.response.model';
export const RESPONSE_ID = 'gen_ai.response.id';
export const RESPONSE_FINISH_REASONS = 'gen_ai.response.finish_reasons';
/** Seconds. */
export const RESPONSE_TIME_TO_FIRST_CHUNK = 'gen_ai.response.time_to_first_chunk';

/** Includes cached tokens. */
export const USAGE_INPUT_TOKENS = 'gen_ai.usage.input_tokens';
/** Includes reasoning tokens. */
export const USAGE_OUTPUT_TOKENS = 'gen_ai.usage.output_tokens';
export const USAGE_CACHE_READ = 'gen_ai.usage.cache_read.input_tokens';
export const USAGE_CACHE_CREATION = 'gen_ai.usage.cache_creation.input_tokens';
export const USAGE_REASONING = 'gen_ai.usage.reasoning.output_tokens';
/** US dollars. No convention has it: the key that Langfuse and OpenLIT read. */
export const USAGE_COST = 'gen_ai.usage.cost';

export const SYSTEM_INSTRUCTIONS = 'gen_ai.system_instructions';
export const INPUT_MESSAGES = 'gen_ai.input.messages';
export const OUTPUT_MESSAGES = 'gen_ai.output.messages';

export const ERROR_TYPE = 'error.type';
export const EXCEPTION = 'exception';
export const EXCEPTION_TYPE = 'exception.type';
export const EXCEPTION_MESSAGE = 'exception.message';
export const EXCEPTION_STACKTRACE = 'exception.stacktrace';
export const SERVER_ADDRESS = 'server.address';
export const SERVER_PORT = 'server.port';
export const SESSION_ID = 'session.id';
export const USER_ID = 'user.id';

/** Read by Phoenix, and by Langfuse before `gen_ai.operation.name`, of which it knows no workflow. */
export const OPENINFERENCE_KIND = 'openinference.span.kind';

// What has no convention. PyAgentAttributes has the keys that the Python package writes too.
export const PYAGENT_TRACE_ID = 'pyagent.trace_id';
export const PYAGENT_SPAN_ID = 'pyagent.span_id';
export const PYAGENT_PARENT_SPAN_ID = 'pyagent.parent_span_id';
export const PYAGENT_STATUS = 'pyagent.status';
export const PYAGENT_TAGS = 'pyagent.tags';
export const PYAGENT_METADATA = 'pyagent.metadata';
export const PYAGENT_ORPHAN = 'pyagent.orphan';
export const PYAGENT_SYNTHETIC_START = 'pyagent.synthetic_start';
export const PYAGENT_INCOMPLETE = 'pyagent.incomplete';
export const PYAGENT_CLOCK_SKEW = 'pyagent.clock_skew';
export const PYAGENT_DROPPED_EVENTS = 'pyagent.dropped_events';
export const PYAGENT_ERROR_COUNT = 'pyagent.error.count';
export const PYAGENT_ERROR_HANDLED = 'pyagent.error.handled';
export const PYAGENT_ERROR_SOURCE = 'pyagent.error.source';
/** Of a span event that says what another event type says, its payload keys. */
export const PYAGENT_EVENT = 'pyagent.event';

export const METRIC_OPERATION_DURATION = 'gen_ai.client.operation.duration';
export const METRIC_TOKEN_USAGE = 'gen_ai.client.token.usage';
export const TOKEN_TYPE = 'gen_ai.token.type';
