import type { TracePayload } from '@pyagent-trace/core';
import { isCost } from './cost-entry.ts';
import type { PriceSource } from './prices.ts';
import { isCount } from './usage.ts';
import {
  ANSWER_COUNTS,
  isData,
  isDearer,
  isPart,
  NOT_SENT,
  OUTPUT_LIMITS,
  type Part,
  SETTINGS,
  THINKING_LIMITS,
} from './mapping/request.ts';
/** The most that a call can cost, or why nobody knows. */
export type WorstCase = { readonly usd: number } | { readonly problem: string };

/**
 * What a provider puts around a question: the template of the chat, about 70 tokens for gpt-oss
 * (developers.openai.com/cookbook/articles/openai-harmony), with room to spare.
 */
const TEMPLATE_TOKENS = 100;
/**
 * How tools are explained to a model: up to 530 tokens for Anthropic's
 * (platform.claude.com/docs/en/agents-and-tools/tool-use/overview, "Pricing").
 */
const TOOLS_TOKENS = 600;

const MAX_SHOWN = 40;

/**
 * Input: one token for each byte of UTF-8 of the request as JSON, since a token is a byte at least, and
 * what the provider adds. Output: the limit that the request sets, for each answer that it asks for.
 * Each token has the highest price that its kind can have.
 *
 * @param timestamp Unix seconds, for prices that change
 */
export function worstCaseOf(
  request: TracePayload,
  prices: PriceSource,
  timestamp: number,
): WorstCase {
  try {
    const { model } = request;
    if (typeof model !== 'string' || model === '') return { problem: 'the request names no model' };
    const measured = measure(request);
    if ('problem' in measured) return measured;
    const usd = highestPrice(measured, request, model, prices, timestamp);
    return usd === undefined ? { problem: `no price for ${shown(model)}` } : { usd };
  } catch {
    return { problem: 'the request or its price cannot be read' }; // a cycle, a getter that throws
  }
}

interface Size {
  readonly input: number;
  readonly output: number;
}

function measure(request: TracePayload): Size | { readonly problem: string } {
  const foreign = { at: '' };
  const json = JSON.stringify(request, function replace(this: Part, key, value: unknown) {
    // an instance may become more, or something else, when it is sent
    if (foreign.at === '' && isInstance(this[key]) && this[key] === value) foreign.at = key;
    return value;
  });
  if (foreign.at !== '') return { problem: `${shown(foreign.at)} is no plain data` };
  const sent = JSON.parse(json) as Part;
  const walk: Walk = { problem: undefined, limit: 0, thinking: 0 };
  look(sent, '', walk);
  if (walk.problem !== undefined) return { problem: walk.problem };
  const settings = [sent, ...SETTINGS.map((key) => sent[key]).filter(isPart)];
  const limits = valuesOf(settings, OUTPUT_LIMITS);
  const counts = valuesOf(settings, ANSWER_COUNTS);
  if (limits.length === 0) return { problem: 'the request has no max_tokens' };
  if (!limits.every(isCount) || !counts.every(isCount))
    return { problem: 'max_tokens, or the number of answers, is no count' };
  const overhead = TEMPLATE_TOKENS + (json.includes('"tools"') ? TOOLS_TOKENS : 0);
  return {
    input: Buffer.byteLength(json) + overhead,
    output: (walk.limit + walk.thinking) * Math.max(1, ...counts),
  };
}

interface Walk {
  problem: string | undefined;
  /** Tokens of an answer: the highest limit of all. */
  limit: number;
  /** Tokens for thinking. */
  thinking: number;
}

function look(value: unknown, path: string, walk: Walk): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) look(item, `${path}.${index}`, walk);
  } else if (isPart(value)) {
    for (const [key, item] of Object.entries(value)) {
      const at = path === '' ? key : `${path}.${key}`;
      if (NOT_SENT.has(key) || isData(value, key)) continue;
      if (OUTPUT_LIMITS.includes(key) && isCount(item)) walk.limit = Math.max(walk.limit, item);
      if (THINKING_LIMITS.has(key) && isCount(item)) walk.thinking += item;
      if (isDearer(value, key)) walk.problem ??= `the request does not show what ${at} costs`;
      look(item, at, walk);
    }
  }
}

/** The price of what was measured, with each token as dear as tokens of its place can be. */
function highestPrice(
  { input, output }: Size,
  { provider }: TracePayload,
  model: string,
  prices: PriceSource,
  timestamp: number,
): number | undefined {
  const price = (special: object): number | undefined => {
    const usd = prices.price({
      ...(typeof provider === 'string' && { provider }),
      model,
      usage: { input_tokens: input, output_tokens: output, ...special },
      timestamp,
    });
    return isCost(usd) ? usd : undefined;
  };
  const plain = price({});
  if (plain === undefined) return undefined;
  const more = (special: object): number => Math.max(0, (price(special) ?? plain) - plain);
  return (
    plain +
    Math.max(more({ cache_creation_tokens: input }), more({ cache_read_tokens: input })) +
    more({ reasoning_tokens: output })
  );
}

function valuesOf(settings: readonly Part[], keys: readonly string[]): unknown[] {
  return settings
    .flatMap((part) => keys.map((key) => part[key]))
    .filter((value) => value !== undefined && value !== null);
}

/** Whether a value is an object of a class. Plain objects of another realm are none. */
function isInstance(value: unknown): boolean {
  if (!isPart(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
