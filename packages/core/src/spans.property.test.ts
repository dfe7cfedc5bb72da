import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EVENT_TYPES, type TraceEvent, type TracePayload } from './event.ts';
import { type Span, SpanAssembler, type SpanAssemblerStats } from './spans.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Assembled {
  readonly spans: Span[];
  readonly stats: SpanAssemblerStats;
}

function assemble(events: readonly TraceEvent[]): Assembled {
  const spans: Span[] = [];
  const assembler = new SpanAssembler({ onEnd: (span) => spans.push(span) });
  for (const event of events) assembler.add(event);
  assembler.shutdown();
  const stats = assembler.stats();
  spans.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { spans, stats };
}

function keyOf({ trace_id, span_id }: Pick<Span, 'trace_id' | 'span_id'>): string {
  return JSON.stringify([trace_id, span_id]);
}

/** Events without their time and ids, in the order of one operation. */
type Operation = { readonly own: OwnEvent[]; readonly parts: readonly Operation[] };
type OwnEvent = readonly [event_type: string, payload: TracePayload];

const CALLS: Record<string, readonly OwnEvent[]> = {
  plain: [['llm_response', { response: 'x' }]],
  'cost after': [
    ['llm_response', { response: 'x', input_tokens: 3 }],
    ['cost_record', { cost_usd: 0.1, input_tokens: 9, output_tokens: 1 }],
  ],
  'cost inside': [
    ['cost_record', { cost_usd: 0.1, input_tokens: 9, output_tokens: 1 }],
    ['llm_response', { response: 'x', input_tokens: 3 }],
  ],
  'cost twice': [
    ['llm_response', { response: 'x', cost_usd: 0.2 }],
    ['cost_record', { cost_usd: 0.1 }],
  ],
  streamed: [
    ['chunk', { n: 1 }],
    ['chunk', { n: 2 }],
    ['llm_response', { response: 'xx', time_to_first_chunk_ms: 5 }],
  ],
  failed: [
    ['error', { message: 'no' }],
    ['llm_response', { status: 'error' }],
  ],
  'failed without an answer': [['error', { message: 'no' }]],
};

const call = fc
  .constantFrom(...Object.values(CALLS))
  .map((rest): Operation => ({ own: [['llm_call', { model: 'm' }], ...rest], parts: [] }));
const tool = fc.constantFrom('ok', 'error').map((status): Operation => ({
  own: [
    ['tool_start', { tool_name: 'search' }],
    ['tool_end', { status }],
  ],
  parts: [],
}));

function around(kind: string): (parts: readonly Operation[]) => Operation {
  return (parts) => ({
    own: [
      [`${kind}_start`, { input: 'q', ...(kind === 'pattern' && { session_id: 's' }) }],
      [`${kind}_end`, { output: 'a' }],
    ],
    parts,
  });
}

const { pattern } = fc.letrec<{ pattern: Operation; agent: Operation }>((tie) => ({
  pattern: fc.array(tie('agent'), { maxLength: 3 }).map(around('pattern')),
  agent: fc
    .array(fc.oneof({ depthSize: 'small' }, call, tool, tie('agent'), tie('pattern')), {
      maxLength: 4,
    })
    .map(around('agent')),
}));

/** Numbers that decide whose turn it is; when they run out it is the first one's. */
const turns = fc.array(fc.nat(), { maxLength: 60 });

/** All lists in one, each in its own order. */
function interleave<Item>(lists: readonly (readonly Item[])[], turn: () => number): Item[] {
  const left = lists.filter((list) => list.length > 0).map((list) => list.slice());
  const result: Item[] = [];
  while (left.length > 0) {
    const index = turn() % left.length;
    const list = left[index] as Item[];
    result.push(list.shift() as Item);
    if (list.length === 0) left.splice(index, 1);
  }
  return result;
}

function taking(numbers: readonly number[]): () => number {
  let next = 0;
  return () => numbers[next++] ?? 0;
}

/** The events of one run; what is inside an operation runs side by side. Span ids are 1, 2, 3… */
function eventsOf(root: Operation, trace_id: string, turn: () => number): TraceEvent[] {
  let ids = 0;
  const list = ({ own, parts }: Operation, parent_span_id?: string): OwnEvent[] => {
    const span_id = `${++ids}`;
    const identity = { trace_id, span_id, ...(parent_span_id !== undefined && { parent_span_id }) };
    const [start, ...rest] = own.map(([event_type, payload]): OwnEvent => [
      event_type,
      { ...identity, ...payload },
    ]);
    const inside = interleave(
      parts.map((part) => list(part, span_id)),
      turn,
    );
    return [start as OwnEvent, ...inside, ...rest];
  };
  return list(root).map(([event_type, payload], index) => ({
    timestamp: 1000 + index,
    event_type,
    agent_name: 'bull',
    pattern_type: 'debate',
    payload,
  }));
}

describe('SpanAssembler', () => {
  test('makes the same spans of runs side by side as of one after another', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(pattern, turns), { maxLength: 4 }), turns, (runs, order) => {
        const lists = runs.map(([root, numbers], run) =>
          eventsOf(root, `run ${run}`, taking(numbers)),
        );
        const oneByOne = assemble(lists.flat());
        const sideBySide = assemble(interleave(lists, taking(order)));
        expect(sideBySide).toEqual(oneByOne);

        const starts = lists
          .flat()
          .filter(({ event_type }) => /_start$|^llm_call$/.test(event_type));
        expect(oneByOne.spans.map(keyOf)).toEqual(
          starts.map(({ payload }) => keyOf(payload as unknown as Span)).toSorted(),
        );
        const clean = oneByOne.spans.every(
          ({ incomplete, orphan, synthetic_start, clock_skew, session_id }) =>
            !incomplete && !orphan && !synthetic_start && !clock_skew && session_id === 's',
        );
        expect(clean).toBe(true);
      }),
    );
  });

  test('takes any events in any order: no throw, each start handed on once, nothing uncounted', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: anyEvent }, pause)), (steps) => {
        const log: {
          readonly what: 'start' | 'end';
          readonly span: Span;
          readonly json: string;
        }[] = [];
        const note = (what: 'start' | 'end') => (span: Span) =>
          void log.push({ what, span, json: JSON.stringify(span) });
        let spanEvents = 0;
        const assembler = new SpanAssembler({
          onStart: note('start'),
          onEnd(span, ofSpan) {
            note('end')(span);
            spanEvents += ofSpan;
          },
        });
        for (const step of steps) {
          if (typeof step !== 'number') assembler.add(step as TraceEvent);
          else if (step > 0) vi.advanceTimersByTime(step);
          else assembler.flush();
          const { events, open, ...counts } = assembler.stats();
          expect(sumOf(counts)).toBe(events);
          const begun = log.filter(({ what }) => what === 'start').length;
          expect(open).toBe(begun - (log.length - begun));
        }
        assembler.shutdown();

        const { started, ended, annotated } = assembler.stats();
        expect(spanEvents).toBe(started + ended + annotated);
        expect(assembler.stats().open).toBe(0);
        expect(assembler.stats().events).toBe(
          steps.filter((step) => typeof step !== 'number').length,
        );
        expect(vi.getTimerCount()).toBe(0);
        const keys = (what: string): string[] =>
          log.filter((entry) => entry.what === what).map(({ span }) => keyOf(span));
        expect(new Set(keys('end')).size).toBe(keys('end').length);
        expect(keys('end').toSorted()).toEqual(keys('start').toSorted());
        for (const { span, json } of log) expect(JSON.stringify(span)).toBe(json);
        expect(log.filter((entry, index) => isHandedOnAfterParent(entry.span, index))).toEqual([]);

        /** A call may end, and wait for its cost, before its child begins: of the others none may. */
        function isHandedOnAfterParent(span: Span, index: number): boolean {
          const parentKey = keyOf({ ...span, span_id: span.parent_span_id ?? '' });
          const parentEnd = log.findIndex(
            ({ what, span: other }) => what === 'end' && keyOf(other) === parentKey,
          );
          const start = log.findIndex(({ span: other }) => keyOf(other) === keyOf(span));
          return (
            log[index]?.what === 'end' &&
            parentEnd !== -1 &&
            log[parentEnd]?.span.kind !== 'llm' &&
            start < parentEnd &&
            parentEnd < index
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});

function sumOf(counts: object): number {
  return Object.values(counts).reduce((sum: number, count: number) => sum + count, 0);
}

const few = fc.constantFrom('1', '2', '3', '4', '', 5, null, '__proto__');
const anyPayload = fc.record(
  {
    trace_id: fc.constantFrom('t', 'u', 'debate', 7),
    span_id: few,
    parent_span_id: few,
    traceparent: fc.constantFrom('x', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`),
    session_id: few,
    tags: fc.anything(),
    response: fc.constantFrom('x', undefined),
    model: fc.constantFrom('m', 'n', 1),
    status: fc.constantFrom('ok', 'error', 'cancelled', 'x', 1),
    duration_ms: fc.oneof(fc.double(), fc.string()),
    cost_usd: fc.oneof(fc.double(), fc.string()),
    tool_call_id: few,
    tool_name: few,
    extra: fc.anything(),
  },
  { requiredKeys: [] },
);
const anyEvent = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      timestamp: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.double()),
      event_type: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...EVENT_TYPES) },
        fc.constantFrom('custom_type', '__proto__', ''),
      ),
      agent_name: fc.constantFrom('bull', 'bear', ''),
      pattern_type: fc.constantFrom('debate', 'voting', ''),
      payload: anyPayload,
    }),
  },
  { weight: 1, arbitrary: fc.anything().filter((value) => typeof value !== 'number') },
);
/** 0 is a flush, another number that many milliseconds. */
const pause = fc.constantFrom(0, 100, 250, 10 * 60_000, 40 * 60_000);
