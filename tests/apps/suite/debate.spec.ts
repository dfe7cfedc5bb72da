import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';
import { BudgetExceededError, CostTracker, createBudget } from '@pyagent-trace/cost';
import {
  cassetteFetch,
  createReplayer,
  diffTraces,
  formatDiff,
  Recorder,
} from '@pyagent-trace/recorder';
import '@pyagent-trace/recorder/vitest';
import type { ReplayedTrace } from '@pyagent-trace/recorder/vitest';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { Debate } from '../script/debate.ts';

const QUESTION = 'Should we buy a battery?';
const nobody = new OpenAI({ fetch: () => Promise.reject(new Error('no network')), apiKey: 'none' });

test('the debate goes as it went in production', async () => {
  await using replay = await createReplayer('traces/first.jsonl');
  const bus = new TraceEventBus();
  const costs = new CostTracker({ bus });
  bus.attach(costs);
  const tracer = createTracer(bus, { interceptors: [replay] });
  const said = await new Debate(tracer, nobody).run(QUESTION);
  expect(said.at(-1)).toBe('I agree.');
  expect(replay.unused()).toEqual([]);
  expect(costs.summary().entries).toBe(6);
});

test('the trace is that of production', async () => {
  await expect(({ tracer }: ReplayedTrace) => new Debate(tracer, nobody).run(QUESTION)).toReplay(
    '../traces/first.jsonl',
  );
});

test('the client is replayed by a cassette, and leaves the same trace', async () => {
  const path = 'traces/cassette.jsonl';
  await using fetch = cassetteFetch({ path, mode: 'auto', ignore: ['origin'] });
  const recorder = new Recorder();
  const bus = new TraceEventBus();
  bus.attach(recorder);
  const client = new OpenAI({ fetch, apiKey: process.env['OPENAI_API_KEY'] ?? 'none' });
  const prompt = process.env['PROMPT'] ?? QUESTION;
  const model = 'gpt-4o-mini';
  const messages = [{ role: 'user' as const, content: prompt }];
  await createTracer(bus).llmCall({ model, messages_in: messages }, async ({ respond }) => {
    const { choices } = await client.chat.completions.create({ model, messages });
    respond({ response: choices[0]!.message.content ?? '' });
  });
  await expect(recorder).toMatchTrace('../traces/call.jsonl');
});

test('two runs differ in the word that was changed', async () => {
  const runs: Recorder[] = [];
  for (const question of ['Buy gold?', 'Buy silver?']) {
    const recorder = new Recorder();
    const bus = new TraceEventBus();
    bus.attach(recorder);
    const messages_in = [{ role: 'user', content: question }];
    createTracer(bus).agent('bull', () => void 0);
    createTracer(bus).llmCall({ model: 'gpt-4o', messages_in }, () => 'Buy.');
    runs.push(recorder);
  }
  const [yesterday, today] = runs;
  const diff = await diffTraces(yesterday!.entries, today!.entries);
  expect(formatDiff(diff)).toContain('Buy [-gold-]{+silver+}?');
  expect(diff.differences).toHaveLength(1);
});

test('a budget behind the replay spends nothing, and one before it holds', async () => {
  const budget = createBudget({ limitUsd: 0.0001, per: 'total' });
  await using replay = await createReplayer('traces/first.jsonl');
  const behind = createTracer(new TraceEventBus(), { interceptors: [replay, budget] });
  await new Debate(behind, nobody).run(QUESTION);
  expect(budget.stats()).toMatchObject({ spentUsd: 0, running: 0 });

  await using again = await createReplayer('traces/first.jsonl', { onUnused: () => {} });
  const before = createTracer(new TraceEventBus(), { interceptors: [budget, again] });
  const error = await new Debate(before, nobody).run(QUESTION).catch((reason: unknown) => reason);
  expect(BudgetExceededError.isInstance(error)).toBe(true);
});
