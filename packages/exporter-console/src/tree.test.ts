import { createTraceEvent, type TraceEvent, type TracePayload } from '@pyagent-trace/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConsoleExporter } from './console-exporter.ts';

const START = 1_763_800_000;

/** Prints what the steps emit, at the time they say. */
class Run {
  text = '';
  readonly exporter: ConsoleExporter;
  #time = START;

  constructor(columns = 80) {
    const output = { write: (text: string) => (this.text += text) };
    this.exporter = new ConsoleExporter({ output, format: 'pretty', color: false, columns });
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  emit(event_type: string, agent_name: string, payload: TracePayload): void {
    this.exporter.exportEvent(this.event(event_type, agent_name, payload));
  }

  event(event_type: string, agent_name: string, payload: TracePayload): TraceEvent {
    return createTraceEvent({
      timestamp: this.#time,
      event_type,
      agent_name,
      pattern_type: 'debate',
      payload: { trace_id: 't1', ...payload },
    });
  }

  wait(seconds: number): void {
    this.#time += seconds;
  }

  start(kind: 'pattern' | 'agent', name: string, span_id: string, rest: TracePayload = {}): void {
    this.emit(`${kind}_start`, kind === 'agent' ? name : '', { span_id, ...rest });
  }

  end(kind: 'pattern' | 'agent', name: string, span_id: string, rest: TracePayload = {}): void {
    this.emit(`${kind}_end`, kind === 'agent' ? name : '', { span_id, ...rest });
  }

  call(agent: string, parent_span_id: string, span_id: string, answer: TracePayload): void {
    this.emit('llm_call', agent, { span_id, parent_span_id, model: 'gpt-4o-mini' });
    this.wait(1.2);
    this.emit('llm_response', agent, { span_id, ...answer });
  }

  cost(agent: string, span_id: string, cost_usd: number): void {
    this.emit('cost_record', agent, { span_id, cost_usd });
  }
}

const ANSWER = { response: 'Buy.', input_tokens: 1204, output_tokens: 356 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Tree', () => {
  test('shows a debate of agents one after another', () => {
    const run = new Run(100);
    run.start('pattern', 'debate', 'p', { input: 'Should we buy?' });
    run.start('agent', 'bull', 'a1', { parent_span_id: 'p', input: 'Should we buy?' });
    run.call('bull', 'a1', 'c1', { ...ANSWER, response: 'I should look at the filing.' });
    run.cost('bull', 'c1', 0.000394);
    run.emit('tool_start', 'bull', {
      span_id: 'x1',
      parent_span_id: 'a1',
      tool_name: 'search',
      arguments: { query: '10-K' },
    });
    run.wait(0.34);
    run.emit('tool_end', 'bull', { span_id: 'x1', result: ['Form 10-K'] });
    run.call('bull', 'a1', 'c2', {
      ...ANSWER,
      response: 'Services revenue grew 14 %. '.repeat(50),
    });
    run.cost('bull', 'c2', 0.000394);
    run.end('agent', 'bull', 'a1', { output: 'Services revenue grew 14 %. '.repeat(50) });
    run.start('agent', 'judge', 'a2', { parent_span_id: 'p', input: 'Weigh both sides.' });
    run.emit('routing_decision', 'judge', {
      span_id: 'a2',
      difficulty: 3,
      difficulty_category: 'simple',
      selected_model: 'gpt-4o',
      result: 'gpt-4o', // as the tracer keeps it for a replay
    });
    run.emit('compression', 'judge', {
      span_id: 'a2',
      input_tokens: 12_000,
      output_tokens: 4_000,
      savings_pct: 0.667,
    });
    run.call('judge', 'a2', 'c3', { response: 'BUY.', input_tokens: 900, output_tokens: 2 });
    run.cost('judge', 'c3', 0.0234);
    run.end('agent', 'judge', 'a2', { output: 'BUY.' });
    run.end('pattern', 'debate', 'p', { result_output: 'BUY.', status: 'ok' });

    expect(run.lines).toEqual([
      '┌ debate  Should we buy?',
      '│ ┌ bull',
      '│ │ • gpt-4o-mini  I should look at the filing.                     1,204→356 tok   $0.00039   1.2 s',
      '│ │ • search()  {"query":"10-K"} → ["Form 10-K"]                                              340 ms',
      '│ │ • gpt-4o-mini  Services revenue grew 14 %. S… 1,400 characters  1,204→356 tok   $0.00039   1.2 s',
      '│ └ bull                                                            2,408→712 tok   $0.00079   2.7 s',
      '│ ┌ judge  Weigh both sides.',
      '│ │ ◆ routing_decision  difficulty=3 difficulty_category=simple selected_model=gpt-4o',
      '│ │ ◆ compression  input_tokens=12000 output_tokens=4000 savings_pct=0.667',
      '│ │ • gpt-4o-mini  BUY.                                                 900→2 tok     $0.023   1.2 s',
      '│ └ judge                                                               900→2 tok     $0.023   1.2 s',
      '└ debate                                                            3,308→714 tok     $0.024   3.9 s',
    ]);
  });

  test('says on every line where it belongs while several agents are open', () => {
    const run = new Run();
    run.start('pattern', 'debate', 'p');
    for (const id of ['a1', 'a2', 'a3']) run.start('agent', 'worker', id, { parent_span_id: 'p' });
    run.call('worker', 'a2', 'c2', ANSWER);
    run.call('worker', 'a1', 'c1', ANSWER);
    run.cost('worker', 'c1', 0.1);
    run.emit('error', 'worker', {
      span_id: 'a3',
      error_type: 'RangeError',
      message: 'page 7 of 6',
    });
    run.end('agent', 'worker', 'a1');
    run.end('agent', 'worker', 'a3', { status: 'error' });
    run.cost('worker', 'c2', 0.1);
    run.end('agent', 'worker', 'a2');
    run.start('agent', 'worker', 'a4', { parent_span_id: 'p' });
    run.end('agent', 'worker', 'a4');
    run.end('pattern', 'debate', 'p');

    expect(run.lines).toEqual([
      '┌ debate',
      '│ ┌ worker',
      '│ ┌ worker #2',
      '│ ┌ worker #3',
      '│ │ • worker › gpt-4o-mini  Buy.                1,204→356 tok      $0.10   1.2 s',
      '│ │ ✗ worker #3 › error  RangeError: page 7 of 6',
      '│ └ worker                                      1,204→356 tok      $0.10   2.4 s',
      '│ └ worker #3 (error)                                                      2.4 s',
      '│ │ • worker #2 › gpt-4o-mini  Buy.             1,204→356 tok      $0.10   1.2 s',
      '│ └ worker #2                                   1,204→356 tok      $0.10   2.4 s',
      '│ ┌ worker',
      '│ └ worker                                                                  0 ms',
      '└ debate                                        2,408→712 tok      $0.20   2.4 s',
    ]);
  });

  test('names the pattern too while several patterns are open', () => {
    const run = new Run();
    for (const [pattern, agent] of [
      ['p1', 'a1'],
      ['p2', 'a2'],
    ] as const) {
      run.start('pattern', 'debate', pattern, { trace_id: pattern });
      run.start('agent', 'bull', agent, { trace_id: pattern, parent_span_id: pattern });
    }
    run.end('agent', 'bull', 'a1', { trace_id: 'p1', output: 'Buy.' });
    run.end('pattern', 'debate', 'p1', { trace_id: 'p1' });
    run.end('agent', 'bull', 'a2', { trace_id: 'p2' });
    run.end('pattern', 'debate', 'p2', { trace_id: 'p2' });

    expect(run.lines.map((line) => line.replace(/ +0 ms$/, ''))).toEqual([
      '┌ debate',
      '│ ┌ bull',
      '┌ debate #2',
      '│ ┌ debate #2 › bull',
      '│ └ debate › bull  Buy.',
      '└ debate',
      '│ └ debate #2 › bull',
      '└ debate #2',
    ]);
  });

  test('prints an answer before what came of it, though its cost may still come', () => {
    const run = new Run();
    run.start('agent', 'bull', 'a1');
    run.call('bull', 'a1', 'c1', { response: 'Search.' });
    expect(run.lines).toHaveLength(1);
    run.emit('tool_start', 'bull', { span_id: 'x1', parent_span_id: 'a1', tool_name: 'search' });
    run.emit('tool_end', 'bull', { span_id: 'x1', result: 'found' });
    expect(run.lines.slice(1).map((line) => line.trimEnd().replace(/ {2,}\S+ m?s$/, ''))).toEqual([
      '│ • gpt-4o-mini  Search.',
      '│ • search()  found',
    ]);
  });

  test('prints a call whose cost does not come after 250 ms, and counts it as pending until then', () => {
    const run = new Run();
    run.call('bull', '', 'c1', ANSWER);
    expect(run.exporter.stats()).toMatchObject({ accepted: 2, delivered: 1, pending: 1 });
    vi.advanceTimersByTime(250);
    expect(run.lines).toEqual([
      '• bull › gpt-4o-mini  Buy.                      1,204→356 tok              1.2 s',
    ]);
    expect(run.exporter.stats()).toMatchObject({ accepted: 2, delivered: 2, pending: 0 });
  });

  test('prints a call that waits for its cost on flush', async () => {
    const run = new Run();
    run.call('bull', '', 'c1', ANSWER);
    await run.exporter.flush();
    expect(run.lines).toHaveLength(1);
    expect(run.exporter.stats()).toMatchObject({ delivered: 2, pending: 0 });
  });

  test('counts a late call that the output refuses as failed', () => {
    const run = new Run();
    run.call('bull', '', 'c1', ANSWER);
    Object.defineProperty(run, 'text', {
      set: () => {
        throw new Error('full');
      },
    });
    vi.advanceTimersByTime(250);
    expect(run.exporter.stats()).toMatchObject({
      accepted: 2,
      delivered: 1,
      failed: 1,
      error: 'full',
    });
  });

  test('shows a failed call with the reason, and goes on', () => {
    const run = new Run();
    run.start('agent', 'bull', 'a1');
    run.emit('llm_call', 'bull', { span_id: 'c1', parent_span_id: 'a1', model: 'gpt-4o' });
    run.wait(30);
    run.emit('error', 'bull', { span_id: 'c1', error_type: 'TimeoutError', message: 'no answer' });
    run.emit('llm_response', 'bull', { span_id: 'c1', status: 'error' });
    run.end('agent', 'bull', 'a1', { status: 'error' });
    expect(run.lines).toEqual([
      '┌ bull',
      '│ ✗ gpt-4o (error)  TimeoutError: no answer                               30.0 s',
      '└ bull (error)                                                            30.0 s',
    ]);
  });

  test('prices what has a price, and says that it is not all', () => {
    const run = new Run();
    run.start('agent', 'bull', 'a1');
    run.call('bull', 'a1', 'c1', ANSWER);
    run.cost('bull', 'c1', 0.0004);
    run.call('bull', 'a1', 'c2', ANSWER);
    run.end('agent', 'bull', 'a1');
    expect(run.lines.at(-1)).toBe(
      '└ bull                                          2,408→712 tok   ≥$0.0004   2.4 s',
    );
  });

  test('sums calls, not the sums that ends repeat, and shows an estimate where no call says it', () => {
    const run = new Run();
    const estimates = { token_estimate: 5_000, cost_estimate: 1 };
    run.start('pattern', 'debate', 'p');
    run.start('agent', 'bull', 'a1', { parent_span_id: 'p' });
    run.call('bull', 'a1', 'c1', ANSWER);
    run.end('agent', 'bull', 'a1', { input_tokens: 1204, output_tokens: 356 });
    run.start('agent', 'bear', 'a2', { parent_span_id: 'p' });
    run.end('agent', 'bear', 'a2', estimates);
    run.end('pattern', 'debate', 'p', { ...estimates, input_tokens: 1204 });
    expect(run.lines.slice(-4)).toEqual([
      '│ └ bull                                        1,204→356 tok              1.2 s',
      '│ ┌ bear',
      '│ └ bear                                           ~5,000 tok     ~$1.00    0 ms',
      '└ debate                                        1,204→356 tok     ~$1.00   1.2 s',
    ]);
  });

  test('shows events without ids, as the Python package emits them', () => {
    const run = new Run();
    const bare = { trace_id: undefined };
    run.emit('pattern_start', '', bare);
    run.emit('agent_start', 'writer', bare);
    run.emit('llm_call', 'writer', { ...bare, model: 'gpt-4o', ...ANSWER, duration_ms: 800 });
    run.emit('cost_record', 'writer', { ...bare, model: 'gpt-4o', cost_usd: 0.5 });
    run.wait(1);
    run.emit('agent_end', 'writer', { ...bare, output: 'Buy.' });
    run.emit('llm_call', 'critic', { ...bare, model: 'gpt-4o', response: 'Fine.' });
    run.emit('pattern_end', '', bare);
    expect(run.lines).toEqual([
      '┌ debate',
      '│ ┌ writer',
      '│ │ • gpt-4o  Buy.                              1,204→356 tok      $0.50  800 ms',
      '│ └ writer                                      1,204→356 tok      $0.50   1.0 s',
      '│ • critic › gpt-4o  Fine.                                                  0 ms',
      '└ debate                                        1,204→356 tok      $0.50   1.0 s',
    ]);
  });

  test('says what is not as it should be with a span', async () => {
    const run = new Run();
    run.end('agent', 'late', 'a1', { parent_span_id: 'gone', duration_ms: 500 });
    run.start('agent', 'bull', 'a2');
    run.wait(-1);
    run.end('agent', 'bull', 'a2', { status: 'cancelled' });
    run.start('agent', 'bear', 'a3');
    await run.exporter.shutdown();
    expect(run.lines.map((line) => line.replace(/ {2,}\d+ ms$/, ''))).toEqual([
      '┌ late',
      '└ late (synthetic_start, orphan)',
      '┌ bull',
      '└ bull (cancelled, clock_skew)',
      '┌ bear',
      '└ bear (incomplete)',
    ]);
  });

  test('shows what belongs to no span as a line of its own', () => {
    const run = new Run();
    run.start('agent', 'bull', 'a1');
    run.emit('trace_gap', '', { trace_id: undefined, dropped: 12, reasons: { full: 12 } });
    run.emit('heartbeat', 'bull', { span_id: 'a1', beat: 7 });
    run.end('agent', 'bull', 'a1');
    run.end('agent', 'bull', 'a1', { note: 'again' });
    expect(run.lines).toEqual([
      '┌ bull',
      '◆ unmatched  [trace_gap] pattern=debate dropped=12 reasons={"full":12}',
      '│ ◆ bull › heartbeat  beat=7',
      '└ bull                                                                      0 ms',
      '◆ late  [agent_end] pattern=debate agent=bull trace_id=t1 span_id=a1 note=again',
    ]);
  });

  test('shows an event whose ids throw, while a call is open', () => {
    const run = new Run();
    run.emit('llm_call', 'bull', { span_id: 'c1' });
    const payload = Object.defineProperty({ beat: 7 }, 'span_id', {
      enumerable: true,
      get: () => {
        throw new Error('read');
      },
    });
    run.exporter.exportEvent({ ...run.event('heartbeat', '', {}), payload });
    expect(run.lines).toEqual([
      '◆ unmatched  [heartbeat] pattern=debate beat=7 span_id=[Getter threw]',
    ]);
    expect(run.exporter.stats()).toMatchObject({
      accepted: 2,
      delivered: 1,
      failed: 0,
      pending: 1,
    });
  });

  test('keeps where a line belongs when there is hardly any room', () => {
    const run = new Run(40);
    run.start('pattern', 'debate', 'p');
    for (const id of ['a1', 'a2'])
      run.start('agent', '研究者と評論家', id, { parent_span_id: 'p' });
    run.call('研究者と評論家', 'a2', 'c1', ANSWER);
    run.cost('研究者と評論家', 'c1', 0.0004);
    expect(run.lines.slice(2)).toEqual([
      '│ ┌ 研究者と評論家 #2',
      '│ │ • 研究者と評論家 #2 › gpt-4o…  1.2 s',
    ]);
  });

  test('draws and names no more than the innermost 12 levels', () => {
    const run = new Run(400);
    for (const chain of ['a', 'b'])
      for (let i = 0; i < 20; i++) {
        const parent = i > 0 ? { parent_span_id: `${chain}${i - 1}` } : {};
        run.start('agent', `${chain}${i}`, `${chain}${i}`, parent);
      }
    run.emit('heartbeat', 'a19', { span_id: 'a19' });
    const names = Array.from({ length: 12 }, (_, i) => `a${i + 8} › `).join('');
    expect(run.lines.at(-1)).toBe(`${'│ '.repeat(12)}◆ ${names}heartbeat`);
  });
});
