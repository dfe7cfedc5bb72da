import { readFileSync } from 'node:fs';
import { extractUsage, findProvider, type Provider } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import { genaiPrices } from '../genai-prices.ts';
import { problemOfUsage } from '../usage.ts';
import { type AnswerUsage, usageFrom } from './usage-from.ts';

interface RecordedAnswer {
  readonly name: string;
  /** Where the counts were recorded. */
  readonly source: string;
  /** What a provider answered, without its texts. */
  readonly answer: unknown;
  /** The extractor of genai-prices that reads it: provider and flavour. */
  readonly extractor?: readonly [string, string];
  readonly usage: AnswerUsage;
}

const FILE = new URL('../../fixtures/answers.json', import.meta.url);
const ANSWERS = JSON.parse(readFileSync(FILE, 'utf8')) as readonly RecordedAnswer[];

describe('usageFrom', () => {
  for (const { name, answer, usage } of ANSWERS)
    test(`reads ${name}`, () => {
      expect(usageFrom(answer)).toEqual(usage);
      expect(problemOfUsage(usage)).toBeUndefined();
    });

  for (const { name, answer, extractor, usage } of ANSWERS.filter((one) => one.extractor))
    test(`agrees with genai-prices about ${name}`, () => {
      const [id, flavor] = extractor as [string, string];
      const { usage: theirs } = extractUsage(
        findProvider({ providerId: id }) as Provider,
        answer,
        flavor,
      );
      const { input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens } = usage;
      expect({
        input_tokens: theirs['input_tokens'],
        output_tokens: theirs['output_tokens'],
        cache_read_tokens: theirs['cache_read_tokens'] ?? 0,
        cache_creation_tokens: theirs['cache_write_tokens'] ?? 0,
      }).toEqual({
        input_tokens,
        output_tokens,
        cache_read_tokens: cache_read_tokens ?? 0,
        cache_creation_tokens: cache_creation_tokens ?? 0,
      });
    });

  test('reads a usage object alone', () => {
    expect(usageFrom({ prompt_tokens: 14, completion_tokens: 9, total_tokens: 23 })).toEqual({
      input_tokens: 14,
      output_tokens: 9,
    });
  });

  test('says nothing of what has no counts', () => {
    const shapes = [undefined, null, 'text', 7, [], {}, { usage: null }, { usage: {} }];
    const chunks = [{ type: 'content_block_delta', delta: { text: 'p' } }, Promise.resolve({})];
    for (const answer of [...shapes, ...chunks]) expect(usageFrom(answer)).toBeUndefined();
  });

  test('leaves out a count that is none', () => {
    const usage = { prompt_tokens: -1, completion_tokens: 9, prompt_tokens_details: 'none' };
    expect(usageFrom({ usage })).toEqual({ output_tokens: 9 });
    expect(usageFrom({ usage: { inputTokens: Number.NaN, outputTokens: 1.5 } })).toBeUndefined();
  });

  test('survives a getter that throws', () => {
    const answer = {
      get usage(): never {
        throw new Error('no');
      },
    };
    expect(usageFrom(answer)).toBeUndefined();
  });

  test('does not touch a stream of the AI SDK, which reading it would consume', () => {
    let consumed = false;
    class StreamTextResult {
      get fullStream(): unknown {
        consumed = true;
        return undefined;
      }
      get usage(): unknown {
        consumed = true;
        return Promise.resolve({ inputTokens: 1, outputTokens: 1 });
      }
      get steps(): unknown {
        consumed = true;
        return undefined;
      }
    }
    expect(usageFrom(new StreamTextResult())).toBeUndefined();
    expect(consumed).toBe(false);
  });

  test('start and end of a stream of Anthropic give the counts of all of it', () => {
    const start = {
      type: 'message_start',
      message: {
        model: 'claude-sonnet-5',
        usage: {
          input_tokens: 2,
          cache_creation_input_tokens: 3068,
          cache_read_input_tokens: 0,
          output_tokens: 69,
        },
      },
    };
    const end = { type: 'message_delta', delta: {}, usage: { output_tokens: 198 } };
    expect({ ...usageFrom(start), ...usageFrom(end) }).toEqual({
      model: 'claude-sonnet-5',
      input_tokens: 3070,
      output_tokens: 198,
      cache_read_tokens: 0,
      cache_creation_tokens: 3068,
    });
  });

  test('an input that was cached as a whole is that of the cache', () => {
    const usage = { input_tokens: 0, cache_read_input_tokens: 60, output_tokens: 1 };
    expect(usageFrom({ usage })).toEqual({
      input_tokens: 60,
      output_tokens: 1,
      cache_read_tokens: 60,
    });
  });

  test('a chunk that tells of its cached input alone leaves the input of the first', () => {
    const counts = { input_tokens: 2, cache_read_input_tokens: 60 };
    const start = { type: 'message_start', message: { usage: { ...counts, output_tokens: 1 } } };
    const usage = { ...counts, input_tokens: null, output_tokens: 198 };
    const end = { type: 'message_delta', delta: {}, usage };
    expect({ ...usageFrom(start), ...usageFrom(end) }).toEqual({
      input_tokens: 62,
      output_tokens: 198,
      cache_read_tokens: 60,
    });
  });

  test('what it reads has the price that Anthropic charges for what is cached', () => {
    const { model = '', ...usage } = usageFrom(answerOf('what was cached by Anthropic')) ?? {};
    // 18 at $3 and 2,284 read from the cache at $0.30 a million, and 141 at $15
    const cost = (18 * 3 + 2284 * 0.3 + 141 * 15) / 1e6;
    expect(genaiPrices.price({ provider: 'anthropic', model, usage })).toBeCloseTo(cost, 12);
  });

  test('what it reads has the price that xAI says it charged', () => {
    const answer = answerOf('xAI, which counts reasoning beside the completion');
    const { model = '', ...usage } = usageFrom(answer) ?? {};
    const { cost_in_usd_ticks } = (answer as { usage: { cost_in_usd_ticks: number } }).usage;
    const cost = cost_in_usd_ticks / 1e10;
    // the answer is of February 2026
    const call = { provider: 'xai', model, usage, timestamp: 1_770_774_041 };
    expect(genaiPrices.price(call)).toBeCloseTo(cost, 12);
  });
});

function answerOf(name: string): unknown {
  return ANSWERS.find((one) => one.name === name)?.answer;
}
