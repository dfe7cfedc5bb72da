import { describe, expect, test } from 'vitest';
import { genaiPrices } from './genai-prices.ts';
import { priceTable } from './price-table.ts';
import type { PriceSource } from './prices.ts';
import { worstCaseOf } from './worst-case.ts';

/** A dollar per token of input, a thousand per token of output. */
const prices = priceTable({ m: { inputUsdPerMillion: 1e6, outputUsdPerMillion: 1e9 } });
const NOW = 1_760_000_000;
const TEMPLATE = 100;
const TOOLS = 600;

const base = { model: 'm', max_tokens: 10 };

const tokensOf = (request: object): { input: number; output: number } => {
  const worst = worstCaseOf({ model: 'm', ...request }, prices, NOW);
  if ('problem' in worst) throw new Error(worst.problem);
  return { input: worst.usd % 1000, output: Math.floor(worst.usd / 1000) };
};
const outputOf = (request: object): number => tokensOf(request).output;
const problemOf = (request: object): string | undefined => {
  const worst = worstCaseOf({ ...base, ...request }, prices, NOW);
  return 'problem' in worst ? worst.problem : undefined;
};

describe('worstCaseOf', () => {
  test('takes a token per byte of the request as JSON, and what a provider puts around it', () => {
    const request = { ...base, messages_in: [{ role: 'user', content: 'Grüße 🙂' }] };
    const bytes = new TextEncoder().encode(JSON.stringify(request)).length;
    expect(tokensOf(request)).toEqual({ input: bytes + TEMPLATE, output: 10 });
    const withTools = { ...base, tools: [{ name: 't', input_schema: { type: 'object' } }] };
    expect(tokensOf(withTools).input).toBe(JSON.stringify(withTools).length + TEMPLATE + TOOLS);
  });

  test.for([
    [{ max_tokens: 7 }, 7],
    [{ max_completion_tokens: 7 }, 7],
    [{ max_output_tokens: 7 }, 7],
    [{ maxOutputTokens: 7 }, 7],
    [{ config: { maxOutputTokens: 7 } }, 7],
    [{ inferenceConfig: { maxTokens: 7 } }, 7],
    [{ max_tokens: 0 }, 0],
    [{ max_tokens: 5, max_completion_tokens: 7 }, 7],
    [{ max_tokens: 7, max_completion_tokens: null }, 7],
    [{ max_tokens: 7, n: 3 }, 21],
    [{ max_tokens: 7, n: 0 }, 7],
    [{ max_tokens: 7, n: 2, best_of: 4 }, 28],
    [{ generationConfig: { maxOutputTokens: 7, candidateCount: 2 } }, 14],
    [{ max_tokens: 7, thinking: { type: 'enabled', budget_tokens: 5 } }, 12],
    [{ maxOutputTokens: 7, providerOptions: { a: { thinking: { budgetTokens: 5 } } }, n: 2 }, 24],
    [{ max_tokens: 7, thinkingConfig: { thinkingBudget: -1 } }, 7],
    [{ maxOutputTokens: 7, providerOptions: { openai: { maxCompletionTokens: 9 } } }, 9],
    [{ max_tokens: 7, extra_body: { max_tokens: 9 } }, 9],
    [{ max_tokens: 7, additionalModelRequestFields: { max_tokens: 5 } }, 7],
    [{ max_tokens: 7, messages_in: [{ arguments: { max_tokens: 9 } }] }, 7],
  ] as const)('asks for the output of %j', ([request, output]) => {
    expect(outputOf(request)).toBe(output);
  });

  test.for([
    [{ model: undefined, max_tokens: 1 }, 'the request names no model'],
    [{ model: 'm' }, 'the request has no max_tokens'],
    [{ model: 'x\u001b', max_tokens: 1 }, 'no price for "x\\u001b"'],
    [{ model: 'y'.repeat(50), max_tokens: 1 }, `no price for "${'y'.repeat(40)}…"`],
    [{ model: 'm', max_tokens: 1.5 }, 'max_tokens, or the number of answers, is no count'],
    [{ model: 'm', max_tokens: '9' }, 'max_tokens, or the number of answers, is no count'],
    [{ model: 'm', max_tokens: 9, n: -1 }, 'max_tokens, or the number of answers, is no count'],
    [{ ...base, when: new Map() }, '"when" is no plain data'],
    [{ ...base, data: new Uint8Array(2) }, '"data" is no plain data'],
  ] as const)('does not know it of %j', ([request, problem]) => {
    expect(worstCaseOf(request, prices, NOW)).toEqual({ problem });
  });

  test('does not know it of what cannot be read, or of a price that is none', () => {
    const circle: Record<string, unknown> = { ...base };
    circle['self'] = circle;
    let deep: unknown = 'text';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    const unreadable = { problem: 'the request or its price cannot be read' };
    expect(worstCaseOf(circle, prices, NOW)).toEqual(unreadable);
    expect(worstCaseOf({ ...base, big: 1n }, prices, NOW)).toEqual(unreadable);
    expect(worstCaseOf({ ...base, deep }, prices, NOW)).toEqual(unreadable);
    const throwing: PriceSource = {
      price() {
        throw new Error('boom');
      },
    };
    expect(worstCaseOf(base, throwing, NOW)).toEqual(unreadable);
    for (const none of [undefined, Number.NaN, Infinity, -1])
      expect(worstCaseOf(base, { price: () => none }, NOW)).toEqual({
        problem: 'no price for "m"',
      });
  });

  test.for([
    { content: [{ type: 'image_url', image_url: { url: 'https://x.example/a.png' } }] },
    { content: [{ type: 'input_file', file_id: 'file-1' }] },
    { content: [{ type: 'document', source: { type: 'base64', data: 'JVBERi0=' } }] },
    { content: [{ type: 'tool_result', content: [{ type: 'image', source: {} }] }] },
    { parts: [{ inlineData: { mimeType: 'image/png', data: 'AA' } }] },
    { parts: [{ fileData: { fileUri: 'gs://b/o' } }] },
    { content: [{ document: { format: 'pdf' } }] },
    { content: [{ type: 'invented_next_year' }] },
    { content: [{ functionResponse: { name: 'f', parts: [{ inlineData: {} }] } }] },
  ])('does not know it of a message with %j', (message) => {
    expect(problemOf({ messages_in: [{ role: 'user', ...message }] })).toMatch(
      /^the request does not show what messages_in\.0\..* costs$/,
    );
  });

  test.for([
    { previous_response_id: 'resp_1' },
    { name: 'step 1', input: [{ role: 'user', content: [{ type: 'input_image' }] }] },
    { conversation: { id: 'c' } },
    { prompt: { id: 'pmpt_1' } },
    { input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] },
    { input: [{ type: 'item_reference', id: 'msg_1' }] },
    { config: { cachedContent: 'c' } },
    { modalities: ['text', 'audio'] },
    { service_tier: 'priority' },
    { speed: 'fast' },
    { system: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
    { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    { tools: [{ googleSearch: {} }] },
    { tools: [{ functionDeclarations: [], codeExecution: {} }] },
    { tools: { search: { type: 'provider-defined', id: 'openai.web_search' } } },
    { web_search_options: {} },
    { extra_body: { plugins: [{ id: 'web' }] } },
    { models: ['a', 'b'] },
    { prediction: { type: 'content', content: 'x' } },
  ])('does not know it of a request with %j', (request) => {
    expect(problemOf(request)).toMatch(/^the request does not show what .* costs$/);
  });

  test.for([
    { messages_in: [{ role: 'user', content: [{ type: 'text', text: 'image' }] }] },
    {
      messages: [
        { role: 'assistant', tool_calls: [{ type: 'function', function: { arguments: '{}' } }] },
        { role: 'assistant', content: [{ type: 'tool_use', name: 't', input: { type: 'image' } }] },
        { role: 'user', content: [{ type: 'tool_result', content: 'x' }] },
        {
          role: 'tool',
          content: [{ type: 'tool-result', output: { type: 'json', value: { image: 1 } } }],
        },
      ],
    },
    { contents: [{ parts: [{ functionCall: { name: 'f', args: { image: 'x' } } }] }] },
    { contents: [{ parts: [{ functionResponse: { name: 'f', response: { image: 'x' } } }] }] },
    { tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }] },
    { tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: 'OBJECT' } }] }] },
    { tools: { search: { description: 'x', inputSchema: { type: 'object' } } } },
    { response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } },
    { input: [{ type: 'reasoning', id: 'rs_1', encrypted_content: 'gAAAA', summary: [] }] },
    { service_tier: 'flex', modalities: ['text'], attachments: [], conversation: null },
    { metadata: { image: 'x', type: 'nightly' }, tags: ['a'] },
    { system: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '5m' } }] },
    { prompt: 'Once upon a time', stream: true, temperature: 0, at: new Date(0) },
    { tool_choice: { type: 'any' }, thinking: { type: 'disabled' } },
  ])('knows it of a request with %j', (request) => {
    expect(problemOf(request)).toBeUndefined();
  });

  test('takes each token for the dearest of its place: written to a cache, or thought', () => {
    const dear = priceTable({
      m: {
        inputUsdPerMillion: 1e6,
        outputUsdPerMillion: 1e6,
        cacheReadUsdPerMillion: 1e5,
        cacheCreationUsdPerMillion: 2e6,
        reasoningUsdPerMillion: 3e6,
      },
    });
    const { input, output } = tokensOf(base);
    expect(worstCaseOf(base, dear, NOW)).toEqual({ usd: 2 * input + 3 * output });
  });

  test('takes a token for a plain one where another kind is cheaper, and for a read one where not', () => {
    const cheap = priceTable({
      m: {
        inputUsdPerMillion: 1e6,
        outputUsdPerMillion: 1e6,
        cacheReadUsdPerMillion: 5e6,
        cacheCreationUsdPerMillion: 1e5,
        reasoningUsdPerMillion: 1e5,
      },
    });
    const { input, output } = tokensOf(base);
    expect(worstCaseOf(base, cheap, NOW)).toEqual({ usd: 5 * input + output });
  });

  test('takes the price of a cache write of Claude, and the upper tier of a long prompt', () => {
    const request = { provider: 'anthropic', model: 'claude-sonnet-4-5', max_tokens: 1000 };
    const bytes = JSON.stringify(request).length + TEMPLATE;
    // 3.75 USD per million tokens written, 15 answered
    expect(worstCaseOf(request, genaiPrices, NOW)).toEqual({
      usd: expect.closeTo((bytes * 3.75 + 1000 * 15) / 1e6, 10),
    });
    const long = { ...request, messages_in: 'x'.repeat(200_001) };
    // 7.5 and 22.5 above 200,000 tokens
    expect(worstCaseOf(long, genaiPrices, NOW)).toEqual({
      usd: expect.closeTo(((JSON.stringify(long).length + TEMPLATE) * 7.5 + 1000 * 22.5) / 1e6, 10),
    });
  });

  test('asks for the price of the provider, at the time of the call', () => {
    const asked: unknown[] = [];
    const source: PriceSource = {
      price({ provider, model, timestamp }) {
        asked.push([provider, model, timestamp]);
        return 1;
      },
    };
    worstCaseOf({ ...base, provider: 'p' }, source, NOW);
    expect(new Set(asked.map((call) => JSON.stringify(call)))).toEqual(
      new Set([JSON.stringify(['p', 'm', NOW])]),
    );
  });
});
