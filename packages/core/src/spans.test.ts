import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TraceEvent, TracePayload } from './event.ts';
import { type Span, type SpanAnnotation, SpanAssembler, type SpanAssemblerStats } from './spans.ts';

type Draft = [
  event_type: string,
  timestamp: number,
  payload: TracePayload,
  names?: Partial<Pick<TraceEvent, 'agent_name' | 'pattern_type'>>,
];

interface Setup {
  readonly assembler: SpanAssembler;
  readonly started: Span[];
  readonly annotated: [Span, SpanAnnotation][];
  readonly ended: Span[];
  readonly feed: (...drafts: Draft[]) => void;
  /** Id and marks of each span handed on so far. */
  readonly outline: () => string[];
  readonly counts: () => Partial<SpanAssemblerStats>;
}

const MARKS = ['synthetic_start', 'incomplete', 'orphan', 'remote_parent', 'clock_skew'] as const;

function setUp(): Setup {
  const started: Span[] = [];
  const annotated: [Span, SpanAnnotation][] = [];
  const ended: Span[] = [];
  const assembler = new SpanAssembler({
    onStart: (span) => started.push(span),
    onAnnotate: (span, annotation) => annotated.push([span, annotation]),
    onEnd: (span) => ended.push(span),
  });
  return {
    assembler,
    started,
    annotated,
    ended,
    feed: (...drafts) => {
      for (const draft of drafts) assembler.add(event(...draft));
    },
    outline: () =>
      ended.map((span) => [span.span_id, ...MARKS.filter((mark) => span[mark])].join(' ')),
    counts: () =>
      Object.fromEntries(Object.entries(assembler.stats()).filter(([, count]) => count > 0)),
  };
}

function event(...[event_type, timestamp, payload, names]: Draft): TraceEvent {
  return { timestamp, event_type, agent_name: '', pattern_type: '', ...names, payload };
}

const ids = (span_id: string, parent_span_id?: string, trace_id = 't'): TracePayload => ({
  trace_id,
  span_id,
  ...(parent_span_id !== undefined && { parent_span_id }),
});

/** A pattern, an agent in it and an open call in that. */
const openRun: Draft[] = [
  ['pattern_start', 1, ids('pattern'), { pattern_type: 'debate' }],
  ['agent_start', 2, ids('agent', 'pattern'), { agent_name: 'bull' }],
  ['llm_call', 3, { ...ids('call', 'agent'), model: 'gpt-4o' }, { agent_name: 'bull' }],
];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('SpanAssembler', () => {
  test('makes one span of a start and an end, whose keys win', () => {
    const { feed, ended, assembler } = setUp();
    feed(
      [
        'pattern_start',
        10,
        { ...ids('p'), input: 'NVDA?', rounds: 0, metadata: { desk: 'tech' } },
        { pattern_type: 'debate' },
      ],
      ['pattern_end', 12.5, { ...ids('p'), result_output: 'Buy.', rounds: 3 }],
    );
    expect(ended).toEqual([
      {
        kind: 'pattern',
        trace_id: 't',
        span_id: 'p',
        name: 'debate',
        agent_name: '',
        pattern_type: 'debate',
        start_time: 10,
        end_time: 12.5,
        status: 'ok',
        attributes: {
          input: 'NVDA?',
          rounds: 3,
          metadata: { desk: 'tech' },
          result_output: 'Buy.',
        },
        annotations: [],
      },
    ]);
    expect(assembler.stats()).toEqual({
      events: 2,
      started: 1,
      ended: 1,
      annotated: 0,
      late: 0,
      unmatched: 0,
      open: 0,
    });
  });

  test('names a pattern by its type, an agent by its name, a call by the model asked for, a tool by its name', () => {
    const { feed, started, ended, assembler } = setUp();
    feed(
      ...openRun,
      ['tool_start', 4, { ...ids('tool', 'agent'), tool_name: 'search' }, { agent_name: 'bull' }],
      ['llm_response', 5, { ...ids('call'), model: 'gpt-4o-2024-08-06' }],
    );
    assembler.flush();
    expect(started.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'pattern debate',
      'agent bull',
      'llm gpt-4o',
      'tool search',
    ]);
    expect(ended.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['gpt-4o', { model: 'gpt-4o-2024-08-06' }],
    ]);
  });

  test('keys spans by trace and span, since "1" is a span of every run', () => {
    const { feed, ended } = setUp();
    feed(
      ['agent_start', 1, ids('1', undefined, 'a'), { agent_name: 'bull' }],
      ['agent_start', 2, ids('1', undefined, 'b'), { agent_name: 'bear' }],
      ['agent_end', 3, ids('1', undefined, 'b')],
      ['agent_end', 4, ids('1', undefined, 'a')],
    );
    expect(ended.map(({ trace_id, name, end_time }) => [trace_id, name, end_time])).toEqual([
      ['b', 'bear', 3],
      ['a', 'bull', 4],
    ]);
  });

  test('finds the span of an event that carries its span_id and no trace', () => {
    const { feed, outline, counts } = setUp();
    feed(
      ['agent_start', 1, ids('1', undefined, 'a')],
      ['agent_end', 2, { span_id: '1' }, { pattern_type: 'debate' }],
      ['agent_end', 3, { span_id: '1' }, { pattern_type: 'debate' }],
    );
    expect(outline()).toEqual(['1']);
    expect(counts()).toEqual({ events: 3, started: 1, ended: 1, late: 1 });
  });

  test('an end that says nothing of the outcome is ok; a status says it', () => {
    const { feed, ended } = setUp();
    for (const status of [undefined, 'ok', 'error', 'cancelled', 'failed'])
      feed(['agent_start', 1, ids(`${status}`)], ['agent_end', 2, { ...ids(`${status}`), status }]);
    expect(ended.map(({ span_id, status }) => `${span_id}: ${status}`)).toEqual([
      'undefined: ok',
      'ok: ok',
      'error: error',
      'cancelled: cancelled',
      'failed: ok',
    ]);
  });

  test('a key that the end leaves out or does not know keeps the value of the start', () => {
    const { feed, ended } = setUp();
    feed(
      ['agent_start', 1, { ...ids('a'), role: 'judge', agent_id: 'j' }],
      ['agent_end', 2, { ...ids('a'), role: undefined, agent_id: null, contribution: null }],
    );
    expect(ended[0]?.attributes).toEqual({ role: 'judge', agent_id: 'j', contribution: null });
  });

  test('what the start leaves open the end may say', () => {
    const { feed, ended, assembler } = setUp();
    feed(
      ['llm_call', 1, ids('c')],
      [
        'llm_response',
        2,
        { ...ids('c'), model: 'gpt-4o', session_id: 's', tags: ['x', 1] },
        { agent_name: 'bull', pattern_type: 'debate' },
      ],
    );
    assembler.flush();
    expect(ended).toEqual([
      {
        kind: 'llm',
        trace_id: 't',
        span_id: 'c',
        name: 'gpt-4o',
        agent_name: 'bull',
        pattern_type: 'debate',
        start_time: 1,
        end_time: 2,
        status: 'ok',
        session_id: 's',
        tags: ['x'],
        attributes: { model: 'gpt-4o' },
        annotations: [],
      },
    ]);
  });

  test('session, user and tags of the root reach every span, unless it has its own', () => {
    const { feed, assembler, started, ended } = setUp();
    feed(
      ['pattern_start', 1, { ...ids('p'), session_id: 's', user_id: 'u', tags: ['x'] }],
      ['agent_start', 2, { ...ids('a', 'p'), user_id: 'own' }],
      ['llm_call', 3, ids('c', 'a')],
      ['llm_response', 4, ids('c')],
      ['agent_end', 5, ids('a')],
      ['agent_start', 6, ids('late', 'a')],
      ['agent_start', 6, ids('other')],
    );
    assembler.shutdown();
    expect(started.map(contextOf)).toEqual([
      ['p', 's', 'u', ['x']],
      ['a', 's', 'own', ['x']],
      ['c', 's', 'own', ['x']],
      ['late', 's', 'own', ['x']],
      ['other', undefined, undefined, undefined],
    ]);
    expect(new Set(ended.map(contextOf))).toEqual(new Set(started.map(contextOf)));
    expect(ended[0]?.attributes).toEqual({});
  });

  test('an end without a start makes a span of the duration it states', () => {
    const { feed, ended, started, counts } = setUp();
    feed(
      ['pattern_end', 1763800002.5, { ...ids('p'), duration_seconds: 0.1 }],
      ['tool_end', 10, { ...ids('t', 'p'), duration_ms: 250, tool_name: 'search', result: 1 }],
      ['agent_end', 10, { ...ids('a'), duration_ms: 'long' }],
      ['agent_end', 10.1, { ...ids('b'), duration_ms: 300 }],
      ['agent_end', 1.1, { ...ids('c'), duration_ms: 1e12 }],
    );
    expect(ended).toEqual([
      {
        kind: 'pattern',
        trace_id: 't',
        span_id: 'p',
        name: '',
        agent_name: '',
        pattern_type: '',
        start_time: 1763800002.4,
        end_time: 1763800002.5,
        status: 'ok',
        attributes: { duration_seconds: 0.1 },
        annotations: [],
        synthetic_start: true,
      },
      {
        kind: 'tool',
        trace_id: 't',
        span_id: 't',
        parent_span_id: 'p',
        name: 'search',
        agent_name: '',
        pattern_type: '',
        start_time: 9.75,
        end_time: 10,
        status: 'ok',
        attributes: { duration_ms: 250, tool_name: 'search', result: 1 },
        annotations: [],
        synthetic_start: true,
      },
      expect.objectContaining({ span_id: 'a', start_time: 10, end_time: 10 }),
      expect.objectContaining({ span_id: 'b', start_time: 9.8, end_time: 10.1 }),
      expect.objectContaining({ span_id: 'c', start_time: 0, end_time: 1.1 }),
    ]);
    expect(started.map(({ span_id, end_time }) => [span_id, end_time])).toEqual([
      ['p', undefined],
      ['t', undefined],
      ['a', undefined],
      ['b', undefined],
      ['c', undefined],
    ]);
    expect(counts()).toEqual({ events: 5, ended: 5 });
  });

  test('an end before its start is set to it', () => {
    const { feed, ended } = setUp();
    feed(['agent_start', 5, ids('a')], ['agent_end', 4, ids('a')]);
    expect(ended).toEqual([
      expect.objectContaining({ start_time: 5, end_time: 5, clock_skew: true }),
    ]);
  });

  test('an llm_call with its response is complete', () => {
    const { feed, ended, assembler, counts } = setUp();
    feed(
      ['llm_call', 10, { ...ids('a'), model: 'm', response: '', duration_ms: 1500 }],
      ['llm_call', 11, { ...ids('b'), response: 'x', cost_usd: 0.1, status: 'error' }],
    );
    expect(ended.map(({ span_id }) => span_id)).toEqual(['b']); // its cost is known
    assembler.flush();
    expect(ended.map(({ start_time, end_time, status }) => [start_time, end_time, status])).toEqual(
      [
        [11, 11, 'error'],
        [8.5, 10, 'ok'],
      ],
    );
    expect(counts()).toEqual({ events: 2, started: 2 });
  });

  test('keeps what happened in a span, in order and as it was said', () => {
    const { feed, ended, annotated, counts } = setUp();
    const routing = { ...ids('agent'), selected_model: 'gpt-4o', tags: ['cheap'] };
    feed(
      ...openRun,
      ['routing_decision', 3.1, routing],
      ['compression', 3.2, { trace_id: 't', parent_span_id: 'agent', savings_pct: 0.4 }],
      ['custom_type', 3.3, { ...ids('nobody', 'agent'), x: 1 }],
      ['agent_end', 4, ids('agent')],
    );
    const annotations = [
      { timestamp: 3.1, event_type: 'routing_decision', payload: routing },
      {
        timestamp: 3.2,
        event_type: 'compression',
        payload: { trace_id: 't', parent_span_id: 'agent', savings_pct: 0.4 },
      },
      { timestamp: 3.3, event_type: 'custom_type', payload: { ...ids('nobody', 'agent'), x: 1 } },
    ];
    expect(ended.find(({ span_id }) => span_id === 'agent')?.annotations).toEqual(annotations);
    expect(annotated.map(([span, annotation]) => [span.annotations.length, annotation])).toEqual(
      annotations.map((annotation, index) => [index + 1, annotation]),
    );
    expect(counts()).toEqual({ events: 7, started: 3, annotated: 3, ended: 1, open: 1 });
  });

  test('an end that names a span of another kind ends nothing and is kept on it', () => {
    const { feed, outline, annotated } = setUp();
    feed(['agent_start', 1, ids('a')], ['llm_response', 2, ids('a')]);
    expect(outline()).toEqual([]);
    expect(annotated.map(([{ span_id }, { event_type }]) => [span_id, event_type])).toEqual([
      ['a', 'llm_response'],
    ]);
  });

  test('keeps 1,000 annotations of one span and counts the others on it', () => {
    const { feed, ended, annotated } = setUp();
    feed(['agent_start', 1, ids('a')]);
    for (let i = 0; i < 1_002; i++) feed(['progress', 2, { ...ids('a'), i }]);
    feed(['agent_end', 3, ids('a')]);
    expect(annotated).toHaveLength(1_002);
    expect(ended[0]).toMatchObject({ dropped_annotations: 2, annotations: { length: 1_000 } });
  });

  test('what names nobody is unmatched: a gap, an unknown type, a cost, an error', () => {
    const { feed, counts, annotated } = setUp();
    feed(
      ['agent_start', 1, ids('a')],
      ['trace_gap', 2, { ...ids('a'), dropped: 7 }],
      ['custom_type', 2, ids('b')],
      ['cost_record', 2, { ...ids('b'), cost_usd: 1 }],
      ['error', 2, ids('b')],
    );
    expect(annotated).toEqual([]);
    expect(counts()).toEqual({ events: 5, started: 1, unmatched: 4, open: 1 });
  });

  test('a second start, a second end and whatever else comes after a span was handed on is late', () => {
    const { feed, started, outline, counts } = setUp();
    feed(
      ['agent_start', 1, ids('a')],
      ['agent_start', 1, ids('a')],
      ['agent_end', 2, ids('a')],
      ['agent_end', 2, ids('a')],
      ['agent_start', 3, ids('a')],
      ['error', 3, ids('a')],
      ['progress', 3, { trace_id: 't', parent_span_id: 'a' }],
    );
    expect(started).toHaveLength(1);
    expect(outline()).toEqual(['a']);
    expect(counts()).toEqual({ events: 7, started: 1, ended: 1, late: 5 });
  });
});

describe('SpanAssembler: errors', () => {
  test('an error ends an open call, and the answer after it says when', () => {
    const { assembler, feed, ended, annotated, counts } = setUp();
    feed(
      ...openRun,
      ['error', 4, { ...ids('call', 'agent'), message: '529' }, { agent_name: 'bull' }],
      ['llm_response', 4.5, { ...ids('call', 'agent'), status: 'error', duration_ms: 1500 }],
    );
    assembler.flush();
    expect(ended).toEqual([
      {
        kind: 'llm',
        trace_id: 't',
        span_id: 'call',
        parent_span_id: 'agent',
        name: 'gpt-4o',
        agent_name: 'bull',
        pattern_type: '',
        start_time: 3,
        end_time: 4.5,
        status: 'error',
        attributes: { model: 'gpt-4o', status: 'error', duration_ms: 1500 },
        annotations: [
          {
            timestamp: 4,
            event_type: 'error',
            payload: { ...ids('call', 'agent'), message: '529' },
          },
        ],
      },
    ]);
    expect(annotated.map(([{ end_time }]) => end_time)).toEqual([undefined]);
    expect(counts()).toEqual({ events: 5, started: 3, annotated: 1, ended: 1, open: 2 });
  });

  test('a call that an error ended and nothing answered failed, and is not incomplete', () => {
    const { feed, ended, outline } = setUp();
    feed(...openRun, ['error', 4, ids('call')]);
    expect(outline()).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(outline()).toEqual(['call']);
    expect(ended[0]).toMatchObject({ end_time: 4, status: 'error' });
  });

  test('an answer without a status does not heal a failed call, one that says ok does', () => {
    const { feed, ended, assembler } = setUp();
    feed(
      ['llm_call', 1, ids('a')],
      ['error', 2, ids('a')],
      ['llm_response', 3, ids('a')],
      ['llm_call', 1, ids('b')],
      ['error', 2, ids('b')],
      ['llm_response', 3, { ...ids('b'), status: 'ok' }],
    );
    assembler.flush();
    expect(ended.map(({ span_id, status }) => [span_id, status])).toEqual([
      ['a', 'error'],
      ['b', 'ok'],
    ]);
  });

  test('an error in an agent, a pattern or a tool is kept, and the end says whether it failed', () => {
    const { feed, ended } = setUp();
    for (const kind of ['agent', 'pattern', 'tool']) {
      feed(
        [`${kind}_start`, 1, ids(kind)],
        ['error', 2, ids(kind)],
        [`${kind}_end`, 3, ids(kind)],
        [`${kind}_start`, 1, ids(`${kind} failed`)],
        [`${kind}_end`, 3, { ...ids(`${kind} failed`), status: 'error' }],
      );
    }
    expect(
      ended.map(({ span_id, status, annotations }) => [span_id, status, annotations.length]),
    ).toEqual([
      ['agent', 'ok', 1],
      ['agent failed', 'error', 0],
      ['pattern', 'ok', 1],
      ['pattern failed', 'error', 0],
      ['tool', 'ok', 1],
      ['tool failed', 'error', 0],
    ]);
  });

  test('an error after the answer is kept and changes neither the end nor the status', () => {
    const { feed, ended, assembler } = setUp();
    feed(...openRun, ['llm_response', 4, ids('call')], ['error', 5, ids('call')]);
    assembler.flush();
    expect(ended).toMatchObject([{ end_time: 4, status: 'ok', annotations: { length: 1 } }]);
  });

  test('an error is the last word on a span that never ends', () => {
    const { feed, ended, assembler } = setUp();
    feed(['agent_start', 1, ids('a')], ['error', 2, ids('a')], ['agent_start', 1, ids('b')]);
    assembler.shutdown();
    expect(ended.map(({ span_id, status, incomplete }) => [span_id, status, incomplete])).toEqual([
      ['a', 'error', true],
      ['b', 'ok', true],
    ]);
  });
});

describe('SpanAssembler: the cost of a call', () => {
  const answer: Draft = ['llm_response', 4, { ...ids('call'), input_tokens: 12 }];
  const cost: Draft = [
    'cost_record',
    4.1,
    { ...ids('call', 'agent'), model: 'x', input_tokens: 99, output_tokens: 5, cost_usd: 0.01 },
  ];
  const priced = { model: 'gpt-4o', input_tokens: 12, output_tokens: 5, cost_usd: 0.01 };

  test('lands on the call that waits for it, which is then handed on', () => {
    const { feed, ended, annotated, counts } = setUp();
    feed(...openRun, answer);
    expect(ended).toEqual([]);
    feed(cost);
    expect(ended).toEqual([
      expect.objectContaining({ span_id: 'call', end_time: 4, attributes: priced }),
    ]);
    expect(annotated).toEqual([]);
    expect(counts()).toEqual({ events: 5, started: 3, ended: 1, annotated: 1, open: 2 });
  });

  test('may come before the answer, which then hands the call on', () => {
    const { feed, ended } = setUp();
    feed(...openRun, cost, answer);
    expect(ended).toEqual([
      expect.objectContaining({ span_id: 'call', end_time: 4, attributes: priced }),
    ]);
  });

  test('is waited for though the answer came twice: the second is late', () => {
    const { feed, ended, counts, assembler } = setUp();
    feed(...openRun, answer, ['llm_response', 9, { ...ids('call'), input_tokens: 1 }]);
    assembler.flush();
    expect(ended).toMatchObject([{ end_time: 4, attributes: { input_tokens: 12 } }]);
    expect(counts()).toMatchObject({ ended: 1, late: 1 });
  });

  test('lands once: the second is late', () => {
    const { feed, ended, counts } = setUp();
    feed(...openRun, cost, cost, answer, cost);
    expect(ended.map(({ attributes }) => attributes)).toEqual([priced]);
    expect(counts()).toEqual({ events: 7, started: 3, annotated: 1, ended: 1, late: 2, open: 2 });
  });

  test('is not waited for when the answer has it', () => {
    const { feed, outline, counts } = setUp();
    feed(...openRun, ['llm_response', 4, { ...ids('call'), cost_usd: 0 }], cost);
    expect(outline()).toEqual(['call']);
    expect(counts()).toMatchObject({ late: 1, open: 2 });
  });

  test('is waited for by a call that failed, by its id or as the newest of its agent', () => {
    const { feed, ended, counts } = setUp();
    const failed: Draft = ['llm_response', 4, { ...ids('call'), status: 'error' }];
    feed(...openRun, failed, cost);
    expect(ended).toMatchObject([
      { span_id: 'call', status: 'error', attributes: { ...priced, input_tokens: 99 } },
    ]);

    feed(
      ['llm_call', 5, ids('second', 'agent')],
      ['llm_response', 6, { ...ids('second'), status: 'error' }],
      ['cost_record', 6, { trace_id: 't', cost_usd: 0.02 }],
    );
    expect(ended[1]).toMatchObject({ span_id: 'second', attributes: { cost_usd: 0.02 } });
    expect(counts()).toMatchObject({ annotated: 2, open: 2 });
  });

  test('is waited for 250 ms', () => {
    const { feed, outline, counts } = setUp();
    feed(...openRun, answer);
    vi.advanceTimersByTime(200);
    feed(['llm_call', 5, ids('second', 'agent')], ['llm_response', 6, ids('second')]);
    vi.advanceTimersByTime(49);
    expect(outline()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(outline()).toEqual(['call']);
    vi.advanceTimersByTime(199);
    expect(outline()).toEqual(['call']);
    vi.advanceTimersByTime(1);
    expect(outline()).toEqual(['call', 'second']);
    feed(cost);
    expect(counts()).toMatchObject({ late: 1, open: 2 });
  });

  test('is waited for no longer than the parent lasts, or until flush', () => {
    const { feed, outline, assembler } = setUp();
    feed(...openRun, answer, ['agent_end', 5, ids('agent')]);
    expect(outline()).toEqual(['call', 'agent']);
    feed(['llm_call', 6, ids('second', 'pattern')], ['llm_response', 7, ids('second')]);
    assembler.flush();
    expect(outline()).toEqual(['call', 'agent', 'second']);
  });

  test('of an agent or a pattern is an annotation', () => {
    const { feed, annotated } = setUp();
    feed(...openRun, ['cost_record', 4, { ...ids('agent'), cost_usd: 1 }]);
    expect(annotated.map(([{ span_id }, { event_type }]) => [span_id, event_type])).toEqual([
      ['agent', 'cost_record'],
    ]);
  });
});

describe('SpanAssembler: parents', () => {
  test('closes what is open below a span that ends, deepest first, at its end', () => {
    const { feed, ended, outline } = setUp();
    feed(
      ...openRun,
      ['tool_start', 3.5, ids('tool', 'call')],
      ['agent_start', 3.6, ids('second', 'pattern')],
      ['pattern_end', 5, ids('pattern')],
    );
    expect(outline()).toEqual([
      'tool incomplete',
      'call incomplete',
      'second incomplete',
      'agent incomplete',
      'pattern',
    ]);
    expect(new Set(ended.map(({ end_time }) => end_time))).toEqual(new Set([5]));
  });

  test('closes a child that began after the end of its parent where it began', () => {
    const { feed, ended } = setUp();
    feed(
      ['pattern_start', 1, ids('p')],
      ['agent_start', 9, ids('a', 'p')],
      ['pattern_end', 5, ids('p')],
    );
    expect(ended[0]).toMatchObject({
      span_id: 'a',
      start_time: 9,
      end_time: 9,
      incomplete: true,
      clock_skew: true,
    });
  });

  test('a child may come before its parent', () => {
    const { feed, ended, outline } = setUp();
    feed(
      ['llm_call', 3, ids('call', 'agent')],
      ['agent_start', 2, ids('agent', 'pattern')],
      ['pattern_start', 1, { ...ids('pattern'), session_id: 's' }],
      ['pattern_end', 4, ids('pattern')],
      ['tool_end', 5, ids('tool', 'agent')],
    );
    expect(outline()).toEqual([
      'call incomplete',
      'agent incomplete',
      'pattern',
      'tool synthetic_start',
    ]);
    expect(ended.map(({ parent_span_id, session_id }) => [parent_span_id, session_id])).toEqual([
      ['agent', 's'],
      ['pattern', 's'],
      [undefined, 's'],
      ['agent', 's'],
    ]);
  });

  test('a span whose parent nobody saw is an orphan, a root that says who its parent was', () => {
    const { feed, started, ended } = setUp();
    feed(['agent_start', 1, { ...ids('a', 'nobody'), role: 'judge' }], ['agent_end', 2, ids('a')]);
    expect(ended).toEqual([
      {
        kind: 'agent',
        trace_id: 't',
        span_id: 'a',
        name: '',
        agent_name: '',
        pattern_type: '',
        start_time: 1,
        end_time: 2,
        status: 'ok',
        attributes: { role: 'judge', parent_span_id: 'nobody' },
        annotations: [],
        orphan: true,
      },
    ]);
    expect(started[0]).toMatchObject({ parent_span_id: 'nobody', attributes: { role: 'judge' } });
  });

  test('a parent that ended is no unknown parent', () => {
    const { feed, ended, outline } = setUp();
    feed(
      ['agent_start', 1, ids('a')],
      ['agent_end', 2, ids('a')],
      ['tool_start', 3, ids('tool', 'a')],
      ['tool_end', 4, ids('tool')],
    );
    expect(outline()).toEqual(['a', 'tool']);
    expect(ended[1]?.parent_span_id).toBe('a');
  });

  test('what begins in a call that waits for its cost outlives it, and ends with the agent', () => {
    const { feed, ended, outline, assembler } = setUp();
    feed(
      ...openRun,
      ['llm_response', 4, ids('call')],
      ['tool_start', 5, ids('tool', 'call')],
      ['tool_start', 5, ids('unended', 'call')],
    );
    assembler.flush();
    feed(['tool_end', 6, ids('tool')], ['agent_end', 7, ids('agent')]);
    expect(outline()).toEqual(['call', 'tool', 'unended incomplete', 'agent']);
    expect(ended.map(({ parent_span_id, end_time }) => [parent_span_id, end_time])).toEqual([
      ['agent', 4],
      ['call', 6],
      ['call', 7],
      ['pattern', 7],
    ]);
  });

  test('spans that are each other’s parents are cut apart', () => {
    const { feed, outline, assembler } = setUp();
    feed(
      ['agent_start', 1, ids('a', 'c')],
      ['agent_start', 1, ids('b', 'a')],
      ['agent_start', 1, ids('c', 'b')],
      ['agent_start', 1, ids('self', 'self')],
    );
    assembler.shutdown();
    expect(outline()).toEqual([
      'c incomplete',
      'b incomplete',
      'a incomplete orphan',
      'self incomplete orphan',
    ]);
  });

  const traceparent = `00-${'a'.repeat(32)}-00f067aa0ba902b7-01`;
  test.each([
    ['names the parent', { traceparent }, '00f067aa0ba902b7', 'a remote_parent'],
    [
      'may be named twice',
      { traceparent, parent_span_id: '00f067aa0ba902b7' },
      '00f067aa0ba902b7',
      'a remote_parent',
    ],
    ['yields to a nearer parent', { traceparent, parent_span_id: 'p' }, 'p', 'a'],
    ['is ignored when it is none', { traceparent: 'x' }, undefined, 'a'],
    [
      'is ignored when it is all zeros',
      { traceparent: `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01` },
      undefined,
      'a',
    ],
  ])('a traceparent %s', (_, payload, parent_span_id, outlined) => {
    const { feed, ended, outline } = setUp();
    feed(
      ['pattern_start', 1, ids('p')],
      ['agent_start', 1, { ...ids('a'), ...payload }],
      ['agent_end', 2, ids('a')],
    );
    expect(outline()).toEqual([outlined]);
    expect(ended[0]?.parent_span_id).toBe(parent_span_id);
    expect(ended[0]?.traceparent).toBe(ended[0]?.remote_parent && traceparent);
    expect(ended[0]?.attributes).toEqual({});
  });
});

describe('SpanAssembler: bounds', () => {
  test('shutdown closes everything where it was last heard of, children first', () => {
    const { feed, ended, outline, assembler, counts } = setUp();
    feed(...openRun, ['progress', 8, ids('call')]);
    assembler.shutdown();
    expect(outline()).toEqual(['call incomplete', 'agent incomplete', 'pattern incomplete']);
    expect(ended.map(({ end_time }) => end_time)).toEqual([8, 8, 8]);
    expect(counts()).toEqual({ events: 4, started: 3, annotated: 1 });
  });

  test('after shutdown events are counted as late, and no timer is left', () => {
    const { feed, outline, assembler, counts } = setUp();
    feed(...openRun, ['llm_response', 4, ids('call')]);
    assembler.shutdown();
    const before = outline();
    feed(['llm_call', 5, ids('x')], ['llm_response', 6, ids('x')], ['custom_type', 7, {}]);
    assembler.flush();
    assembler.shutdown();
    expect(outline()).toEqual(before);
    expect(counts()).toEqual({ events: 7, started: 3, ended: 1, late: 3 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('closes a span that nothing happened in for 30 minutes, and its parent if that is idle too', () => {
    const { feed, outline } = setUp();
    feed(...openRun, ['agent_start', 2, ids('second', 'pattern')]);
    vi.advanceTimersByTime(20 * 60_000);
    feed(['progress', 1_203, ids('call')]);
    vi.advanceTimersByTime(10 * 60_000 - 1);
    expect(outline()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(outline()).toEqual(['second incomplete']);
    vi.advanceTimersByTime(20 * 60_000);
    expect(outline()).toEqual([
      'second incomplete',
      'call incomplete',
      'agent incomplete',
      'pattern incomplete',
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('keeps 10,000 spans open; one more closes the one that was quiet for longest', () => {
    const { feed, outline, assembler } = setUp();
    feed(['pattern_start', 1, ids('p')], ['agent_start', 1, ids('busy', 'p')]);
    for (let i = 0; i < 9_998; i++) feed(['agent_start', 2, ids(`${i}`)]);
    feed(['progress', 3, ids('busy')]);
    expect(outline()).toEqual([]);
    feed(['agent_start', 4, ids('one')], ['agent_start', 4, ids('two')]);
    expect(outline()).toEqual(['0 incomplete', '1 incomplete']);
    expect(assembler.stats().open).toBe(10_000);
    for (let i = 0; i < 9_999; i++) feed(['agent_start', 5, ids(`more ${i}`)]);
    expect(outline().slice(-3)).toEqual(['busy incomplete', 'p incomplete', 'one incomplete']);
  });

  test('calls that wait for their cost are bounded with the open ones, and are not incomplete', () => {
    const { feed, outline, assembler } = setUp();
    for (let i = 0; i < 10_002; i++)
      feed(['llm_call', 1, ids(`${i}`)], ['llm_response', 2, ids(`${i}`)]);
    expect(outline()).toEqual(['0', '1']);
    expect(assembler.stats().open).toBe(10_000);
  });

  test('remembers the ids of the last 5,000 to 10,000 spans that were handed on', () => {
    const { feed, counts } = setUp();
    const run = (span_id: string): void =>
      feed(['agent_start', 1, ids(span_id)], ['agent_end', 1, ids(span_id)]);
    run('first');
    for (let i = 2; i <= 10_000; i++) run(`${i}`);
    feed(['agent_end', 1, ids('first')]);
    expect(counts()).toEqual({ events: 20_001, started: 10_000, ended: 10_000, late: 1 });
    run('10,001');
    feed(['agent_end', 1, ids('first')], ['agent_end', 1, ids('5001')]);
    expect(counts()).toEqual({ events: 20_005, started: 10_001, ended: 10_002, late: 2 });
  });

  test.for([
    ['is set back by months', -100],
    ['jumps ahead by a day, as after a sleep of the machine', 1],
  ] as const)('a clock that %s closes a span neither sooner nor later', ([, days]) => {
    const { feed, outline } = setUp();
    feed(...openRun);
    vi.setSystemTime(Date.now() + days * 24 * 60 * 60_000);
    vi.advanceTimersByTime(2);
    feed(['progress', 5, ids('agent')]);
    vi.advanceTimersByTime(30 * 60_000 - 3);
    expect(outline()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(outline()).toEqual(['call incomplete']);
    vi.advanceTimersByTime(2);
    expect(outline()).toEqual(['call incomplete', 'agent incomplete', 'pattern incomplete']);
  });

  test('flush leaves open spans open', () => {
    const { feed, outline, assembler } = setUp();
    feed(...openRun);
    assembler.flush();
    expect(outline()).toEqual([]);
    expect(assembler.stats().open).toBe(3);
  });
});

describe('SpanAssembler: the app', () => {
  test('keeps nothing of a payload that the app changes later', () => {
    const { ended, started, assembler } = setUp();
    const messages = [{ role: 'user', content: 'Buy?' }];
    const tags = ['x'];
    const payload = { ...ids('c'), messages_in: messages, tags };
    const call = event('llm_call', 1, payload);
    assembler.add(call);
    messages.push({ role: 'assistant', content: 'No.' });
    tags.push('y');
    assembler.shutdown();
    const kept = { tags: ['x'], attributes: { messages_in: [{ role: 'user', content: 'Buy?' }] } };
    expect([...started, ...ended]).toMatchObject([kept, kept]);
  });

  test('a span that was handed out does not change any more', () => {
    const { started, annotated, feed } = setUp();
    feed(['agent_start', 1, ids('a')], ['progress', 2, ids('a')]);
    const before = structuredClone([started, annotated]);
    feed(['progress', 3, ids('a')], ['agent_end', 4, { ...ids('a'), output: 'x' }]);
    expect([[started[0]], [annotated[0]]]).toEqual(before);
  });

  test('takes __proto__ and constructor as the keys they are', () => {
    const { assembler, feed, ended } = setUp();
    const payload = JSON.parse(
      '{"trace_id":"__proto__","span_id":"constructor","constructor":2}',
    ) as TracePayload;
    assembler.add(event('agent_start', 1, payload));
    const end = '{"trace_id":"__proto__","span_id":"constructor","__proto__":{"y":2},"toString":3}';
    feed(['agent_end', 2, JSON.parse(end) as TracePayload]);
    expect(JSON.stringify(ended[0]?.attributes)).toBe(
      '{"constructor":2,"__proto__":{"y":2},"toString":3}',
    );
    expect(Object.getPrototypeOf(ended[0]?.attributes)).toBe(Object.prototype);
  });

  test('an id that is no string, or is empty, is no id', () => {
    const { feed, ended } = setUp();
    feed(
      ['agent_start', 1, { trace_id: 7, span_id: 1, parent_span_id: {} }, { agent_name: 'bull' }],
      ['agent_end', 2, { trace_id: '', span_id: null }, { agent_name: 'bull' }],
    );
    expect(ended).toEqual([
      expect.objectContaining({
        span_id: expect.stringMatching(/^[\da-f]{16}$/) as string,
        trace_id: '',
        start_time: 1,
        end_time: 2,
        attributes: {},
      }),
    ]);
    expect(ended[0]).not.toHaveProperty('parent_span_id');
  });

  test.each([
    ['nothing', undefined],
    ['a number', 7],
    ['an empty object', {}],
    ['a payload that is no object', { event_type: 'agent_start', timestamp: 1, payload: 'x' }],
    ['a timestamp that is none', { event_type: 'agent_start', timestamp: NaN, payload: {} }],
    [
      'an event type that throws',
      {
        get event_type(): string {
          throw new Error('no');
        },
      },
    ],
    ['a revoked proxy', revoked()],
    ['a payload that is a revoked proxy', { event_type: 'agent_end', payload: revoked() }],
  ])('takes %s without throwing, and counts it', (_, value) => {
    const { assembler } = setUp();
    assembler.add(value as TraceEvent);
    const { events, started, ended, annotated, late, unmatched } = assembler.stats();
    expect([events, started + ended + annotated + late + unmatched]).toEqual([1, 1]);
    assembler.shutdown();
  });

  test('takes the time of receipt for a timestamp that is none', () => {
    vi.setSystemTime(1_763_800_000_000);
    vi.advanceTimersByTime(1);
    const { feed, started } = setUp();
    feed(['agent_start', NaN, ids('a')]);
    expect(started[0]?.start_time).toBe(1_763_800_000.001);
  });

  test('a callback that throws costs itself that span and nobody else anything', () => {
    const seen: string[] = [];
    const assembler = new SpanAssembler({
      onStart: fail,
      onAnnotate: fail,
      onEnd: (span) => {
        seen.push(span.span_id);
        fail();
      },
    });
    const { add } = assembler;
    for (const draft of openRun) add(event(...draft));
    add(event('progress', 4, ids('call')));
    add(event('pattern_end', 5, ids('pattern')));
    expect(seen).toEqual(['call', 'agent', 'pattern']);
  });

  test('says with each span how many events it was made of', () => {
    const made: [span_id: string, events: number][] = [];
    const assembler = new SpanAssembler({
      onEnd: ({ span_id }, events) => made.push([span_id, events]),
    });
    for (const draft of openRun) assembler.add(event(...draft));
    assembler.add(event('progress', 4, ids('call')));
    assembler.add(event('error', 4, ids('call')));
    assembler.add(event('llm_response', 4, ids('call')));
    assembler.add(event('llm_response', 4, ids('call'))); // late
    assembler.add(event('cost_record', 4, { ...ids('call'), cost_usd: 1 }));
    assembler.add(event('llm_call', 5, { ...ids('whole', 'agent'), response: 'x' }));
    assembler.add(event('tool_end', 6, ids('tool', 'agent')));
    assembler.add(event('agent_end', 7, ids('agent')));
    assembler.add(event('trace_gap', 8, {})); // unmatched
    assembler.shutdown();
    expect(made).toEqual([
      ['call', 5],
      ['tool', 1],
      ['whole', 1],
      ['agent', 2],
      ['pattern', 1],
    ]);
    expect(assembler.stats()).toMatchObject({ events: 12, late: 1, unmatched: 1 });
  });

  test('a callback may come back with an event', () => {
    const seen: string[] = [];
    const assembler: SpanAssembler = new SpanAssembler({
      onStart: ({ span_id }) => assembler.add(event('agent_end', 2, ids(span_id))),
      onEnd: ({ span_id, kind }) => {
        seen.push(span_id);
        if (kind === 'agent') assembler.add(event('llm_response', 2, ids('call')));
      },
    });
    assembler.add(event('agent_start', 1, ids('a')));
    assembler.add(event('llm_call', 1, { ...ids('b'), response: 'x' }));
    assembler.shutdown();
    expect(seen).toEqual(['a', 'call', 'b']);
    expect(assembler.stats().open).toBe(0);
  });

  test('a callback that flushes meets each span once', () => {
    const seen: string[] = [];
    const assembler: SpanAssembler = new SpanAssembler({
      onEnd: ({ span_id }) => {
        seen.push(span_id);
        assembler.flush();
      },
    });
    const add = (...draft: Draft): void => assembler.add(event(...draft));
    add('agent_start', 1, ids('a'));
    for (const id of ['b', 'c', 'd']) {
      add('llm_call', 2, ids(id, 'a'));
      add('llm_response', 3, ids(id));
    }
    add('agent_end', 4, ids('a'));
    expect(seen.toSorted()).toEqual(['a', 'b', 'c', 'd']);
    expect(assembler.stats().open).toBe(0);
  });

  test('holds on to nothing of a span it handed on, while its parent is open and its id remembered', async () => {
    vi.useRealTimers();
    const seen: WeakRef<object>[] = [];
    const assembler = new SpanAssembler({
      onEnd: ({ attributes }) => seen.push(new WeakRef(attributes)),
    });
    const add = (...draft: Draft): void => assembler.add(event(...draft));
    add('agent_start', 1, ids('a'));
    for (let i = 0; i < 10; i++) {
      add('llm_call', 2, ids(`${i}`, 'a'));
      add('llm_response', 3, { ...ids(`${i}`), response: 'x' });
      add('cost_record', 3, { ...ids(`${i}`), cost_usd: 1 });
    }
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    await new Promise((resolve) => setImmediate(resolve)); // a WeakRef holds until its turn ends
    gc();
    expect(seen.map((reference) => reference.deref())).toEqual(Array(10).fill(undefined));
    assembler.shutdown();
  });

  test.each([
    [{ onend: 1 }, 'SpanAssembler: unknown option "onend"; known are onStart, onAnnotate, onEnd'],
    [{ onEnd: 1 }, 'SpanAssembler: onEnd: expected a function, got 1'],
  ])('refuses %o', (options, message) => {
    expect(() => new SpanAssembler(options as never)).toThrow(message);
  });
});

function contextOf({ span_id, session_id, user_id, tags }: Span): unknown[] {
  return [span_id, session_id, user_id, tags];
}

function fail(): never {
  throw new Error('no');
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
