import { describe, expect, test } from 'vitest';
import { CostTotals } from './cost-totals.ts';
import { formatSummary } from './summary-table.ts';

function add(totals: CostTotals, agent_name: string, model: string, cost_usd: number): void {
  const counts = { input_tokens: 1_200, output_tokens: 345 };
  totals.add({ pattern_type: 'debate', agent_name, model, ...counts, cost_usd }, 0);
}

describe('formatSummary', () => {
  test('aligns numbers, the dearest first, and puts names last', () => {
    const totals = new CostTotals();
    add(totals, 'bear', 'gpt-4o-mini', 0.0004);
    add(totals, '研究者', 'gpt-4o', 1234.5);
    add(totals, '', 'gpt-4o', 0.003);
    totals.addUnpriced('my-model', 1);
    totals.addUnpriced('my-model', 1);
    expect(formatSummary(totals)).toBe(
      [
        '  cost (USD)  calls  input  output',
        '1,234.503400      3  3,600   1,035  total',
        '                                    by pattern',
        '1,234.503400      3  3,600   1,035    debate',
        '                                    by agent',
        '1,234.500000      1  1,200     345    研究者',
        '    0.003000      1  1,200     345    (none)',
        '    0.000400      1  1,200     345    bear',
        '                                    by model',
        '1,234.503000      2  2,400     690    gpt-4o',
        '    0.000400      1  1,200     345    gpt-4o-mini',
        '                                    without a price, in no sum',
        '           ?      2                   my-model',
      ].join('\n'),
    );
  });

  test('says so when nothing was counted', () => {
    expect(formatSummary(new CostTotals())).toBe(
      ['cost (USD)  calls  input  output', '  0.000000      0      0       0  total'].join('\n'),
    );
  });

  test('shows what a terminal would obey, and cuts what is long between characters', () => {
    const totals = new CostTotals();
    add(totals, '\u001b[2Jgone\n', 'm', 2);
    add(totals, '😀'.repeat(200), 'm', 1);
    const text = formatSummary(totals);
    expect(text).toContain('  \\u001b[2Jgone\\n');
    expect(text).toContain(`  ${'😀'.repeat(59)}…`);
    expect(text).not.toContain('\u001b');
  });

  test('shows twenty names of each breakdown, and how many more there are', () => {
    const totals = new CostTotals();
    for (let i = 0; i < 1_025; i++) {
      add(totals, `agent-${i}`, 'm', i);
      totals.addUnpriced(`model-${i}`, 1);
    }
    const lines = formatSummary(totals).split('\n');
    expect(lines.filter((line) => line.includes('agent-'))).toHaveLength(20);
    expect(lines.filter((line) => line.includes('model-'))).toHaveLength(20);
    expect(lines.filter((line) => line.endsWith('… 1,005 more'))).toHaveLength(2);
  });
});
