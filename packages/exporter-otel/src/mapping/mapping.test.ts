import { describe, expect, test } from 'vitest';
import { type Draft, event, type ExportedSpan, ids, setUp } from '../../testing/exporter-spans.ts';
import type { OTelExporterOptions } from '../index.ts';

const bull = { agent_name: 'bull', pattern_type: 'debate' };

/** The spans that these events become, in order of their start. */
async function exported(
  drafts: readonly Draft[],
  options: OTelExporterOptions = {},
): Promise<ExportedSpan[]> {
  const { exporter, spans } = setUp(options);
  for (const draft of drafts) exporter.exportEvent(event(...draft));
  await exporter.shutdown();
  expect(exporter.stats()).toMatchObject({ delivered: drafts.length });
  return spans().toSorted((a, b) => Number(a.start) - Number(b.start));
}

/** What only this kind of span says: not the common attributes of every span. */
function own({ attributes }: ExportedSpan): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([key]) => !/^(pyagent\.(trace|span|parent_span)_id|openinference)/.test(key),
    ),
  );
}

async function only(...args: Parameters<typeof exported>): Promise<ExportedSpan> {
  const [span, ...more] = await exported(...args);
  expect(more).toEqual([]);
  return span as ExportedSpan;
}

describe('a model call', () => {
  test('says what was asked and what was answered', async () => {
    const span = await only([
      [
        'llm_call',
        1,
        {
          ...ids(1),
          provider: 'anthropic',
          model: 'claude-opus-5',
          temperature: 0.2,
          top_p: 0.9,
          top_k: 40,
          max_tokens: 512,
          stop: ['END'],
          frequency_penalty: 0.1,
          presence_penalty: 0.3,
          seed: 7,
          n: 2,
          stream: true,
          reasoning_effort: 'high',
          response_format: { type: 'json_schema' },
        },
        bull,
      ],
      [
        'llm_response',
        2.5,
        {
          ...ids(1),
          model: 'claude-opus-5-20260801',
          response_id: 'msg_1',
          finish_reasons: ['stop'],
          input_tokens: 100,
          output_tokens: 20,
          cache_read_tokens: 60,
          cache_creation_tokens: 10,
          reasoning_tokens: 5,
          cost_usd: 0.01,
          duration_ms: 1500,
          time_to_first_chunk_ms: 250,
        },
        bull,
      ],
    ]);
    expect(span.name).toBe('chat claude-opus-5');
    expect(span.kind).toBe(2);
    expect(span.attributes['openinference.span.kind']).toBe('LLM');
    expect(own(span)).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.agent.name': 'bull',
      'pyagent.agent.name': 'bull',
      'pyagent.pattern.type': 'debate',
      'gen_ai.request.model': 'claude-opus-5',
      'gen_ai.request.temperature': 0.2,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.top_k': 40,
      'gen_ai.request.max_tokens': 512,
      'gen_ai.request.stop_sequences': ['END'],
      'gen_ai.request.frequency_penalty': 0.1,
      'gen_ai.request.presence_penalty': 0.3,
      'gen_ai.request.seed': 7,
      'gen_ai.request.choice.count': 2,
      'gen_ai.request.stream': true,
      'gen_ai.request.reasoning.level': 'high',
      'gen_ai.output.type': 'json',
      'gen_ai.response.model': 'claude-opus-5-20260801',
      'gen_ai.response.id': 'msg_1',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.response.time_to_first_chunk': 0.25,
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 20,
      'gen_ai.usage.cache_read.input_tokens': 60,
      'gen_ai.usage.cache_creation.input_tokens': 10,
      'gen_ai.usage.reasoning.output_tokens': 5,
      'gen_ai.usage.cost': 0.01,
      'pyagent.cost.total_usd': 0.01,
      'pyagent.cost.input_tokens': 100,
      'pyagent.cost.output_tokens': 20,
      'pyagent.cost.model': 'claude-opus-5-20260801',
      'pyagent.exec.duration_ms': 1500,
    });
  });

  test('other spellings of the request are known', async () => {
    const span = await only([
      [
        'llm_call',
        1,
        {
          ...ids(1),
          operation: 'text_completion',
          model: 'gpt-4o',
          max_completion_tokens: 9,
          stop_sequences: 'END',
          n: 1,
          response: 'x',
          finish_reason: 'stop',
        },
      ],
    ]);
    expect(span.name).toBe('text_completion gpt-4o');
    expect(own(span)).toEqual({
      'gen_ai.operation.name': 'text_completion',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.request.max_tokens': 9,
      'gen_ai.request.stop_sequences': ['END'],
      'gen_ai.response.finish_reasons': ['stop'],
      'pyagent.cost.model': 'gpt-4o',
    });
  });

  test('a cost that comes after the answer lands on it', async () => {
    const span = await only([
      ['llm_call', 1, { ...ids(1), model: 'm' }],
      ['llm_response', 2, ids(1)],
      ['cost_record', 2.1, { ...ids(1), cost_usd: 0.5, input_tokens: 3, output_tokens: 4 }],
    ]);
    expect(span.end).toBe('2');
    expect(own(span)).toMatchObject({
      'gen_ai.usage.cost': 0.5,
      'gen_ai.usage.input_tokens': 3,
      'gen_ai.usage.output_tokens': 4,
      'pyagent.cost.total_usd': 0.5,
    });
  });

  test('numbers that are none, and null, say nothing; counts are whole', async () => {
    const span = await only([
      [
        'llm_call',
        1,
        {
          ...ids(1),
          model: null,
          provider: 7,
          operation: {},
          temperature: NaN,
          top_p: '1',
          max_tokens: 10.9,
          stop: [null, 3],
          response: 'x',
          input_tokens: Infinity,
          output_tokens: 2.5,
          cost_usd: null,
          finish_reasons: null,
          metadata: { a: null, b: NaN, c: undefined },
        },
      ],
    ]);
    expect(span.name).toBe('chat');
    expect(own(span)).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'unknown',
      'gen_ai.request.max_tokens': 10,
      'gen_ai.usage.output_tokens': 2,
      'pyagent.cost.output_tokens': 2,
    });
  });

  test('an answer without its call makes a span of its duration, named by its model', async () => {
    const span = await only([
      ['llm_response', 1735689602.000001, { ...ids(1), model: 'm', duration_ms: 1500 }],
    ]);
    expect([span.name, span.start, span.end]).toEqual([
      'chat m',
      '1735689600.500001',
      '1735689602.000001',
    ]);
    expect(span.attributes['pyagent.synthetic_start']).toBe(true);
  });

  test.each([
    ['provider', 'azure', 'gen_ai.provider.name', 'azure.ai.inference'],
    ['operation', 'text_completion', 'gen_ai.operation.name', 'text_completion'],
    ['server_address', 'eu.example', 'server.address', 'eu.example'],
    ['server_port', 443, 'server.port', 443],
    ['session_id', 's', 'session.id', 's'],
    ['user_id', 'u', 'user.id', 'u'],
  ])('%s may come with the answer', async (key, value, attribute, expected) => {
    const span = await only([
      ['llm_call', 1, { ...ids(1), model: 'm' }],
      ['llm_response', 2, { ...ids(1), [key]: value }],
    ]);
    expect(span.attributes[attribute]).toBe(expected);
  });

  test('what only the end knows is said too', async () => {
    const span = await only([
      ['llm_call', 1, ids(1)],
      [
        'llm_response',
        2,
        { ...ids(1), model: 'gpt-4o', session_id: 's', user_id: 'u', provider: 'azure' },
        bull,
      ],
    ]);
    expect(span.name).toBe('chat gpt-4o');
    expect(own(span)).toMatchObject({
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.provider.name': 'azure.ai.inference',
      'gen_ai.agent.name': 'bull',
      'gen_ai.conversation.id': 's',
      'user.id': 'u',
    });
  });
});

describe('a pattern, an agent, a tool', () => {
  test('have attributes of their own, and what their calls used', async () => {
    const [pattern, agent, , , tool] = await exported([
      [
        'pattern_start',
        1,
        { ...ids(1), session_id: 's', user_id: 'u', tags: ['a', 'b'], metadata: { desk: 'tech' } },
        { pattern_type: 'debate' },
      ],
      [
        'agent_start',
        2,
        { ...ids(2, 1), role: 'advocate', agent_id: 'a1', agent_description: 'buys' },
        bull,
      ],
      ['llm_call', 3, { ...ids(3, 2), response: 'x', cost_usd: 0.1, input_tokens: 5 }, bull],
      ['llm_call', 3.5, { ...ids(4, 2), response: 'x', cost_usd: 0.2, output_tokens: 6 }, bull],
      ['tool_start', 4, { ...ids(5, 2), tool_name: 'search', tool_call_id: 'c1' }, bull],
      ['tool_end', 5, { ...ids(5, 2), tool_name: 'search', duration_ms: 1000 }, bull],
      ['agent_end', 6, { ...ids(2, 1), contribution: 0.7, token_estimate: 30 }, bull],
      [
        'pattern_end',
        7,
        {
          ...ids(1),
          rounds: 3,
          consensus: 0.8,
          escalated: true,
          escalation_level: 'human',
          duration_seconds: 6,
        },
        { pattern_type: 'debate' },
      ],
    ]);
    const conversation = {
      'gen_ai.conversation.id': 's',
      'session.id': 's',
      'user.id': 'u',
      'pyagent.tags': ['a', 'b'],
      'pyagent.pattern.type': 'debate',
    };
    const used = {
      'pyagent.cost.total_usd': 0.3,
      'pyagent.cost.input_tokens': 5,
      'pyagent.cost.output_tokens': 6,
      'pyagent.exec.llm_calls': 2,
    };
    const agentName = { 'gen_ai.agent.name': 'bull', 'pyagent.agent.name': 'bull' };
    expect(own(pattern as ExportedSpan)).toEqual({
      ...conversation,
      ...used,
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': 'debate',
      'pyagent.pattern.rounds': 3,
      'pyagent.pattern.consensus': 0.8,
      'pyagent.pattern.escalated': true,
      'pyagent.pattern.escalation_level': 'human',
      'pyagent.exec.duration_ms': 6000,
      'pyagent.metadata.desk': 'tech',
    });
    expect(own(agent as ExportedSpan)).toEqual({
      ...conversation,
      ...used,
      ...agentName,
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.id': 'a1',
      'gen_ai.agent.description': 'buys',
      'pyagent.agent.role': 'advocate',
      'pyagent.agent.contribution': 0.7,
      'pyagent.exec.token_estimate': 30,
    });
    expect(tool?.name).toBe('execute_tool search');
    expect(tool?.kind).toBe(0);
    expect(own(tool as ExportedSpan)).toEqual({
      ...conversation,
      ...agentName,
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search',
      'gen_ai.tool.call.id': 'c1',
      'pyagent.exec.duration_ms': 1000,
    });
  });

  test('only model calls have usage, cost and a model, which backends sum and classify by', async () => {
    const usage = { input_tokens: 1, output_tokens: 1, cost_usd: 1, model: 'm', provider: 'p' };
    const spans = await exported([
      ['pattern_start', 1, ids(1), { pattern_type: 'debate' }],
      ['agent_start', 2, ids(2, 1), bull],
      ['tool_end', 3, { ...ids(3, 2), ...usage, tool_name: 'x' }, bull],
      ['agent_end', 4, { ...ids(2, 1), ...usage }, bull],
      ['pattern_end', 5, { ...ids(1), ...usage }, { pattern_type: 'debate' }],
    ]);
    const keys = spans.flatMap(({ attributes }) => Object.keys(attributes));
    expect(keys.filter((key) => /^gen_ai\.(usage|request|response|provider)/.test(key))).toEqual(
      [],
    );
    const [pattern] = spans;
    expect(
      Object.keys(pattern?.attributes ?? {}).filter((key) => key.includes('agent.name')),
    ).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'what its end says',
      { cost_usd: 9, input_tokens: 8, llm_calls: 7 },
      { usd: 9, input: 8, calls: 7 },
    ],
    ['the total that Python writes', { total_cost_usd: 9 }, { usd: 9, input: 5, calls: 1 }],
    [
      'the sum of its calls before an estimate',
      { cost_estimate: 9 },
      { usd: 0.1, input: 5, calls: 1 },
    ],
  ])('of an agent %s counts', async (_, said, { usd, input, calls }) => {
    const [agent] = await exported([
      ['agent_start', 1, ids(1), bull],
      ['llm_call', 2, { ...ids(2, 1), response: 'x', cost_usd: 0.1, input_tokens: 5 }, bull],
      ['agent_end', 3, { ...ids(1), ...said }, bull],
    ]);
    expect(agent?.attributes).toMatchObject({
      'pyagent.cost.total_usd': usd,
      'pyagent.cost.input_tokens': input,
      'pyagent.exec.llm_calls': calls,
    });
  });

  test('an estimate stands where nobody said more, and nothing where nobody said anything', async () => {
    const [agent, bear] = await exported([
      ['agent_end', 1, { ...ids(1), cost_estimate: 0.4 }, bull],
      ['agent_end', 2, ids(2), { agent_name: 'bear' }],
    ]);
    expect(agent?.attributes['pyagent.cost.total_usd']).toBe(0.4);
    expect(bear?.attributes).not.toHaveProperty('pyagent.cost.total_usd');
  });

  test('metadata is kept whole, lists as lists and objects as JSON', async () => {
    const span = await only([
      ['tool_start', 1, ids(1)],
      [
        'tool_end',
        1,
        {
          ...ids(1),
          metadata: {
            n: 1,
            yes: true,
            list: ['a', 'b'],
            empty: [],
            mixed: ['a', 1],
            nested: { a: [1, null] },
            when: new Date(0),
            big: 1n,
          },
        },
      ],
    ]);
    expect(own(span)).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'pyagent.metadata.n': 1,
      'pyagent.metadata.yes': true,
      'pyagent.metadata.list': ['a', 'b'],
      'pyagent.metadata.empty': [],
      'pyagent.metadata.mixed': '["a",1]',
      'pyagent.metadata.nested': '{"a":[1,null]}',
      'pyagent.metadata.when': '1970-01-01T00:00:00.000Z',
      'pyagent.metadata.big': '1',
    });
  });
});

describe('what happens in a span', () => {
  test('a routing decision and a compression are attributes of it and events in it', async () => {
    const routing = {
      'pyagent.router.difficulty': 7,
      'pyagent.router.difficulty_category': 'hard',
      'pyagent.router.selected_model': 'm',
      'pyagent.router.cost_estimate': 0.01,
      'pyagent.router.alternatives': ['a', 'b'],
    };
    const compression = {
      'pyagent.compress.input_tokens': 200,
      'pyagent.compress.output_tokens': 50,
      'pyagent.compress.savings_pct': 0.75,
    };
    const span = await only([
      ['agent_start', 1, ids(1), bull],
      [
        'routing_decision',
        2,
        {
          ...ids(1),
          difficulty: 7,
          difficulty_category: 'hard',
          selected_model: 'm',
          cost_estimate: 0.01,
          alternatives: ['a', 'b'],
        },
      ],
      ['compression', 3, { ...ids(1), input_tokens: 100, output_tokens: 40, savings_pct: 0.5 }],
      ['compression', 3, { ...ids(1), input_tokens: 200, output_tokens: 50 }],
      ['agent_end', 4, ids(1), bull],
    ]);
    expect(span.attributes).toMatchObject({ ...routing, ...compression });
    expect(span.events).toEqual([
      ['pyagent.routing_decision', '2', routing],
      [
        'pyagent.compression',
        '3',
        {
          'pyagent.compress.input_tokens': 100,
          'pyagent.compress.output_tokens': 40,
          'pyagent.compress.savings_pct': 0.5,
        },
      ],
      ['pyagent.compression', '3', compression],
    ]);
  });

  test('a cost that is about no call is the agent’s, over the sum of its calls', async () => {
    const [agent] = await exported([
      ['agent_start', 1, ids(1), bull],
      ['llm_call', 2, { ...ids(2, 1), response: 'x', cost_usd: 0.1, input_tokens: 5 }, bull],
      ['cost_record', 3, { ...ids(1), cost_usd: 2, model: 'm' }],
      ['agent_end', 4, ids(1), bull],
    ]);
    expect(agent?.attributes).toMatchObject({
      'pyagent.cost.total_usd': 2,
      'pyagent.cost.model': 'm',
      'pyagent.cost.input_tokens': 5,
    });
    expect(agent?.events).toEqual([
      ['pyagent.cost_record', '3', { 'pyagent.cost.total_usd': 2, 'pyagent.cost.model': 'm' }],
    ]);
  });

  test.each([
    [false, { 'pyagent.event.n': 1, 'pyagent.event.done': false }],
    [
      true,
      {
        'pyagent.event.n': 1,
        'pyagent.event.done': false,
        'pyagent.event.text': 'abc[Truncated: 3 more characters]',
        'pyagent.event.data': '{"a":"abc[Truncated: 1 more characters]"}',
      },
    ],
  ])('an event of unknown type, with captureContent %s', async (captureContent, attributes) => {
    const span = await only(
      [
        ['agent_start', 1, ids(1), bull],
        [
          'progress',
          2,
          { ...ids(1), n: 1, done: false, text: 'abcdef', data: { a: 'abcd' }, none: null },
        ],
      ],
      { captureContent, maxContentChars: 3 },
    );
    expect(span.events).toEqual([['pyagent.progress', '2', attributes]]);
  });
});

describe('a failure', () => {
  const error = { message: 'overloaded', error_type: 'APIError', code: 529, stack: 'at x' };
  const exception = {
    'exception.type': 'APIError',
    'exception.message': 'overloaded',
    'exception.stacktrace': 'at x',
  };
  const failed = { code: 2, message: 'overloaded' };
  const unset = { code: 0 };

  test('ends its call, and a retry is a call of its own', async () => {
    const [agent, first, second] = await exported([
      ['agent_start', 1, ids(1), bull],
      ['llm_call', 2, { ...ids(2, 1), model: 'a' }, bull],
      ['error', 3, { ...ids(2, 1), ...error }, bull],
      ['llm_call', 4, { ...ids(3, 1), model: 'a' }, bull],
      ['llm_response', 5, { ...ids(3, 1), response: 'x' }, bull],
      ['agent_end', 6, ids(1), bull],
    ]);
    expect([first?.status, first?.end, first?.events]).toEqual([
      failed,
      '3',
      [['exception', '3', exception]],
    ]);
    expect(first?.attributes).toMatchObject({ 'error.type': 'APIError', 'pyagent.error.count': 1 });
    expect(first?.attributes).not.toHaveProperty('gen_ai.response.model'); // nobody answered
    for (const span of [agent, second]) {
      expect(span?.status).toEqual(unset);
      expect(span?.attributes).not.toHaveProperty('error.type');
    }
  });

  test('that the agent got over is told, and the agent did not fail', async () => {
    const span = await only([
      ['agent_start', 1, ids(1), bull],
      ['error', 2, { ...ids(1), ...error }, bull],
      ['agent_end', 3, { ...ids(1), status: 'ok' }, bull],
    ]);
    expect(span.status).toEqual(unset);
    expect(span.attributes).toMatchObject({
      'pyagent.error.count': 1,
      'pyagent.error.handled': true,
    });
    expect(span.attributes).not.toHaveProperty('error.type');
    expect(span.events).toEqual([['exception', '2', exception]]);
  });

  test('that is thrown on has one reason on every span that it goes through, and one exception', async () => {
    const spans = await exported([
      ['pattern_start', 1, ids(1), { pattern_type: 'debate' }],
      ['agent_start', 2, ids(2, 1), bull],
      ['tool_start', 3, { ...ids(3, 2), tool_name: 'x' }, bull],
      ['error', 4, { ...ids(3, 2), ...error }, bull],
      ['tool_end', 5, { ...ids(3, 2), status: 'error' }, bull],
      ['agent_end', 6, { ...ids(2, 1), status: 'error' }, bull],
      ['pattern_end', 7, { ...ids(1), status: 'error' }, { pattern_type: 'debate' }],
    ]);
    expect(spans.map(({ status }) => status)).toEqual([failed, failed, failed]);
    expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual(
      Array(3).fill('APIError'),
    );
    expect(spans.map(({ events }) => events.length)).toEqual([0, 0, 1]);
  });

  test.each([
    ['a code', { code: 529 }, '529', '529'],
    ['a message alone', { message: 'no' }, '_OTHER', 'no'],
  ])('with %s', async (_, payload, type, message) => {
    const span = await only([
      ['tool_start', 1, ids(1)],
      ['error', 2, { ...ids(1), ...payload }],
      ['tool_end', 3, { ...ids(1), status: 'error' }],
    ]);
    expect(span.status).toEqual({ code: 2, message });
    expect(span.attributes['error.type']).toBe(type);
  });

  test('without an error event has a status and says what it can', async () => {
    const span = await only([['tool_end', 1, { ...ids(1), status: 'error' }]]);
    expect(span.status).toEqual({ code: 2, message: 'the tool ended with status error' });
    expect(span.attributes['error.type']).toBe('_OTHER');
  });

  test('what was cancelled did not fail, and says so', async () => {
    const span = await only([['tool_end', 1, { ...ids(1), status: 'cancelled' }]]);
    expect(span.status).toEqual(unset);
    expect(span.attributes['pyagent.status']).toBe('cancelled');
  });

  test('what never ended has the error that it saw', async () => {
    const [agent, tool] = await exported([
      ['agent_start', 1, ids(1), bull],
      ['tool_start', 2, ids(2, 1)],
      ['error', 3, { ...ids(2, 1), ...error }],
      ['agent_end', 4, ids(1), bull],
    ]);
    expect(agent?.status).toEqual(unset);
    expect(tool?.status).toEqual(failed);
    expect(tool?.attributes).toMatchObject({
      'pyagent.incomplete': true,
      'error.type': 'APIError',
    });
  });

  test('an end before its start is set to it, and marked', async () => {
    const span = await only([
      ['tool_start', 5, ids(1)],
      ['tool_end', 3, ids(1)],
    ]);
    expect([span.start, span.end]).toEqual(['5', '5']);
    expect(span.attributes['pyagent.clock_skew']).toBe(true);
  });

  test('a message and a stack of any length are cut', async () => {
    const long = 'x'.repeat(20_000);
    const span = await only([
      ['llm_call', 1, ids(1)],
      ['error', 2, { ...ids(1), message: long, stack: long }],
    ]);
    const cut = `${'x'.repeat(16_384)}[Truncated: 3616 more characters]`;
    expect(span.status.message).toBe(cut);
    expect(span.events[0]?.[2]).toMatchObject({
      'exception.message': cut,
      'exception.stacktrace': cut,
    });
  });
});

describe('an attribute', () => {
  test('of any kind has an end, and is whole JSON or a whole list', async () => {
    const long = 'é'.repeat(1_000_000);
    const lists = { stop: [long], tags: Array.from({ length: 5_000 }, () => 'tag!') };
    const span = await only(
      [
        ['llm_call', 1, { ...ids(1), ...lists, model: long, metadata: { long, list: [long] } }],
        ['chunk', 2, { ...ids(1), text: long, list: [long] }],
        ['llm_response', 3, ids(1)],
      ],
      { captureContent: true, maxContentChars: 10_000_000 },
    );
    const texts = [span, ...span.events.map(([, , attributes]) => ({ attributes }))].flatMap(
      ({ attributes }) => Object.values(attributes).filter((value) => typeof value === 'string'),
    );
    expect(texts.length).toBeGreaterThan(6);
    expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThan(256 * 1024);
    expect(span.name.length).toBeLessThan(20_000);
    expect(
      texts.filter((text) => /^[[{]/.test(text)).map((text) => typeof JSON.parse(text)),
    ).toEqual(['object', 'object', 'object', 'object']);
  });

  test('that is short by its nature has an end too, as have names and keys', async () => {
    const long = 'x'.repeat(50_000);
    const span = await only([
      [
        'llm_call',
        1,
        {
          ...ids(1),
          trace_id: long,
          provider: long,
          operation: long,
          metadata: { [long]: 1 },
        },
      ],
      [long, 2, { ...ids(1), trace_id: long, [long]: 1 }],
      ['error', 3, { ...ids(1), trace_id: long, error_type: long }],
    ]);
    const all = [span, ...span.events.map(([name, , attributes]) => ({ name, attributes }))];
    const texts = all.flatMap(({ name, attributes }) =>
      Object.entries(attributes).flat().concat(name),
    );
    expect(texts.length).toBeGreaterThan(20);
    expect(Math.max(...texts.map((text) => String(text).length))).toBeLessThan(17_000);
  });

  test('is no integer that OTLP has no room for', async () => {
    const span = await only([
      [
        'llm_call',
        1,
        {
          ...ids(1),
          response: 'x',
          input_tokens: 1e21,
          output_tokens: Number.MAX_SAFE_INTEGER,
          cost_usd: 2 ** 63,
          metadata: { count: 2 ** 63, ratio: 1e-300, list: [1, 2 ** 63] },
        },
      ],
    ]);
    expect(own(span)).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'unknown',
      'gen_ai.usage.output_tokens': Number.MAX_SAFE_INTEGER,
      'pyagent.cost.output_tokens': Number.MAX_SAFE_INTEGER,
      'pyagent.metadata.count': '9223372036854776000',
      'pyagent.metadata.ratio': 1e-300,
      'pyagent.metadata.list': '[1,9223372036854776000]',
    });
  });

  test('has no half of a surrogate pair, which a backend may refuse all spans for', async () => {
    const span = await only([
      [
        'llm_call',
        1,
        { ...ids(1), model: 'a\ud83d', metadata: { half: '\ude00', list: ['\ud83d'] } },
      ],
      ['llm_response', 2, ids(1)],
    ]);
    const texts = [span.name, ...Object.entries(span.attributes).flat(2)].map(String);
    expect(texts.filter((text) => !text.isWellFormed())).toEqual([]);
    expect(span.attributes['pyagent.metadata.half']).toBe('\ufffd');
  });

  test('that may be a text of the model is there with content alone', async () => {
    const drafts: Draft[] = [
      ['pattern_start', 1, ids(1), bull],
      ['agent_start', 2, ids(2, 1), bull],
      ['agent_end', 3, { ...ids(2, 1), contribution: 'an answer' }, bull],
      ['pattern_end', 4, { ...ids(1), consensus: 'a verdict' }, bull],
    ];
    const texts = async (captureContent: boolean): Promise<unknown[]> => {
      const [pattern, agent] = await exported(drafts, { captureContent });
      return [
        pattern?.attributes['pyagent.pattern.consensus'],
        agent?.attributes['pyagent.agent.contribution'],
      ];
    };
    expect(await texts(false)).toEqual([undefined, undefined]);
    expect(await texts(true)).toEqual(['a verdict', 'an answer']);
  });
});
