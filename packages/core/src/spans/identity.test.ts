import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { TraceEvent, TracePayload } from '../event.ts';
import { type Span, SpanAssembler } from '../spans.ts';

const VECTORS = new URL('../../../../shared/vectors/recording.jsonl', import.meta.url);

/** Event type, agent, payload, pattern type: what a producer without ids says. */
type Draft = [
  event_type: string,
  agent_name: string,
  payload?: TracePayload,
  pattern_type?: string,
];

/** The events of one pattern, a second apart. */
function events(...drafts: Draft[]): TraceEvent[] {
  return drafts.map(([event_type, agent_name, payload = {}, pattern_type = 'debate'], index) => ({
    timestamp: index,
    event_type,
    agent_name,
    pattern_type,
    payload,
  }));
}

interface Assembled {
  readonly spans: Span[];
  readonly counts: Record<string, number>;
  /** Every span in order of its start: what it hangs under, when it ran, what happened in it. */
  readonly tree: string[];
}

function keyOf({ trace_id, span_id }: Span): string {
  return JSON.stringify([trace_id, span_id]);
}

function labelOf({ kind, name }: Span): string {
  return `${kind} ${name}`.trim();
}

function assemble(given: readonly TraceEvent[]): Assembled {
  const started: string[] = [];
  const spans = new Map<string, Span>();
  const assembler = new SpanAssembler({
    onStart: (span) => started.push(keyOf(span)),
    onEnd: (span) => spans.set(keyOf(span), span),
  });
  for (const event of given) assembler.add(event);
  assembler.shutdown();
  const { events: total, open, ...counts } = assembler.stats();
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(total);
  expect(open).toBe(0);
  const inOrder = started.map((id) => spans.get(id) as Span);
  return {
    spans: inOrder,
    counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    tree: inOrder.map((span) => {
      const parent = spans.get(keyOf({ ...span, span_id: span.parent_span_id ?? '' }));
      return [
        `${span.trace_id}: ${parent === undefined ? '' : `${labelOf(parent)} > `}${labelOf(span)}`,
        `${span.start_time}-${span.end_time}`,
        ...span.annotations.map(({ event_type }) => event_type),
        ...(span.incomplete ? ['incomplete'] : []),
        ...(span.synthetic_start ? ['synthetic'] : []),
        ...(span.attributes['cost_usd'] === undefined
          ? []
          : [`$${Number(span.attributes['cost_usd'])}`]),
      ].join(' ');
    }),
  };
}

const open = { model: 'm' };
const answered = { model: 'm', response: 'x' };

function inside(parent_span_id: string): TracePayload {
  return { trace_id: 't', parent_span_id };
}

function cost(cost_usd: number, model?: string): TracePayload {
  return { cost_usd, model };
}

describe('identify', () => {
  test('takes the pattern type as the trace, and hangs calls under agents under the pattern', () => {
    const { tree, counts } = assemble(
      events(
        ['pattern_start', ''],
        ['agent_start', 'bull'],
        ['llm_call', 'bull', open],
        ['llm_response', 'bull'],
        ['agent_end', 'bull'],
        ['pattern_end', ''],
      ),
    );
    expect(tree).toEqual([
      'debate: pattern debate 0-5',
      'debate: pattern debate > agent bull 1-4',
      'debate: agent bull > llm m 2-3',
    ]);
    expect(counts).toEqual({ started: 3, ended: 3 });
  });

  test('a trace_id stands above the pattern type', () => {
    const { tree } = assemble(
      events(
        ['pattern_start', '', { trace_id: 'a' }],
        ['pattern_start', '', { trace_id: 'b' }],
        ['agent_start', 'bull', { trace_id: 'a' }],
        ['agent_start', 'bull', { trace_id: 'b' }],
        ['agent_end', 'bull', { trace_id: 'a' }],
        ['pattern_end', '', { trace_id: 'b' }],
        ['pattern_end', '', { trace_id: 'a' }],
      ),
    );
    expect(tree).toEqual([
      'a: pattern debate 0-6',
      'b: pattern debate 1-5',
      'a: pattern debate > agent bull 2-4',
      'b: pattern debate > agent bull 3-5 incomplete',
    ]);
  });

  test('a pattern begins in the newest open agent, else in the newest open pattern', () => {
    const { tree } = assemble(
      events(
        ['pattern_start', '', { trace_id: 't' }, 'supervisor'],
        ['pattern_start', '', { trace_id: 't' }, 'pipeline'],
        ['agent_start', 'lead', { trace_id: 't' }, ''],
        ['pattern_start', '', { trace_id: 't' }, 'debate'],
        ['agent_start', 'bull', { trace_id: 't' }, ''],
        ['pattern_end', '', { trace_id: 't' }, 'pipeline'],
        ['pattern_end', '', { trace_id: 't' }, ''],
      ),
    );
    expect(tree).toEqual([
      't: pattern supervisor 0-6',
      't: pattern supervisor > pattern pipeline 1-5',
      't: pattern pipeline > agent lead 2-5 incomplete',
      't: agent lead > pattern debate 3-5 incomplete',
      't: pattern debate > agent bull 4-5 incomplete',
    ]);
  });

  test('an agent’s end closes the newest open agent of that name, and no other', () => {
    const { tree } = assemble(
      events(
        ['agent_start', 'bull'],
        ['agent_start', 'bull'],
        ['agent_start', 'bear'],
        ['agent_end', 'bull'],
        ['agent_end', 'bull'],
        ['agent_end', 'judge', { duration_ms: 2000 }],
      ),
    );
    expect(tree).toEqual([
      'debate: agent bull 0-4',
      'debate: agent bull 1-3',
      'debate: agent bear 2-2 incomplete',
      'debate: agent judge 3-5 synthetic',
    ]);
  });

  test('a call hangs under the newest open agent of its name, else the newest agent, else the pattern', () => {
    const { tree } = assemble(
      events(
        ['pattern_start', ''],
        ['llm_call', 'bull', { ...answered, duration_ms: 500 }],
        ['agent_start', 'bull'],
        ['agent_start', 'bear'],
        ['llm_call', 'bull', answered],
        ['llm_call', '', answered],
        ['tool_start', 'bull', { tool_name: 'search' }],
        ['pattern_end', ''],
      ),
    );
    expect(tree).toEqual([
      'debate: pattern debate 0-7',
      'debate: pattern debate > llm m 0.5-1',
      'debate: pattern debate > agent bull 2-7 incomplete',
      'debate: pattern debate > agent bear 3-7 incomplete',
      'debate: agent bull > llm m 4-4',
      'debate: agent bear > llm m 5-5',
      'debate: agent bull > tool search 6-7 incomplete',
    ]);
  });

  test('an answer closes the newest open call of its agent', () => {
    const { tree } = assemble(
      events(
        ['llm_call', 'bull', open],
        ['llm_call', 'bear', open],
        ['llm_response', 'bull'],
        ['llm_response', 'judge', { model: 'other' }],
        ['llm_response', 'bear'],
      ),
    );
    expect(tree).toEqual([
      'debate: llm m 0-2',
      'debate: llm m 1-4',
      'debate: llm other 3-3 synthetic',
    ]);
  });

  test('a tool’s end finds its start by call id where both have one, else by name', () => {
    const search = { tool_name: 'search' };
    const { tree } = assemble(
      events(
        ['tool_start', '', { ...search, tool_call_id: '1' }],
        ['tool_start', '', { ...search, tool_call_id: '2' }],
        ['tool_start', '', { tool_name: 'read', tool_call_id: '3' }],
        ['tool_start', '', { tool_name: 'read' }],
        ['tool_start', '', search],
        ['tool_end', '', { tool_call_id: '1' }],
        ['tool_end', '', { tool_name: 'read', tool_call_id: '9' }],
        ['tool_end', '', { tool_name: 'read', tool_call_id: '9' }],
        ['tool_end', '', search],
        ['tool_end', '', search],
      ),
    );
    expect(tree).toEqual([
      'debate: tool search 0-5',
      'debate: tool search 1-9',
      'debate: tool read 2-2 incomplete',
      'debate: tool read 3-6',
      'debate: tool search 4-8',
      'debate: tool read 7-7 synthetic',
    ]);
  });

  test('an error ends the newest open call of its agent, whose answer may follow', () => {
    const { tree, spans } = assemble(
      events(
        ['agent_start', 'bull'],
        ['llm_call', 'bull', open],
        ['error', 'bull', { message: '529' }],
        ['llm_response', 'bull', { status: 'error' }],
        ['error', 'bull', { message: 'gave up' }],
        ['error', 'bear', { message: 'who?' }],
        ['agent_end', 'bull', { status: 'error' }],
      ),
    );
    expect(tree).toEqual([
      'debate: agent bull 0-6 error error',
      'debate: agent bull > llm m 1-3 error',
    ]);
    expect(spans.map(({ status }) => status)).toEqual(['error', 'error']);
  });

  test('whatever else happens belongs to the operation that is running', () => {
    const { tree, counts } = assemble(
      events(
        ['compression', 'bull'],
        ['pattern_start', ''],
        ['compression', 'bull'],
        ['agent_start', 'bull'],
        ['agent_start', 'bear'],
        ['routing_decision', ''],
        ['custom_type', 'bull'],
        ['tool_start', 'bull', { tool_name: 'search' }],
        ['progress', 'bull'],
        ['llm_call', 'bull', open],
        ['chunk', 'bull'],
        ['trace_gap', 'bull'],
        ['pattern_end', ''],
      ),
    );
    expect(tree).toEqual([
      'debate: pattern debate 1-12 compression',
      'debate: pattern debate > agent bull 3-12 custom_type incomplete',
      'debate: pattern debate > agent bear 4-12 routing_decision incomplete',
      'debate: agent bull > tool search 7-12 progress incomplete',
      'debate: agent bull > llm m 9-12 chunk incomplete',
    ]);
    expect(counts).toEqual({ started: 5, ended: 1, annotated: 5, unmatched: 2 });
  });

  test('a cost lands on the newest call of its agent and model that has none', () => {
    const { tree, counts } = assemble(
      events(
        ['cost_record', 'bull', cost(9)],
        ['pattern_start', ''],
        ['agent_start', 'bull'],
        ['llm_call', 'bull', answered],
        ['llm_call', 'bull', answered],
        ['llm_call', 'bull', { ...answered, model: 'other' }],
        ['llm_call', 'bear', { response: 'x' }],
        ['llm_call', 'bull', open],
        ['llm_response', 'bull', { model: 'm-2024' }],
        ['cost_record', 'bull', cost(1, 'm-2024')],
        ['cost_record', 'bull', cost(2, 'm')],
        ['cost_record', 'bull', cost(3, 'm')],
        ['cost_record', 'bull', cost(4)],
        ['cost_record', 'bull', cost(5)],
        ['cost_record', 'judge', cost(6)],
        ['cost_record', 'bear', cost(7, 'm')],
        ['pattern_end', ''],
      ),
    );
    expect(tree).toEqual([
      'debate: pattern debate 1-16 cost_record',
      'debate: pattern debate > agent bull 2-16 cost_record incomplete',
      'debate: agent bull > llm m 3-3 $3',
      'debate: agent bull > llm m 4-4 $2',
      'debate: agent bull > llm other 5-5 $4',
      'debate: agent bull > llm 6-6 $7',
      'debate: agent bull > llm m 7-8 $1',
    ]);
    expect(counts).toEqual({ started: 7, ended: 2, annotated: 7, unmatched: 1 });
  });

  test('a cost that names the agent it is for lands on a call of that agent', () => {
    const { tree } = assemble(
      events(
        ['agent_start', 'bull', { trace_id: 't', span_id: 'a' }],
        ['agent_start', 'bull', { trace_id: 't', span_id: 'b' }],
        ['llm_call', 'bull', { ...answered, ...inside('a') }],
        ['llm_call', 'bull', { ...answered, ...inside('b') }],
        ['cost_record', 'bull', { ...inside('a'), cost_usd: 1 }],
        ['cost_record', 'bull', { ...inside('a'), cost_usd: 2 }],
      ),
    );
    expect(tree).toEqual([
      't: agent bull 0-5 cost_record incomplete',
      't: agent bull 1-3 incomplete',
      't: agent bull > llm m 2-2 $1',
      't: agent bull > llm m 3-3',
    ]);
  });

  test('an event with a pattern type and no trace joins the newest run of that pattern that has ids', () => {
    const { tree, counts } = assemble([
      ...events(
        ['pattern_start', '', { trace_id: 'a', span_id: '1' }],
        ['pattern_start', '', { trace_id: 'b', span_id: '1' }],
        ['pattern_start', '', { trace_id: 'c', span_id: '1' }, 'voting'],
        ['llm_call', 'bull', { ...answered, trace_id: 'b', span_id: '2', parent_span_id: '1' }],
        ['cost_record', 'bull', { cost_usd: 1 }],
        ['pattern_start', '', {}],
        ['agent_start', 'bull'],
      ),
    ]);
    expect(tree).toEqual([
      'a: pattern debate 0-0 incomplete',
      'b: pattern debate 1-4 incomplete',
      'c: pattern voting 2-2 incomplete',
      'b: pattern debate > llm m 3-3 $1',
      'debate: pattern debate 5-6 incomplete',
      'debate: pattern debate > agent bull 6-6 incomplete',
    ]);
    expect(counts).toEqual({ started: 6, annotated: 1 });
  });

  test('a run that is over does not keep later events from a run that has ids', () => {
    const { tree } = assemble(
      events(
        ['pattern_start', ''],
        ['pattern_end', ''],
        ['pattern_start', '', { trace_id: 'a', span_id: '1' }],
        ['agent_start', 'bull'],
      ),
    );
    expect(tree).toEqual([
      'debate: pattern debate 0-1',
      'a: pattern debate 2-3 incomplete',
      'a: pattern debate > agent bull 3-3 incomplete',
    ]);
  });

  test('of two spans of one id an event without a trace means the one of its pattern, else the newest', () => {
    const { tree } = assemble(
      events(
        ['agent_start', 'bull', { trace_id: 'a', span_id: '1' }],
        ['agent_start', 'bull', { span_id: '1' }, 'voting'],
        ['agent_start', 'bull', { trace_id: 'b', span_id: '1' }],
        ['progress', 'bull', { span_id: '1' }, 'voting'],
        ['chunk', 'bull', { span_id: '1' }, 'other'],
      ),
    );
    expect(tree).toEqual([
      'a: agent bull 0-0 incomplete',
      'voting: agent bull 1-3 progress incomplete',
      'b: agent bull 2-4 chunk incomplete',
    ]);
  });

  test('of two spans of one id that ended, a child without a trace means the one of its pattern', () => {
    const { spans } = assemble(
      events(
        ['agent_start', 'bull', { span_id: '1' }, 'voting'],
        ['agent_end', 'bull', { span_id: '1' }, 'voting'],
        ['agent_start', 'bull', { trace_id: 'b', span_id: '1' }],
        ['agent_end', 'bull', { trace_id: 'b', span_id: '1' }],
        ['tool_start', 'bull', { span_id: '2', parent_span_id: '1' }, 'voting'],
        ['tool_start', 'bull', { span_id: '3', parent_span_id: '1' }, 'other'],
      ),
    );
    expect(spans.map(({ trace_id }) => trace_id)).toEqual(['voting', 'b', 'voting', 'b']);
  });

  test('of three spans of one id, one that ended is no longer there', () => {
    const { counts } = assemble(
      events(
        ...['a', 'b', 'c'].map((trace_id): Draft => [
          'agent_start',
          'bull',
          { trace_id, span_id: '1' },
        ]),
        ['agent_end', 'bull', { trace_id: 'b', span_id: '1' }],
        ['progress', 'bull', { trace_id: 'b', span_id: '1' }],
        ['progress', 'bull', { trace_id: 'a', span_id: '1' }],
      ),
    );
    expect(counts).toEqual({ started: 3, ended: 1, late: 1, annotated: 1 });
  });

  test('the newest span of an id need not be in the newest trace, and one that is open comes first', () => {
    const { tree } = assemble(
      events(
        ['agent_start', 'bull', { trace_id: 'a', span_id: '0' }],
        ['agent_start', 'bull', { trace_id: 'b', span_id: '1' }],
        ['agent_start', 'bull', { trace_id: 'a', span_id: '1' }],
        ['progress', 'bull', { span_id: '1' }],
        ['agent_end', 'bull', { trace_id: 'a', span_id: '1' }],
        ['chunk', 'bull', { span_id: '1' }],
      ),
    );
    expect(tree).toEqual([
      'a: agent bull 0-0 incomplete',
      'b: agent bull 1-5 chunk incomplete',
      'a: agent bull 2-4 progress',
    ]);
  });

  test('an event that names a span by id needs no trace', () => {
    const { tree } = assemble(
      events(
        ['pattern_start', '', { trace_id: 'a', span_id: 'p' }, 'voting'],
        ['agent_start', 'bull', { span_id: 'x', parent_span_id: 'p' }],
        ['routing_decision', 'bull', { parent_span_id: 'x' }],
        ['agent_end', 'bull', { span_id: 'x' }],
        ['pattern_end', '', { span_id: 'p' }],
        ['pattern_end', '', { span_id: 'p' }],
      ),
    );
    expect(tree).toEqual([
      'a: pattern voting 0-4',
      'a: pattern voting > agent bull 1-3 routing_decision',
    ]);
  });

  test('the pattern type in the payload of a start will do', () => {
    const { tree } = assemble(events(['pattern_start', '', { pattern_type: 'voting' }, '']));
    expect(tree).toEqual(['voting: pattern voting 0-0 incomplete']);
  });

  test('an event with neither trace nor pattern joins the newest open pattern', () => {
    const { tree, counts } = assemble(
      events(
        ['llm_call', 'early', answered, ''],
        ['pattern_start', '', {}, 'voting'],
        ['pattern_start', '', {}, 'debate'],
        ['llm_call', 'bull', answered, ''],
        ['pattern_end', '', {}, ''],
        ['llm_call', 'bull', answered, ''],
        ['pattern_end', '', {}, ''],
        ['pattern_end', '', { duration_seconds: 1 }, ''],
      ),
    );
    expect(tree).toEqual([
      ': llm m 0-0',
      'voting: pattern voting 1-6',
      'debate: pattern debate 2-4',
      'debate: pattern debate > llm m 3-3',
      'voting: pattern voting > llm m 5-5',
      ': pattern 6-7 synthetic',
    ]);
    expect(counts).toEqual({ started: 5, ended: 3 });
  });

  test.skipIf(!existsSync(VECTORS))(
    'what the Python recorder emits is a pattern and its calls (skipped where ../shared/vectors is absent)',
    () => {
      const entries = readFileSync(VECTORS, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as RecordEntry);
      const { spans, counts } = assemble(entries.map(emitted));
      const [pattern, ...calls] = spans;
      const [first, ...recorded] = entries;
      const last = recorded.pop();
      expect(pattern).toMatchObject({
        kind: 'pattern',
        trace_id: 'pipeline',
        start_time: first?.timestamp,
        end_time: last?.timestamp,
        status: 'ok',
      });
      expect(
        calls.map(({ agent_name, attributes }) => [agent_name, attributes['response']]),
      ).toEqual(recorded.map(({ agent_name, response }) => [agent_name, response]));
      expect(new Set(calls.map(({ parent_span_id }) => parent_span_id))).toEqual(
        new Set([pattern?.span_id]),
      );
      expect(counts).toEqual({ started: entries.length - 1, ended: 1 });
    },
  );
});

interface RecordEntry {
  readonly timestamp: number;
  readonly event_type: string;
  readonly agent_name: string;
  readonly response: string;
  readonly metadata: TracePayload;
}

/** The event that the recorder of the Python package emits for an entry of its file. */
function emitted({ event_type, metadata, response, ...entry }: RecordEntry): TraceEvent {
  const payload = {
    pattern_start: metadata,
    llm_call: { response, model: '', ...metadata },
    pattern_end: { result_output: response, ...metadata },
  }[event_type];
  return {
    timestamp: entry.timestamp,
    event_type,
    agent_name: entry.agent_name,
    pattern_type: event_type === 'pattern_start' ? String(metadata['pattern_type']) : '',
    payload: payload ?? {},
  };
}
