import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { agent, ask, debate, eventsOf, tool } from './diff/run.fixture.ts';
import { diffTraces } from './diff-traces.ts';
import { formatDiff } from './format-diff.ts';

function inTurn(first: string, second: string): TraceEvent[] {
  return eventsOf(debate(tool(1, first, {}, 1), tool(3, second, {}, 1)));
}

describe('formatDiff', () => {
  test('shows the first divergence, the words that changed, and both totals', async () => {
    const a = eventsOf(
      debate(
        agent('bull', [ask(1, 'Is gold a buy today?', 'Buy.'), tool(3, 'price', {}, 1)]),
        agent('bear', [ask(5, 'Is gold a sell?', 'Sell.')]),
      ),
    );
    const b = eventsOf(
      debate(agent('bull', [ask(1, 'Is silver a buy today?', 'Hold.'), tool(2.1, 'price', {}, 1)])),
    );

    expect(formatDiff(await diffTraces(a, b))).toBe(
      `The runs differ first at debate → bull → llm_call 1
  prompt messages_in.0.content: Is [-gold-]{+silver+} a buy today?

3 differences [-expected-]{+actual+}
debate → bull → llm_call 1
  prompt messages_in.0.content: Is [-gold-]{+silver+} a buy today?
  answer response: [-Buy-]{+Hold+}.
debate → bear
  missing [-{"kind":"agent","name":"bear","calls":1,"asked":{}}-]

model calls    2 → 1
tool calls     1 → 1
failed         0 → 0
input tokens   20 → 10
output tokens  4 → 2
cost           none told → none told
duration       5000 ms → 2100 ms`,
    );
  });

  test('says that runs are equal, with their totals', async () => {
    const text = formatDiff(await diffTraces(eventsOf(debate(ask(1, 'a', 'b'))), []));
    expect(text.split('\n')[0]).toBe('The runs differ first at debate');

    const events = eventsOf(debate(ask(1, 'a', 'b')));
    expect(
      formatDiff(await diffTraces(events, events))
        .split('\n')
        .slice(0, 3),
    ).toEqual(['The runs are equal.', '', 'model calls    1 → 1']);
  });

  test('says where the order changed', async () => {
    expect(
      formatDiff(await diffTraces(inTurn('read', 'write'), inTurn('write', 'read'))),
    ).toContain('order: expected as number 1, is number 2');
  });

  test('is bounded, and sends no control characters to a terminal', async () => {
    const hostile = '\u001b[2J\u202e\n'.repeat(5_000);
    const run = (answer: string): TraceEvent[] => [
      ...eventsOf(
        ...Array.from({ length: 100 }, (_, i) => ({
          ...debate(ask(i, hostile, answer)),
          name: hostile,
        })),
      ),
      createTraceEvent({ event_type: '\u0007' }),
    ];
    const text = formatDiff(await diffTraces(run(`${hostile}a`), run('b')));

    expect(text).toContain('and 60 more');
    expect(text).not.toMatch(/[^\n\P{C}]/u);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(810);
    expect(text.split('\n').length).toBeLessThan(200);
  });
});
