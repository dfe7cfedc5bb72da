import { describe, expect, test } from 'vitest';
import { CostTotals } from './cost-totals.ts';
import { toCsv } from './csv.ts';

function rowsOf(agents: readonly string[]): string[] {
  const totals = new CostTotals();
  for (const agent_name of agents)
    totals.add({ agent_name, model: 'm', input_tokens: 2, output_tokens: 1, cost_usd: 0.5 }, 0);
  totals.addUnpriced('mine', 1);
  return toCsv(totals).split('\r\n');
}

describe('toCsv', () => {
  test('has a line for the total, each name of each breakdown, and each model without a price', () => {
    expect(rowsOf(['bull', 'bear'])).toEqual([
      'breakdown,name,calls,input_tokens,output_tokens,cache_read_tokens,cache_creation_tokens,reasoning_tokens,cost_usd',
      'total,,2,4,2,0,0,0,1',
      'pattern,,2,4,2,0,0,0,1',
      'agent,bull,1,2,1,0,0,0,0.5',
      'agent,bear,1,2,1,0,0,0,0.5',
      'model,m,2,4,2,0,0,0,1',
      'provider,,2,4,2,0,0,0,1',
      'session,,2,4,2,0,0,0,1',
      'user,,2,4,2,0,0,0,1',
      'trace,,2,4,2,0,0,0,1',
      'unpriced,mine,1,,,,,,',
      '',
    ]);
  });

  test('quotes what would end a cell', () => {
    const csv = rowsOf(['a,b', 'say "no"', 'two\r\nlines']).join('\r\n');
    expect(csv).toContain('\r\nagent,"a,b",1,');
    expect(csv).toContain('\r\nagent,"say ""no""",1,');
    expect(csv).toContain('\r\nagent,"two\r\nlines",1,');
  });

  test('a name that a spreadsheet would run is text', () => {
    for (const start of ['=', '+', '-', '@', '\t'])
      expect(rowsOf([`${start}cmd()`]).join('\n')).toContain(`\nagent,'${start}cmd(),1,`);
    expect(rowsOf(['=a,b']).join('\n')).toContain(`\nagent,"'=a,b",1,`);
  });
});
