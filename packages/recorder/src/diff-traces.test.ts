import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTraceEvent, encodeTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { agent, ask, debate, eventsOf, type Step, tool } from './diff/run.fixture.ts';
import { diffTraces } from './diff-traces.ts';
import { encodeEntry } from './entry-of.ts';
import type { RecordEntry } from './record-entry.ts';

function argument(): Step {
  return debate(
    agent('bull', [ask(1, 'Buy gold?', 'Buy.'), ask(2, 'Sure?', 'Yes.')]),
    agent('bear', [ask(1.5, 'Sell gold?', 'Sell.'), tool(2.6, 'price', { of: 'gold' }, 2_000)]),
    agent('judge', [ask(5, 'Buy. or Sell.', 'Hold.')]),
  );
}

/** The differences, without their values. */
async function placesOf(a: readonly TraceEvent[], b: readonly TraceEvent[]): Promise<string[]> {
  const { differences } = await diffTraces(a, b);
  return differences.map(({ what, place, path }) => `${what} ${place} ${path}`.trimEnd());
}

function entry(more: Partial<RecordEntry>): RecordEntry {
  return {
    timestamp: 1.7e9,
    event_type: 'llm_call',
    agent_name: '',
    messages_in: [],
    response: '',
    metadata: {},
    ...more,
  };
}

const talk = (system: string, ...questions: string[]): Step =>
  debate(
    ...questions.map((question, i) =>
      ask(2 * i, question, 'ok', {
        asked: {
          messages_in: [
            { role: 'system', content: system },
            { role: 'user', content: question },
          ],
        },
      }),
    ),
  );

const parallel = (names: readonly string[], bull: string): TraceEvent[] =>
  eventsOf(debate(...names.map((name, i) => agent(name, [ask(1 + i / 10, `Ask ${name}`, bull)]))));

const poll = (...results: number[]): TraceEvent[] =>
  eventsOf(debate(...results.map((result, i) => tool(2 * i, 'poll', {}, result))));

const call = (timestamp: number, agent_name: string, content: string): TraceEvent =>
  createTraceEvent({
    timestamp,
    event_type: 'llm_call',
    agent_name,
    payload: { model: 'm', messages_in: [{ role: 'user', content }], response: 'ok' },
  });

const python = (answer: string): TraceEvent[] =>
  [
    ['pattern_start', '', {}],
    ['agent_start', 'bull', {}],
    ['llm_call', 'bull', { model: 'm', messages_in: [] }],
    ['llm_response', 'bull', { response: answer }],
    ['agent_end', 'bull', { output: answer }],
    ['pattern_end', '', { result_output: 'Hold.', duration_seconds: 1 }],
  ].map(([event_type, agent_name, payload], i) =>
    createTraceEvent({
      timestamp: 1 + i,
      event_type: event_type as string,
      agent_name: agent_name as string,
      pattern_type: 'debate',
      payload: payload as object as TraceEvent['payload'],
    }),
  );

const recording = (answer: string): RecordEntry[] => [
  entry({ event_type: 'pattern_start', metadata: { pattern_type: 'debate' } }),
  entry({
    agent_name: 'bull',
    messages_in: [{ role: 'user', content: 'Buy?', name: '' }],
    response: answer,
    metadata: { pattern_type: 'debate', model: 'gpt-4o', input_tokens: 10, output_tokens: 2 },
  }),
  entry({
    event_type: 'tool_end',
    agent_name: 'bull',
    metadata: { pattern_type: 'debate', tool_name: 'price', arguments: {}, result: 7 },
  }),
  entry({ event_type: 'pattern_end', response: 'Hold.' }),
];

const trace = (output: string): TraceEvent[] =>
  eventsOf({
    ...debate(agent('bull', [ask(1, 'Buy?', 'Buy.'), tool(3, 'price', {}, 7)])),
    answered: { output },
  });

const placesIn = async (...runs: Parameters<typeof diffTraces>): Promise<string[]> =>
  (await diffTraces(...runs)).differences.map(({ place, path }) => `${place} ${path}`);

const calls = (answer: string): TraceEvent[] =>
  eventsOf(debate(...Array.from({ length: 1_500 }, (_, i) => ask(2 * i, `question ${i}`, answer))));

const nested = (depth: number, answer: string): TraceEvent[] => {
  const ends: TraceEvent[] = [];
  const starts: TraceEvent[] = [];
  for (let i = 0; i < depth; i++) {
    const payload = { trace_id: 't', span_id: `s${i}`, parent_span_id: `s${i - 1}` };
    const common = { agent_name: '__proto__', pattern_type: 'constructor' };
    starts.push(
      createTraceEvent({ ...common, timestamp: 1 + i, event_type: 'agent_start', payload }),
    );
    ends.unshift(
      createTraceEvent({
        ...common,
        timestamp: 1 + 2 * depth - i,
        event_type: 'agent_end',
        payload: { ...payload, ...(i === depth - 1 && { output: answer, __proto__: null }) },
      }),
    );
  }
  return [...starts, ...ends];
};

const withIds = (id: string, userId: string): TraceEvent[] =>
  eventsOf(
    debate(
      ask(1, 'Buy?', '', {
        asked: {
          messages_in: [
            {
              role: 'assistant',
              tool_calls: [{ id, function: { name: 'f', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: id, content: 'done' },
          ],
        },
        answered: {
          response_id: id,
          result: {
            id,
            created: id.length,
            choices: [{ text: 'Buy.', tool_call_id: id, input: { user_id: userId } }],
          },
        },
      }),
      tool(3, 'find', { user_id: userId }, 'Ada'),
    ),
  );

const streamed = (response: string, ...chunks: unknown[]): TraceEvent[] =>
  eventsOf(
    debate(
      ask(1, 'Buy?', response, {
        answered: { result: { stream: chunks.map((chunk, at_ms) => ({ at_ms, chunk })) } },
      }),
    ),
  );

const onDay = (day: string, cost: number): TraceEvent[] =>
  eventsOf(
    debate(
      ask(1, `It is ${day}.`, 'ok', { answered: { cost_usd: cost } }),
      tool(3, 'book', { days: [{ day, seats: 2 }] }, 'ok'),
    ),
  );

const inTurn = (...questions: string[]): TraceEvent[] =>
  eventsOf(debate(...questions.map((question, i) => ask(2 * i, question, 'ok'))));

const routed = (difficulty: number): TraceEvent[] => {
  const events = eventsOf(debate(agent('bull', [ask(1, '', 'ok')])));
  const ids = events[1]?.payload;
  const decision = createTraceEvent({
    timestamp: events[1]?.timestamp ?? 0,
    event_type: 'routing_decision',
    agent_name: 'bull',
    payload: { ...ids, difficulty, result: 'gpt-4o' },
  });
  // the call does not say whose it is: its place does
  return [...events.slice(0, 2), decision, ...events.slice(2)].map((event) => {
    const { timestamp, event_type, pattern_type, payload } = event;
    if (!event_type.startsWith('llm')) return event;
    const { messages_in: _, ...rest } = payload;
    return createTraceEvent({ timestamp, event_type, pattern_type, payload: rest });
  });
};

const callsTool = (id: string, name: string): TraceEvent[] =>
  eventsOf(ask(1, 'Price?', '', { answered: { tool_calls: [{ id, function: { name } }] } }));

describe('diffTraces', () => {
  test('takes the tools that a model calls for its answer, whatever ids they have', async () => {
    expect(await placesOf(callsTool('call_1', 'price'), callsTool('call_2', 'price'))).toEqual([]);
    expect(await placesOf(callsTool('call_1', 'price'), callsTool('call_1', 'news'))).toEqual([
      'answer llm_call 1 tool_calls.0.function.name',
    ]);
  });

  test('takes runs with other times, durations and ids as equal', async () => {
    const slower = { ...argument(), to: 60 };

    expect(await diffTraces(eventsOf(argument()), eventsOf(slower))).toEqual({
      equal: true,
      differences: [],
      more: 0,
      durations: expect.arrayContaining([
        { place: 'debate', expected_ms: 5_000, actual_ms: 59_000 },
        { place: 'debate → bear → tool price', expected_ms: 1_000, actual_ms: 1_000 },
      ]),
      totals: {
        expected: {
          llm_calls: 4,
          tool_calls: 1,
          failed: 0,
          input_tokens: 40,
          output_tokens: 8,
          cost_usd: 0,
          duration_ms: 5_000,
        },
        actual: expect.objectContaining({ duration_ms: 59_000 }),
      },
      warnings: [],
    });
  });

  test('puts the largest change of a duration first', async () => {
    const { durations } = await diffTraces(
      eventsOf(argument()),
      eventsOf({ ...argument(), to: 60 }),
    );

    expect(durations[0]?.place).toBe('debate');
    expect(durations).toHaveLength(9);
  });

  test('names the first divergence and every place that differs, in the order of time', async () => {
    const changed = debate(
      agent('bull', [ask(1, 'Buy gold?', 'Buy.'), ask(2, 'Are you sure?', 'No.')]),
      agent('bear', [ask(1.5, 'Sell gold?', 'Sell.'), tool(2.6, 'price', { of: 'oil' }, 70)]),
      agent('judge', [ask(5, 'Buy. or Sell.', 'Hold.', { name: 'gpt-5' })]),
    );
    const { first, differences, equal } = await diffTraces(eventsOf(argument()), eventsOf(changed));

    expect(equal).toBe(false);
    expect(first).toBe(differences[0]);
    expect(differences).toEqual([
      {
        what: 'prompt',
        place: 'debate → bull → llm_call 2',
        path: 'messages_in.0.content',
        expected: 'Sure?',
        actual: 'Are you sure?',
      },
      {
        what: 'arguments',
        place: 'debate → bear → tool price',
        path: 'arguments.of',
        expected: 'gold',
        actual: 'oil',
      },
      {
        what: 'answer',
        place: 'debate → bull → llm_call 2',
        path: 'response',
        expected: 'Yes.',
        actual: 'No.',
      },
      {
        what: 'result',
        place: 'debate → bear → tool price',
        path: 'result',
        expected: 2_000,
        actual: 70,
      },
      {
        what: 'model',
        place: 'debate → judge → llm_call 1',
        path: 'model',
        expected: 'gpt-4o',
        actual: 'gpt-5',
      },
    ]);
  });

  test('tells tokens, cost, parameters, status and errors apart', async () => {
    const error = { message: 'overloaded', error_type: 'APIError', code: 529 };
    const a = eventsOf(debate(ask(1, 'Buy?', 'Buy.', { asked: { temperature: 0 } })));
    const b = eventsOf(
      debate(ask(1, 'Buy?', 'Buy.', { asked: { temperature: 1 }, answered: { output_tokens: 3 } })),
    );
    const failed = eventsOf(debate(ask(1, 'Buy?', '', { answered: { status: 'error', error } })));

    expect(await placesOf(a, b)).toEqual([
      'parameters debate → llm_call 1 temperature',
      'tokens debate → llm_call 1 output_tokens',
    ]);
    expect(await placesOf(a, failed)).toEqual([
      'parameters debate → llm_call 1 temperature',
      'answer debate → llm_call 1 response',
      'status debate → llm_call 1 status',
      'error debate → llm_call 1 error',
    ]);
    const { span_id, trace_id } = a[1]?.payload ?? {};
    const cost = createTraceEvent({
      event_type: 'cost_record',
      payload: { trace_id, span_id, cost_usd: 0.25 },
    });
    expect(await placesOf(a, [...a.slice(0, 3), cost, ...a.slice(3)])).toEqual([
      'cost debate → llm_call 1 cost_usd',
    ]);
    expect((await diffTraces([...a.slice(0, 3), cost, ...a.slice(3)], a)).totals).toMatchObject({
      expected: { cost_usd: 0.25 },
      actual: { cost_usd: 0 },
    });
  });

  test('names what is missing and what is more, with the calls inside it', async () => {
    const a = eventsOf(argument());
    const b = eventsOf(
      debate(
        agent('bull', [ask(1, 'Buy gold?', 'Buy.'), ask(2, 'Sure?', 'Yes.'), ask(3, 'Why?', '')]),
        agent('judge', [ask(5, 'Buy. or Sell.', 'Hold.')]),
      ),
    );

    expect((await diffTraces(a, b)).differences).toEqual([
      {
        what: 'missing',
        place: 'debate → bear',
        path: '',
        expected: { kind: 'agent', name: 'bear', calls: 2, asked: {} },
        actual: undefined,
      },
      {
        what: 'extra',
        place: 'debate → bull → llm_call 3',
        path: '',
        expected: undefined,
        actual: {
          kind: 'llm_call',
          name: 'gpt-4o',
          asked: { model: 'gpt-4o', messages_in: [{ role: 'user', content: 'Why?' }] },
        },
      },
    ]);
  });

  test('finds the call that was put in, where every prompt has changed since', async () => {
    expect(
      await placesOf(
        eventsOf(talk('Be brief.', 'one', 'two', 'three')),
        eventsOf(talk('Be terse.', 'one', 'more', 'two', 'three')),
      ),
    ).toEqual([
      'prompt debate → llm_call 1 messages_in.0.content',
      'extra debate → llm_call 2',
      'prompt debate → llm_call 2 messages_in.0.content',
      'prompt debate → llm_call 3 messages_in.0.content',
    ]);
  });

  test('finds parallel operations whatever order they start in, also where they changed', async () => {
    expect(
      await placesOf(
        parallel(['bull', 'bear', 'judge'], 'a'),
        parallel(['judge', 'bull', 'bear'], 'a'),
      ),
    ).toEqual([]);
    expect(
      await placesOf(
        eventsOf(debate(ask(1, 'a', 'A'), ask(1.1, 'b', 'B'), ask(1.2, 'c', 'C'))),
        eventsOf(debate(ask(1, 'c', 'C'), ask(1.1, 'a', 'X'), ask(1.2, 'b', 'B'))),
      ),
    ).toEqual(['answer debate → llm_call 1 response']);
  });

  test('reports the order of operations that follow each other in both runs', async () => {
    const forth = eventsOf(debate(tool(1, 'read', {}, 1), tool(3, 'write', {}, 2)));
    const back = eventsOf(debate(tool(1, 'write', {}, 2), tool(3, 'read', {}, 1)));
    const beside = eventsOf(debate(tool(1, 'write', {}, 2), tool(1.5, 'read', {}, 1)));

    expect(await placesOf(forth, back)).toHaveLength(1);
    expect((await diffTraces(forth, back)).first).toMatchObject({ what: 'order', path: '' });
    expect(await placesOf(forth, beside)).toEqual([]);

    const [a, b, c] = ['a', 'b', 'c'];
    const last = eventsOf(debate(tool(1, a, {}, 1), tool(3, b, {}, 1), tool(5, c, {}, 1)));
    const first = eventsOf(debate(tool(1, c, {}, 1), tool(3, a, {}, 1), tool(5, b, {}, 1)));
    expect((await diffTraces(last, first)).differences).toEqual([
      { what: 'order', place: 'debate → tool c', path: '', expected: 3, actual: 1 },
    ]);
  });

  test('takes no call at the end for one at the beginning that is missing', async () => {
    expect(await placesOf(inTurn('a', 'b', 'c'), inTurn('b', 'c', 'd'))).toEqual([
      'missing debate → llm_call 1',
      'extra debate → llm_call 3',
    ]);
  });

  test('counts what failed, and costs that no call was found for', async () => {
    const run = debate(
      ask(1, 'a', '', { answered: { status: 'error' } }),
      ask(3, 'b', '', { answered: { status: 'cancelled' } }),
    );
    const events = eventsOf(run).slice(0, -1);
    const cost = createTraceEvent({
      timestamp: events[0]?.timestamp ?? 0,
      event_type: 'cost_record',
      agent_name: 'nobody',
      payload: {
        trace_id: events[0]?.payload['trace_id'],
        span_id: events[0]?.payload['span_id'],
        model: 'other',
        cost_usd: 2,
        input_tokens: 5,
      },
    });

    expect((await diffTraces([...events, cost], [])).totals.expected).toMatchObject({
      failed: 3,
      cost_usd: 2,
      input_tokens: 25,
    });
  });

  test('says how many events it could not place', async () => {
    const gap = createTraceEvent({ event_type: 'trace_gap', payload: { dropped: 7 } });

    expect(
      (await diffTraces(eventsOf(argument()), [...eventsOf(argument()), gap])).warnings,
    ).toEqual(['actual: 1 events are about no operation, or came too late: not compared']);
  });

  test('takes equal questions one after another', async () => {
    expect(await placesOf(poll(1, 2, 3), poll(1, 2, 3))).toEqual([]);
    expect(await placesOf(poll(1, 2, 3), poll(1, 2))).toEqual(['missing debate → tool poll 3']);
  });

  test('knows no order of agents whose calls have no duration, and that of the calls of one', async () => {
    expect(
      await placesOf(
        [call(1, 'bull', 'a'), call(2, 'bear', 'b')],
        [call(1, 'bear', 'b'), call(2, 'bull', 'a')],
      ),
    ).toEqual([]);
    expect(
      await placesOf(
        [call(1, 'bull', 'a'), call(2, 'bull', 'b')],
        [call(1, 'bull', 'b'), call(2, 'bull', 'a')],
      ),
    ).toHaveLength(1);
  });

  test('leaves out ids and times in prompts and answers, and not those that a tool is asked', async () => {
    expect(await placesOf(withIds('a', 'u1'), withIds('bc', 'u1'))).toEqual([]);
    expect(await placesOf(withIds('a', 'u1'), withIds('a', 'u2'))).toEqual([
      'answer debate → llm_call 1 result.choices.0.input.user_id',
      'arguments debate → tool find arguments.user_id',
    ]);
  });

  test('compares the text of a stream, and its chunks where there is no text', async () => {
    expect(await placesOf(streamed('Buy.', 'Buy', '.'), streamed('Buy.', 'B', 'uy.'))).toEqual([]);
    expect(await placesOf(streamed('', { text: 'a' }), streamed('', { text: 'b' }))).toEqual([
      'answer debate → llm_call 1 result.stream.0.chunk.text',
    ]);
  });

  test('leaves out what is ignored, also where operations are aligned', async () => {
    expect(
      (
        await diffTraces(onDay('Monday', 1), onDay('Friday', 2), {
          ignore: ['messages_in.0.content', 'arguments.days.*.day', 'cost_usd'],
        })
      ).differences,
    ).toEqual([]);
    await expect(diffTraces([], [], { ignore: [''] })).rejects.toThrow(
      'diffTraces: ignore.0: expected a path',
    );
    await expect(diffTraces([], [], { ignored: [] } as object)).rejects.toThrow(
      'diffTraces: unknown option "ignored"; known are ignore',
    );
  });

  test('pairs events without ids by the rules of the assembler', async () => {
    expect(await placesOf(python('Buy.'), python('Sell.'))).toEqual([
      'answer debate → bull → llm_call 1 response',
      'answer debate → bull output',
    ]);
  });

  test('says where a run was cut off', async () => {
    const events = eventsOf(argument());
    const cut = events.slice(0, -1);

    expect(await placesOf(events, cut)).toEqual(['status debate status']);
    expect((await diffTraces(events, cut)).first).toMatchObject({
      expected: 'ok',
      actual: 'incomplete',
    });
  });

  test('compares what happened inside operations', async () => {
    const a = eventsOf(argument());
    const happened = (difficulty: number): TraceEvent[] => {
      const { trace_id, span_id } = a[0]?.payload ?? {};
      const decision = createTraceEvent({
        timestamp: (a[0]?.timestamp ?? 0) + 0.1,
        event_type: 'routing_decision',
        payload: { trace_id, span_id, difficulty, selected_model: 'gpt-4o' },
      });
      return [...a.slice(0, 1), decision, ...a.slice(1)];
    };

    expect(await placesOf(happened(2), happened(3))).toEqual([
      'event debate → routing_decision difficulty',
    ]);
    expect(await placesOf(a, happened(3))).toEqual(['extra debate → routing_decision']);
  });

  test('compares a trace with a recording by its calls', async () => {
    expect(await placesIn(recording('Buy.'), trace('Hold.'), { ignore: ['status'] })).toEqual([]);
    expect(await placesIn(recording('Sell.'), trace('Buy.'), { ignore: ['status'] })).toEqual([
      'debate → bull → llm_call 1 response',
      'debate output',
    ]);
    expect(await placesIn(recording('Buy.'), recording('Sell.'))).toEqual([
      'debate → bull → llm_call 1 response',
    ]);
  });

  test('finds the decisions, the empty prompts and the unnamed calls of a recording in a trace', async () => {
    const entries = [
      entry({
        event_type: 'routing_decision',
        agent_name: 'bull',
        metadata: { pattern_type: 'debate', difficulty: 2, result: 'gpt-4o' },
      }),
      entry({
        agent_name: 'bull',
        response: 'ok',
        metadata: { pattern_type: 'debate', model: 'gpt-4o', parent_span_id: 'not recorded' },
      }),
    ];
    const ignore = ['status', 'input_tokens', 'output_tokens'];

    expect((await diffTraces(entries, routed(2), { ignore })).differences).toEqual([]);
    expect((await diffTraces(entries, routed(3), { ignore })).differences).toEqual([
      {
        what: 'event',
        place: 'debate → bull → routing_decision',
        path: 'difficulty',
        expected: 2,
        actual: 3,
      },
    ]);
  });

  test('reads files, and names file and line of what is wrong in them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'diff-traces-'));
    const file = (name: string, text: string): string => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    };
    const lines = eventsOf(argument()).map(encodeTraceEvent);
    const good = file('good.jsonl', `${lines.join('\n')}\n`);
    const torn = file('torn.jsonl', `${lines.join('\n')}\n{"timestamp":17`);
    const edited = file('edited.jsonl', `${lines[0]}\n{"timestamp":"now"}\n`);
    const both = file('both.jsonl', `${lines[0]}\n${encodeEntry(entry({}))}\n`);
    const seed = file('seed.jsonl', `${encodeEntry(entry({}))}\n`);

    expect((await diffTraces(good, readFileSync(good, 'utf8').split(/(?<=\n)/))).equal).toBe(true);
    expect(await diffTraces(good, torn)).toMatchObject({
      equal: true,
      warnings: [`actual: ${torn}:${lines.length + 1}: half a line of 15 bytes at the end`],
    });
    expect((await diffTraces(seed, [entry({ timestamp: 5 })])).equal).toBe(true);
    await expect(diffTraces(good, edited)).rejects.toThrow(
      `${edited}:2: expected Unix seconds, got a string`,
    );
    await expect(diffTraces(both, good)).rejects.toThrow(
      `${both}:2: a trace and a recording in one run`,
    );
    await expect(diffTraces(join(folder, 'none.jsonl'), good)).rejects.toThrow(
      'none.jsonl: ENOENT',
    );
    await expect(diffTraces([{}] as never, good)).rejects.toThrow(
      'stream:1: expected Unix seconds, got null',
    );
    await expect(diffTraces(7 as never, good)).rejects.toThrow(
      'diffTraces: expected: expected a path, a file URL or an iterable of chunks',
    );
  });

  test('keeps the first 1,000 differences and counts the rest', async () => {
    const diff = await diffTraces(calls('a'), calls('b'));

    expect(diff.differences).toHaveLength(1_000);
    expect(diff.more).toBe(500);
    expect(diff.first?.place).toBe('debate → llm_call 1');
  });

  test('takes trees that are deep or in a circle, and names that are keys of every object', async () => {
    const circle = ['a', 'b'].map((span_id) =>
      createTraceEvent({
        event_type: 'agent_start',
        agent_name: span_id,
        payload: { trace_id: 't', span_id, parent_span_id: span_id === 'a' ? 'b' : 'a' },
      }),
    );

    const { first } = await diffTraces(nested(1_000, 'x'), nested(1_000, 'y'));
    expect(first).toMatchObject({ what: 'answer', path: 'output' });
    expect(first?.place).toBe(`… → ${Array(8).fill('__proto__').join(' → ')}`);
    expect((await diffTraces(circle, circle)).equal).toBe(true);
    expect(await placesOf(circle, [])).toHaveLength(1);
  });
});
