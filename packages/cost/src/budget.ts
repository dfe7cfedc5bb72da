import type { EventSink, TracePayload } from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import type { Interceptor } from '@pyagent-trace/core/tracer';
import * as z from 'zod';
import type { BudgetScope } from './budget-error.ts';
import { type BudgetStats, Keeper } from './budget-keeper.ts';
import { genaiPrices } from './genai-prices.ts';
import { OptionsSchema as TrackerOptions } from './options.ts';
import type { PriceSource } from './prices.ts';

export interface BudgetOptions {
  /** US dollars, for each trace, session or agent of its own. */
  readonly limitUsd: number;
  /**
   * Who shares the limit. `session` goes by the `session_id` of the operation or of one around it, `agent`
   * by the name of the agent, in all traces together. Calls that have none share one limit.
   */
  readonly per: BudgetScope;
  /**
   * US dollars to set aside for a call whose worst case is unknown: always the same, or what the
   * function says of the request. `undefined` refuses the call.
   *
   * @default such a call is refused
   */
  readonly reserve?: number | ((request: TracePayload) => number | undefined);
  /** @default genaiPrices */
  readonly prices?: PriceSource;
  /** Where warnings go, as `budget_warning` events. */
  readonly bus?: EventSink;
  /**
   * Shares of the limit, from 0 to 1. When as much is spent there is a warning, once for each.
   *
   * @default [0.8]
   */
  readonly warnAtShares?: readonly number[];
}

/** An interceptor for `createTracer`, with an account. */
export type Budget = Interceptor & {
  /** @param key the trace id, session id or agent name; nothing for `total` */
  readonly stats: (key?: string) => BudgetStats;
};

const OptionsSchema = z.strictObject({
  limitUsd: z.number().nonnegative(),
  per: z.enum(['trace', 'session', 'agent', 'total']),
  reserve: z
    .union([
      z.number().nonnegative(),
      z.custom<(request: TracePayload) => number | undefined>(
        (value) => typeof value === 'function',
      ),
    ])
    .optional(),
  prices: TrackerOptions.shape.prices,
  bus: TrackerOptions.shape.bus,
  warnAtShares: z.array(z.number().positive().max(1)).default([0.8]),
});

/**
 * Keeps what model calls cost under a limit. Before a call it sets the worst case aside, and refuses the
 * call where that does not fit: the app's function does not run, and the app gets a
 * `BudgetExceededError`. Afterwards it books what the call cost and gives the rest back. What it does not
 * know, it takes for the worst.
 *
 * @throws {TraceError} `invalid_option`
 *
 * @example
 * ```ts
 * const budget = createBudget({ limitUsd: 0.5, per: 'trace', bus });
 * const tracer = createTracer(bus, { interceptors: [budget] });
 * ```
 */
export function createBudget(options: BudgetOptions): Budget {
  const { limitUsd, per, reserve, prices, bus, warnAtShares } = parseOptions(
    OptionsSchema,
    options,
    'createBudget',
  );
  const keeper = new Keeper({
    limitUsd,
    per,
    reserve: typeof reserve === 'function' ? reserve : () => reserve,
    prices: prices ?? genaiPrices,
    bus,
    warnAtShares: warnAtShares.toSorted((a, b) => a - b),
  });
  return Object.assign(keeper.intercept, { stats: keeper.stats });
}
