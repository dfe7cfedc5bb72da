import { isCount, type Usage, USAGE_KEYS } from '../usage.ts';

/** What an answer says of itself, under the names of `llm_response`. */
export interface AnswerUsage extends Usage {
  /** As answered. */
  readonly model?: string;
}

type Data = Readonly<Record<string, unknown>>;
type Counts = { -readonly [Key in keyof Usage]?: number | undefined };

/**
 * Reads the token counts of a provider's answer: OpenAI (chat and responses, and what speaks as they do),
 * Anthropic, Google, Bedrock (converse), the AI SDK (5 and later). Also of the chunk of a stream that has
 * them, and of the `usage` object alone, where that says enough: the AI SDK 5 tells in
 * `providerMetadata` what its counts leave out.
 *
 * A count that is no whole number of 0 or more is left out. Never throws.
 *
 * @returns `undefined` for what has no counts, such as a promise or another chunk
 *
 * @example
 * ```ts
 * call.respond({ response: answer.choices[0]?.message.content, ...usageFrom(answer) });
 * ```
 */
export function usageFrom(answer: unknown): AnswerUsage | undefined {
  try {
    // of a stream of the AI SDK so much as reading `usage` would consume it
    return isData(answer) && !('fullStream' in answer) ? read(answer) : undefined;
  } catch {
    return undefined; // a getter threw
  }
}

function read(answer: Data): AnswerUsage | undefined {
  const { steps } = answer;
  const usage = Array.isArray(steps) && steps.length > 0 ? sumOf(steps) : readOne(answer);
  if (usage === undefined) return undefined;
  const model = modelOf(answer);
  return { ...(model !== undefined && { model }), ...usage };
}

/** The parts of an answer that hold its usage in a stream, and in Google's older SDK. */
const PARTS = ['response', 'message', 'metadata'] as const;

function readOne(answer: Data): Usage | undefined {
  for (const part of [answer, ...PARTS.map((name) => answer[name])]) {
    if (!isData(part)) continue;
    for (const usage of [part['usageMetadata'], part['totalUsage'], part['usage'], part]) {
      const counts = isData(usage) ? countsOf(usage, part) : undefined;
      if (counts !== undefined) return counts;
    }
  }
  return undefined;
}

function countsOf(usage: Data, answer: Data): Usage | undefined {
  const counts =
    ofGoogle(usage) ?? ofChat(usage) ?? ofSnakeCase(usage) ?? ofCamelCase(usage, answer);
  return counts && onlyKnown(counts);
}

/** The prompt includes what is cached, and not what tools returned; candidates do not include thoughts. */
function ofGoogle(usage: Data): Counts | undefined {
  const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount } = usage;
  if (promptTokenCount === undefined && candidatesTokenCount === undefined) return undefined;
  return {
    input_tokens: add(promptTokenCount, usage['toolUsePromptTokenCount']),
    output_tokens: add(candidatesTokenCount, thoughtsTokenCount),
    cache_read_tokens: count(usage['cachedContentTokenCount']),
    reasoning_tokens: count(thoughtsTokenCount),
  };
}

function ofChat(usage: Data): Counts | undefined {
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  if (prompt_tokens === undefined && completion_tokens === undefined) return undefined;
  const prompt = dataIn(usage, 'prompt_tokens_details');
  const reasoning = dataIn(usage, 'completion_tokens_details')['reasoning_tokens'];
  // xAI counts them beside each other; the total tells
  const all = add(completion_tokens, reasoning);
  const isBeside = count(total_tokens) !== undefined && add(prompt_tokens, all) === total_tokens;
  return {
    input_tokens: count(prompt_tokens),
    output_tokens: isBeside ? all : count(completion_tokens),
    cache_read_tokens: count(prompt['cached_tokens']),
    cache_creation_tokens: count(prompt['cache_write_tokens']),
    reasoning_tokens: count(reasoning),
  };
}

/** OpenAI's responses and Anthropic's messages. Anthropic counts what is cached beside the input. */
function ofSnakeCase(usage: Data): Counts | undefined {
  const { input_tokens, output_tokens } = usage;
  if (input_tokens === undefined && output_tokens === undefined) return undefined;
  const { cache_read_input_tokens, cache_creation_input_tokens } = usage;
  const input = dataIn(usage, 'input_tokens_details');
  const output = dataIn(usage, 'output_tokens_details');
  return {
    // the last chunk of a stream may tell of its cached input alone
    input_tokens: isCount(input_tokens)
      ? add(input_tokens, cache_read_input_tokens, cache_creation_input_tokens)
      : undefined,
    output_tokens: count(output_tokens),
    cache_read_tokens: count(cache_read_input_tokens) ?? count(input['cached_tokens']),
    cache_creation_tokens: count(cache_creation_input_tokens) ?? count(input['cache_write_tokens']),
    reasoning_tokens: count(output['reasoning_tokens']) ?? count(output['thinking_tokens']),
  };
}

/** The AI SDK and Bedrock. Bedrock counts what is cached beside the input. */
function ofCamelCase(usage: Data, answer: Data): Counts | undefined {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  if (isData(inputTokens) || isData(outputTokens)) return ofModel(usage);
  const { inputTokenDetails, cachedInputTokens, cacheReadInputTokens, cacheWriteInputTokens } =
    usage;
  const isAiSdk = cachedInputTokens !== undefined || answer['providerMetadata'] !== undefined;
  if (isAiSdk && inputTokenDetails === undefined) return ofAiSdk5(usage, answer);
  const input = dataIn(usage, 'inputTokenDetails');
  const output = dataIn(usage, 'outputTokenDetails');
  return {
    input_tokens: add(inputTokens, cacheReadInputTokens, cacheWriteInputTokens),
    output_tokens: count(outputTokens),
    cache_read_tokens: count(cacheReadInputTokens) ?? count(input['cacheReadTokens']),
    cache_creation_tokens: count(cacheWriteInputTokens) ?? count(input['cacheWriteTokens']),
    reasoning_tokens: count(output['reasoningTokens']) ?? count(usage['reasoningTokens']),
  };
}

/** What a model of the AI SDK 6 hands to the SDK. */
function ofModel(usage: Data): Counts {
  const input = dataIn(usage, 'inputTokens');
  const output = dataIn(usage, 'outputTokens');
  return {
    input_tokens: count(input['total']),
    output_tokens: count(output['total']),
    cache_read_tokens: count(input['cacheRead']),
    cache_creation_tokens: count(input['cacheWrite']),
    reasoning_tokens: count(output['reasoning']),
  };
}

/** As the provider counts: with Anthropic and Bedrock what is cached is beside the input. */
function ofAiSdk5(usage: Data, answer: Data): Counts {
  const { inputTokens, cachedInputTokens } = usage;
  const metadata = dataIn(answer, 'providerMetadata');
  const written =
    count(dataIn(metadata, 'anthropic')['cacheCreationInputTokens']) ??
    count(dataIn(dataIn(metadata, 'bedrock'), 'usage')['cacheWriteInputTokens']);
  const isBeside =
    metadata['anthropic'] !== undefined ||
    metadata['bedrock'] !== undefined ||
    (count(cachedInputTokens) ?? 0) > (count(inputTokens) ?? 0);
  return {
    input_tokens: isBeside ? add(inputTokens, cachedInputTokens, written) : count(inputTokens),
    output_tokens: count(usage['outputTokens']),
    cache_read_tokens: count(cachedInputTokens),
    cache_creation_tokens: written,
    reasoning_tokens: count(usage['reasoningTokens']),
  };
}

/** Of the calls that the AI SDK made for one result. */
function sumOf(steps: readonly unknown[]): Usage | undefined {
  const usages = steps.map((step) => (isData(step) ? readOne(step) : undefined));
  const known = usages.filter((usage) => usage !== undefined);
  if (known.length === 0) return undefined;
  const sums: Counts = {};
  for (const key of USAGE_KEYS) sums[key] = add(...known.map((usage) => usage[key]));
  return onlyKnown(sums);
}

function modelOf(answer: Data): string | undefined {
  const parts = [answer, dataIn(answer, 'response'), dataIn(answer, 'message')];
  const names = parts.flatMap((part) => [part['model'], part['modelVersion'], part['modelId']]);
  return names.find((name): name is string => typeof name === 'string' && name !== '');
}

function onlyKnown(counts: Counts): Usage | undefined {
  const known = USAGE_KEYS.flatMap((key) =>
    counts[key] === undefined ? [] : [[key, counts[key]] as const],
  );
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}

/** The sum of what is known. */
function add(...values: readonly unknown[]): number | undefined {
  const counts = values.filter(isCount);
  return counts.length > 0 ? counts.reduce((sum, value) => sum + value, 0) : undefined;
}

function count(value: unknown): number | undefined {
  return isCount(value) ? value : undefined;
}

function dataIn(data: Data, key: string): Data {
  const value = data[key];
  return isData(value) ? value : {};
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
