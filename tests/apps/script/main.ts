import { TraceEventBus } from '@pyagent-trace/core';
import { redact } from '@pyagent-trace/core/processors';
import { createTracer } from '@pyagent-trace/core/tracer';
import { BudgetExceededError, CostTracker, createBudget } from '@pyagent-trace/cost';
import { ConsoleExporter } from '@pyagent-trace/exporter-console';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
import OpenAI from 'openai';
import { Debate } from './debate.ts';

const [name = 'first', rounds = '1'] = process.argv.slice(2);
const redacted = { processors: [redact()] };
const bus = new TraceEventBus();
bus.attach(new ConsoleExporter({ format: 'pretty', columns: 100 }), redacted);
bus.attach(new JsonlExporter(`traces/${name}.redacted.jsonl`), redacted);
bus.attach(new JsonlExporter(`traces/${name}.jsonl`)); // to replay from
const costs = new CostTracker({ bus });
bus.attach(costs);
const budget = createBudget({ limitUsd: 0.01, per: 'trace', bus, warnAtShares: [0.4] });
const tracer = createTracer(bus, { interceptors: [budget] });

const debate = new Debate(tracer, new OpenAI({ maxRetries: 0 })); // key and address from the environment
try {
  await debate.run('Should we buy a battery?', Number(rounds));
} catch (error) {
  if (!BudgetExceededError.isInstance(error)) throw error;
  console.log('stopped:', error.reason, error.spentUsd + error.askedUsd! > error.limitUsd);
} finally {
  const receipts = await bus.shutdown();
  console.log(costs.formatSummary());
  for (const { exporter, delivered, dropped, failed, pending } of receipts)
    console.log(exporter, delivered > 0, dropped + failed + pending);
}
