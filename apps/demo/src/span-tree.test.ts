import { describe, expect, test } from 'vitest';
import type { ReceivedSpan } from './otlp-decode.ts';
import { formatSpanTree } from './span-tree.ts';

describe('formatSpanTree', () => {
  test('puts each span under its parent, in the order of their starts, whatever order they came in', () => {
    const spans = [
      span({ span_id: 'c', parent_span_id: 'b', name: 'chat m', start_ms: 20, end_ms: 30 }),
      span({ span_id: 'd', parent_span_id: 'a', name: 'invoke_agent bear', start_ms: 40 }),
      span({ span_id: 'b', parent_span_id: 'a', name: 'invoke_agent bull', start_ms: 10 }),
      span({ span_id: 'a', name: 'invoke_workflow debate', end_ms: 2500 }),
    ];

    expect(columns(formatSpanTree(spans))).toEqual([
      ['invoke_workflow debate', '2.5 s'],
      ['├ invoke_agent bull', '90 ms'],
      ['│ └ chat m', '10 ms'],
      ['└ invoke_agent bear', '60 ms'],
    ]);
  });

  test('shows tokens, cost and what failed', () => {
    const attributes = {
      'pyagent.cost.input_tokens': 98,
      'pyagent.cost.output_tokens': 25,
      'pyagent.cost.total_usd': 0.000099,
      'error.type': 'ModelError',
    };

    expect(columns(formatSpanTree([span({ name: 'chat', status: 'error', attributes })]))).toEqual([
      ['chat', '98→25 tok', '$0.000099', '✗ ModelError', '100 ms'],
    ]);
  });

  test('shows a span whose parent did not arrive as a root', () => {
    expect(columns(formatSpanTree([span({ name: 'lost', parent_span_id: 'x' })]))).toEqual([
      ['lost', '100 ms'],
    ]);
  });

  test('keeps escape sequences from the terminal', () => {
    expect(formatSpanTree([span({ name: 'chat \u001b[2J' })])).not.toContain('\u001b');
  });
});

function span({
  start_ms = 0,
  end_ms = 100,
  ...rest
}: Partial<ReceivedSpan> & { start_ms?: number; end_ms?: number }): ReceivedSpan {
  return {
    trace_id: 't',
    span_id: 'a',
    parent_span_id: '',
    name: '',
    kind: 'internal',
    start_ns: BigInt(start_ms) * 1_000_000n,
    end_ns: BigInt(end_ms) * 1_000_000n,
    attributes: {},
    events: [],
    status: 'unset',
    status_message: '',
    resource: {},
    scope: { name: '', version: '' },
    ...rest,
  };
}

function columns(text: string): string[][] {
  return text.split('\n').map((line) => line.split(/\s{2,}/));
}
