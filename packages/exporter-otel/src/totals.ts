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
  const { total_cost_usd, cost_estimate, llm_calls } = payload;
  const totals: Totals = {
    llm_calls: kind === 'llm' ? 1 : isNumber(llm_calls) ? llm_calls : children.llm_calls,
  };
  for (const key of KEYS) {
    const own = [record?.[key], payload[key], key === 'cost_usd' && total_cost_usd];
    const estimate = key === 'cost_usd' && cost_estimate;
    const said = [...own, children[key], estimate].find(isNumber);
    if (said !== undefined) totals[key] = said;
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
