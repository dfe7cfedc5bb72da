import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { USAGE } from './flags.ts';
import { runDemo } from './run-demo.fixture.ts';

// a debate takes three seconds, more on a busy machine
describe('npm run demo', { timeout: 30_000 }, () => {
  test('shows the debate as a tree, and says of the file what it holds', async () => {
    using demo = await runDemo([]);

    const types: Record<string, number> = {};
    for await (const { event_type } of readTraceEvents(demo.file))
      types[event_type] = (types[event_type] ?? 0) + 1;
    const [, tree = '', receipts, summary, verdict, cost] = demo.stdout.split('\n\n');
    expect({ code: demo.code, stderr: demo.stderr, types }).toEqual({
      code: 0,
      stderr: '',
      types: {
        pattern_start: 1,
        agent_start: 5,
        tool_start: 2,
        tool_end: 2,
        llm_call: 6,
        llm_response: 6,
        error: 1,
        compression: 1,
        routing_decision: 1,
        agent_end: 5,
        pattern_end: 1,
      },
    });
    expect(tree.split('\n')).toHaveLength(22);
    expect(tree).toMatch(/^┌ debate {2}Should the town of Westerhaven build a 20 MWh battery\?\n/);
    expect(tree).toMatch(/\n└ debate .*367→180 tok/);
    expect(receipts).toBe(`Receipts
  console      31 delivered, 0 dropped, 0 failed, 0 pending
  jsonl        31 delivered, 0 dropped, 0 failed, 0 pending
  cost         31 delivered, 0 dropped, 0 failed, 0 pending`);
    expect(
      summary
        ?.split('\n')
        .slice(1)
        .join('\n')
        .replace(/[\d.]+ s$/m, '<time>'),
    ).toBe(`  runs         1, <time>
  agents       5
  model calls  6, 1 of them a retry
  tool calls   2
  tokens       367 in, 180 out
  cost         0.0018755 USD, of 5 calls that told their price
  errors       1
  events       31`);
    expect(verdict).toBe(`Verdict
  Build half now, with the guarantee in writing. Half a battery already takes
  the worst of the peaks, and the second half can be bought in two years at
  the price of that day.`);
    expect(cost).toBe(`Cost
  cost (USD)  calls  input  output
    0.001876      5    367     180  total
                                    by pattern
    0.001876      5    367     180    debate
                                    by agent
    0.001480      1    124      43    judge
    0.000204      2    137      68    bear
    0.000191      2    106      69    bull
                                    by model
    0.001480      1    124      43    scripted-large
    0.000396      4    243     137    scripted-small`);
  });

  test('goes on and ends well when the reader of its output goes away', async () => {
    using demo = await runDemo([], { closeOutput: true });

    const lines = readFileSync(demo.file, 'utf8').trimEnd().split('\n');
    expect({ code: demo.code, stderr: demo.stderr, lines: lines.length }).toEqual({
      code: 0,
      stderr: '',
      lines: 31,
    });
  });

  test.for([{ args: [] }, { args: ['--conversations'] }])(
    'says that tracing is off, and does nothing else, with $args',
    async ({ args }) => {
      using demo = await runDemo(args, { env: { PYAGENT_TRACE_DISABLED: '1' } });

      expect(demo).toMatchObject({
        code: 0,
        stdout: 'Tracing is off (PYAGENT_TRACE_DISABLED=1): there is nothing to show.\n',
        stderr: '',
      });
    },
  );

  test('lists the flags on request', async () => {
    using demo = await runDemo(['--help']);

    expect(demo).toMatchObject({ code: 0, stdout: `${USAGE}\n`, stderr: '' });
  });

  test('refuses what is no flag, and lists the flags', async () => {
    using demo = await runDemo(['--lvie']);

    expect(demo).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `Unknown option '--lvie'\n\n${USAGE}\n`,
    });
  });
});
