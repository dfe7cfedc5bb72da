import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';
import { CostTracker, createBudget, genaiPrices, usageFrom } from '@pyagent-trace/cost';

const answer = { model: 'gpt-4o', usage: { prompt_tokens: 1200, completion_tokens: 300 } };

export const features = {
  prices: () =>
    genaiPrices.price({ provider: 'openai', model: 'gpt-4o', usage: usageFrom(answer) }) > 0,
  tracker: async () => {
    const bus = new TraceEventBus();
    const tracker = new CostTracker({ bus });
    bus.attach(tracker);
    const tracer = createTracer(bus);
    await tracer.agent('bull', () =>
      tracer.llmCall({ provider: 'openai', model: 'gpt-4o' }, async (call) =>
        call.respond({ response: 'Buy.', ...usageFrom(answer) }),
      ),
    );
    return [tracker.summary(), tracker.formatSummary(), tracker.stats(), await bus.shutdown()];
  },
  budget: async () => {
    const budget = createBudget({ limitUsd: 0.01, per: 'total', reserve: 0.004 });
    const tracer = createTracer(new TraceEventBus(), { interceptors: [budget] });
    const calls = Array.from({ length: 50 }, () =>
      tracer.llmCall({ provider: 'openai', model: 'gpt-4o' }, async (call) => {
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
        call.respond({ cost_usd: 0.004 });
      }),
    );
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    return [refused.length, refused[0]?.reason.name, budget.stats()];
  },
};
