/** A part of a request, as JSON has it. */
export type Part = Readonly<Record<string, unknown>>;

/**
 * How long an answer may get, as OpenAI, Anthropic, Google, Bedrock and the AI SDK call it. One that is
 * deeper in a request (`providerOptions`, `extra_body`) may go before the one above.
 */
export const OUTPUT_LIMITS: readonly string[] = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'maxTokens',
  'maxCompletionTokens',
  'maxOutputTokens',
];

/** Answers to one question. Of `best_of` all are billed. */
export const ANSWER_COUNTS: readonly string[] = [
  'n',
  'best_of',
  'candidate_count',
  'candidateCount',
];

/** Where Google and Bedrock keep these settings. */
export const SETTINGS: readonly string[] = [
  'config',
  'generation_config',
  'generationConfig',
  'inferenceConfig',
];

/** For Anthropic the AI SDK adds them to the limit of the answer; elsewhere they are within it. */
export const THINKING_LIMITS: ReadonlySet<string> = words(
  'budget_tokens budgetTokens thinking_budget thinkingBudget',
);

/** The user's own keys, which no model sees. */
export const NOT_SENT: ReadonlySet<string> = words('metadata tags');

/**
 * Values of `type` that name text, and settings that cost nothing. Any other is a picture, a file, a tool
 * that the provider runs, or not known here.
 */
const TEXT_TYPES: ReadonlySet<string> = words(
  'text input_text output_text summary_text reasoning_text refusal content',
  'message thinking redacted_thinking reasoning function dynamic custom tool',
  'tool_use tool_result tool-call tool-result error-text error-json',
  'function_call function_call_output custom_tool_call custom_tool_call_output',
  'json json_object json_schema ephemeral',
  'auto any none required enabled disabled adaptive',
);

/** Text for the model, whatever it looks like: schemas of tools and answers, and what a tool is given. */
const OPAQUE: ReadonlySet<string> = words(
  'parameters parametersJsonSchema input_schema inputSchema schema',
  'json_schema responseSchema response_schema responseJsonSchema arguments args',
);

/**
 * What the provider keeps and reads again (earlier turns, files, prompts), what has more tokens than bytes
 * (pictures, sound, documents), what it searches or runs itself, and prices of other models.
 */
const DEARER: ReadonlySet<string> = words(
  'previous_response_id conversation conversation_id thread_id assistant_id',
  'cached_content cachedContent container vector_store_ids',
  'file_id file_ids fileId file_uri fileUri file_data fileData s3Location',
  'inline_data inlineData attachments image images image_url imageUrl audio video document',
  'mcp_servers web_search_options search_parameters plugins models prediction',
);

/** Settings with prices of their own, except for these values. */
const HARMLESS: ReadonlyMap<string, ReadonlySet<unknown>> = new Map([
  ...['modalities', 'responseModalities', 'response_modalities'].map(
    (key) => [key, words('text TEXT')] as const,
  ),
  ...['service_tier', 'serviceTier'].map(
    (key) => [key, words('auto default standard standard_only flex batch on_demand')] as const,
  ),
  ['speed', words('standard')],
  ['latency', words('standard')],
  ['inference_geo', words('global')],
  ['ttl', words('5m')],
]);

/** Whether a key of a request makes the call dearer than its length says. */
export function isDearer(part: Part, key: string): boolean {
  const value = part[key];
  if (value === null || value === false || value === '') return false;
  if (key === 'type') return typeof value === 'string' && !TEXT_TYPES.has(value);
  if (key === 'tools' && Array.isArray(value))
    return value.some((tool) => isPart(tool) && !isOwnTool(tool));
  if (DEARER.has(key)) return !Array.isArray(value) || value.length > 0;
  const harmless = HARMLESS.get(key);
  if (harmless !== undefined) return [value].flat().some((item) => !harmless.has(item));
  // a stored prompt, and a step of reasoning that is named and not sent
  if (key === 'prompt') return isPart(value) && 'id' in value;
  return (
    key === 'id' && part['type'] === 'reasoning' && typeof part['encrypted_content'] !== 'string'
  );
}

/** Whether a key holds text for the model that looks like something else: data for a tool or from it. */
export function isData(part: Part, key: string): boolean {
  switch (key) {
    case 'input':
    case 'response':
      return ('name' in part || 'toolName' in part) && !('model' in part);
    case 'value':
      return part['type'] === 'json' || part['type'] === 'error-json';
    case 'json':
    case 'result':
      return true;
    default:
      return OPAQUE.has(key);
  }
}

export function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Google's tools have no `type`: what declares no function (`googleSearch`) is run by Google. */
function isOwnTool(tool: Part): boolean {
  if (['type', 'name', 'function', 'toolSpec', 'cachePoint'].some((key) => key in tool))
    return true;
  return Object.keys(tool).every(
    (key) => key === 'functionDeclarations' || key === 'function_declarations',
  );
}

function words(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')));
}
