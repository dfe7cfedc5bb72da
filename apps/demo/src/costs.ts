// What the model calls of a run cost, and a limit for it.
import type { TraceEventBus } from '@pyagent-trace/core';
import type { Interceptor } from '@pyagent-trace/core/tracer';
import { CostTracker, createBudget, genaiPrices, priceTable } from '@pyagent-trace/cost';
import { SCRIPTED_PRICES } from './scripted-model.ts';

export interface Costs {
  /** For the tracer: they refuse a call before it is made. */
  readonly interceptors: readonly Interceptor[];
  /** The table, for the end of the run. */
  readonly format: () => string;
}

/** Listens to the bus. Nothing is limited without a limit. */
export function watchCosts(bus: TraceEventBus, limitUsd: number | undefined): Costs {
  const prices = priceTable(SCRIPTED_PRICES, genaiPrices);
  const tracker = new CostTracker({ bus, prices });
  bus.attach(tracker);
  if (limitUsd === undefined) return { interceptors: [], format: () => tracker.formatSummary() };
  const budget = createBudget({ limitUsd, per: 'total', prices, bus });
  return {
    interceptors: [budget],
    format: () =>
      `${tracker.formatSummary()}\n\n${budget.stats().spentUsd.toFixed(7)} of ${limitUsd} USD spent`,
  };
}
