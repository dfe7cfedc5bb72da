import { type RunNode, walk } from './run-node.ts';
import type { RunTotals } from './types.ts';

export function totalsOf(roots: readonly RunNode[]): RunTotals {
  let [llm_calls, tool_calls, failed] = [0, 0, 0];
  let [input_tokens, output_tokens, cost_usd] = [0, 0, 0];
  let [start, end] = [Infinity, -Infinity];
  for (const node of walk(roots)) {
    start = Math.min(start, node.start);
    end = Math.max(end, node.end);
    const { status } = node.answered;
    if (status !== undefined && status !== 'ok') failed += 1;
    if (node.kind === 'llm_call') llm_calls += 1;
    if (node.kind === 'tool') tool_calls += 1;
    // a cost that no call was found for is an event inside an agent or a pattern
    const counts =
      node.kind === 'llm_call' ? node.answered : node.kind === 'cost_record' ? node.asked : {};
    input_tokens += quantity(counts['input_tokens']);
    output_tokens += quantity(counts['output_tokens']);
    cost_usd += quantity(counts['cost_usd']);
  }
  return {
    llm_calls,
    tool_calls,
    failed,
    input_tokens,
    output_tokens,
    // without the noise of adding floating-point numbers
    cost_usd: Math.round(cost_usd * 1e12) / 1e12,
    duration_ms: end > start ? Math.round((end - start) * 1e6) / 1000 : 0,
  };
}

function quantity(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
