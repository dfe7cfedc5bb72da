import type { Span } from '@pyagent-trace/core/spans';
import { isNumber } from './mapping/values.ts';

/** What the model calls of a span used; a key is absent while none of them said. */
export interface Totals {
  cost_usd?: number;
  input_tokens?: number;
  output_tokens?: number;
  llm_calls: number;
}

const KEYS = ['cost_usd', 'input_tokens', 'output_tokens'] as const;

/** Nine digits after the point: sums of floating-point numbers have a tail. */
const PRECISION = 1e9;

/**
 * What a span used: what a `cost_record` about it says, else what it says itself, else the sum of its
 * children, else, of money, its estimate.
 */
export function totalsOf(span: Span, children: Totals): Totals {
  const { attributes: payload, annotations, kind } = span;
  const record = annotations.findLast(({ event_type }) => event_type === 'cost_record')?.payload;
  const { llm_calls, total_cost_usd, cost_estimate } = payload;
  const totals: Totals = { ...children };
  if (kind === 'llm') totals.llm_calls = 1;
  else if (isNumber(llm_calls)) totals.llm_calls = llm_calls;
  for (const key of KEYS) {
    const told = record?.[key];
    const own = payload[key];
    if (isNumber(told)) totals[key] = told;
    else if (isNumber(own)) totals[key] = own;
    else if (key !== 'cost_usd') continue;
    else if (isNumber(total_cost_usd)) totals.cost_usd = total_cost_usd;
    else if (isNumber(cost_estimate)) totals.cost_usd ??= cost_estimate;
  }
  return totals;
}

export function addTotals(sum: Totals, totals: Totals): void {
  sum.llm_calls += totals.llm_calls;
  for (const key of KEYS) {
    const more = totals[key];
    if (more !== undefined) sum[key] = Math.round(((sum[key] ?? 0) + more) * PRECISION) / PRECISION;
  }
}
