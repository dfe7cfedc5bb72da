import { describe, expect, test } from 'vitest';
import { genaiPrices } from './genai-prices.ts';

const MILLION = { input_tokens: 1_000_000, output_tokens: 0 };
/** January 2026: prices of then, whatever they are today. */
const timestamp = 1_767_225_600;

function inputPrice(provider: string, model: string): number | undefined {
  const usd = genaiPrices.price({ provider, model, usage: MILLION, timestamp });
  return usd === undefined ? undefined : Math.round(usd * 1e6) / 1e6;
}

describe('genaiPrices', () => {
  test('knows a model by its name alone, or with its provider', () => {
    expect(inputPrice('', 'gpt-4o')).toBe(2.5);
    expect(inputPrice('openai', 'gpt-4o-2024-08-06')).toBe(2.5);
  });

  test("knows providers by OpenTelemetry's names and by those of the AI SDK", () => {
    const known = [
      ['azure.ai.openai', 'gpt-4o'],
      ['azure.chat', 'gpt-4o'],
      ['openai.responses', 'gpt-4o'],
      ['gcp.gemini', 'gemini-2.5-flash'],
      ['gcp.vertex_ai', 'gemini-2.5-flash'],
      ['google.generative-ai', 'gemini-2.5-flash'],
      ['aws.bedrock', 'us.anthropic.claude-sonnet-4-20250514-v1:0'],
      ['amazon-bedrock', 'anthropic.claude-sonnet-4-20250514-v1:0'],
      ['x_ai', 'grok-4'],
      ['xai.chat', 'grok-4'],
      ['mistral_ai', 'mistral-large-latest'],
      ['groq.chat', 'llama-3.3-70b-versatile'],
      ['deepseek.chat', 'deepseek-chat'],
      ['togetherai.chat', 'meta-llama/Llama-3.3-70B-Instruct-Turbo'],
      ['anthropic.messages', 'claude-sonnet-4-5-20250929'],
    ] as const;
    for (const [provider, model] of known)
      expect([provider, inputPrice(provider, model)]).toEqual([provider, expect.any(Number)]);
  });

  test('has no price for an unknown model, nor for a known one at an unknown provider', () => {
    expect(inputPrice('openai', 'no-such-model')).toBeUndefined();
    expect(inputPrice('ollama', 'gpt-4o')).toBeUndefined();
  });

  test('prices cached tokens for themselves', () => {
    const usage = { ...MILLION, cache_read_tokens: 1_000_000 };
    expect(genaiPrices.price({ model: 'gpt-4o', usage, timestamp })).toBe(1.25);
    const written = { input_tokens: 100_000, cache_creation_tokens: 100_000 };
    const model = 'claude-sonnet-4-5';
    expect(genaiPrices.price({ model, usage: written, timestamp })).toBe(0.375);
  });

  test('takes the price of the day, and the tier of the size', () => {
    const usage = { input_tokens: 100_000, output_tokens: 0 };
    const gemini = (input_tokens: number) =>
      genaiPrices.price({ model: 'gemini-2.5-pro', usage: { input_tokens }, timestamp });
    expect(gemini(200_000)).toBeCloseTo(0.25, 9);
    expect(gemini(400_000)).toBeCloseTo(1, 9); // above 200,000 all of them cost twice as much
    const o3 = (at: number) => genaiPrices.price({ model: 'o3', usage, timestamp: at });
    expect(o3(1_748_000_000)).toBeCloseTo(1, 9); // May 2025: $10 a million
    expect(o3(timestamp)).toBeCloseTo(0.2, 9); // since June 2025: $2
  });

  test('has no price without counts, or with counts that cannot be right', () => {
    expect(price({})).toBeUndefined();
    expect(price({ input_tokens: -1 })).toBeUndefined();
    expect(price({ input_tokens: 5, cache_read_tokens: 6 })).toBeUndefined();
    expect(price({ input_tokens: 0, output_tokens: 0 })).toBe(0);
  });
});

function price(usage: object): number | undefined {
  return genaiPrices.price({ model: 'gpt-4o', usage });
}
