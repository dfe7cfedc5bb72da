import { describe, expect, expectTypeOf, test } from 'vitest';
import { TraceEventBus } from './bus.ts';
import { encodeTraceEvent } from './encode.ts';
import { TraceError } from './errors.ts';
import type { TraceEvent, TracePayload } from './event.ts';
import { type Span, SpanAssembler } from './spans.ts';
import { createTracer, type Tracer, type TracerOptions } from './tracer.ts';

interface Setup {
  readonly tracer: Tracer;
  readonly events: readonly TraceEvent[];
  /** Event type and agent of each event so far. */
  readonly outline: () => string[];
  /** Payloads of one event type, without ids and durations, which differ from run to run. */
  readonly payloads: (event_type: string) => TracePayload[];
}

const VARYING = new Set(['trace_id', 'span_id', 'parent_span_id', 'duration_ms', 'stack']);

function setUp(options?: TracerOptions): Setup {
  const bus = new TraceEventBus();
  const events: TraceEvent[] = [];
  bus.subscribe((event) => events.push(event));
  return {
    tracer: createTracer(bus, options),
    events,
    outline: () => events.map((event) => `${event.event_type} ${event.agent_name}`.trim()),
    payloads: (event_type) =>
      events
        .filter((event) => event.event_type === event_type)
        .map(({ payload }) =>
          Object.fromEntries(Object.entries(payload).filter(([key]) => !VARYING.has(key))),
        ),
  };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('createTracer', () => {
  test('traces a pattern of an agent that calls a model, with the ids of a tree', async () => {
    const { tracer, events } = setUp();

    const verdict = await tracer.pattern('debate', { input: 'AAPL?' }, async (pattern) => {
      const answer = await tracer.agent('bull', { role: 'optimist' }, () =>
        tracer.llmCall({ provider: 'openai', model: 'gpt-4o', messages_in: [] }, async (call) => {
          call.respond({ response: 'Buy.', input_tokens: 12, output_tokens: 2 });
          return { text: 'Buy.' };
        }),
      );
      pattern.set({ rounds: 1 });
      return answer.text;
    });

    expect(verdict).toBe('Buy.');
    const [start] = events;
    const trace_id = start?.payload['trace_id'];
    const ids = ['pattern_start', 'agent_start', 'llm_call'].map(
      (type) => events.find(({ event_type }) => event_type === type)?.payload['span_id'],
    );
    const [pattern, agent, call] = ids;
    expect(trace_id).toMatch(/^[\da-f]{32}$/);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{16}$/);
    expect(new Set(ids).size).toBe(3);
    const duration_ms = expect.any(Number);
    const inBull = { agent_name: 'bull', pattern_type: 'debate', timestamp: expect.any(Number) };
    const inDebate = { ...inBull, agent_name: '' };
    const callIds = { trace_id, span_id: call, parent_span_id: agent };
    const agentIds = { trace_id, span_id: agent, parent_span_id: pattern };
    const patternIds = { trace_id, span_id: pattern };
    expect(events).toEqual([
      { ...inDebate, event_type: 'pattern_start', payload: { ...patternIds, input: 'AAPL?' } },
      { ...inBull, event_type: 'agent_start', payload: { ...agentIds, role: 'optimist' } },
      {
        ...inBull,
        event_type: 'llm_call',
        payload: { ...callIds, provider: 'openai', model: 'gpt-4o', messages_in: [] },
      },
      {
        ...inBull,
        event_type: 'llm_response',
        payload: {
          ...callIds,
          response: 'Buy.',
          input_tokens: 12,
          output_tokens: 2,
          result: { text: 'Buy.' },
          duration_ms,
          status: 'ok',
        },
      },
      {
        ...inBull,
        event_type: 'agent_end',
        payload: { ...agentIds, output: { text: 'Buy.' }, duration_ms, status: 'ok' },
      },
      {
        ...inDebate,
        event_type: 'pattern_end',
        payload: { ...patternIds, rounds: 1, output: 'Buy.', duration_ms, status: 'ok' },
      },
    ]);
  });

  test('emits frozen events that a bus takes without checking them again', () => {
    const { tracer, events } = setUp();
    tracer.agent('bull', () => undefined);
    expect(events.every((event) => Object.isFrozen(event))).toBe(true);
  });

  test('traces synchronous functions and gives their value back', () => {
    const { tracer, outline } = setUp();
    const value = {};
    expect(tracer.agent('bull', () => value)).toBe(value);
    expect(outline()).toEqual(['agent_start bull', 'agent_end bull']);
  });

  test('keeps ids and names of its own when a payload has keys of the same name', () => {
    const { tracer, events } = setUp();
    tracer.pattern('debate', { trace_id: 'mine', span_id: 'mine' }, (pattern) =>
      pattern.set({ span_id: 'mine' }),
    );
    for (const { payload } of events) {
      expect(payload['trace_id']).toMatch(/^[\da-f]{32}$/);
      expect(payload['span_id']).toMatch(/^[\da-f]{16}$/);
    }
  });

  test('gives a nested pattern the trace of the one around it, and no agent', () => {
    const { tracer, events } = setUp();
    tracer.pattern('outer', () =>
      tracer.agent('lead', () =>
        tracer.pattern('inner', () => tracer.llmCall({ model: 'm' }, () => 'x')),
      ),
    );
    const [outer, lead, inner, call] = events;
    expect(new Set(events.map(({ payload }) => payload['trace_id'])).size).toBe(1);
    expect(lead?.payload['parent_span_id']).toBe(outer?.payload['span_id']);
    expect(inner).toMatchObject({
      agent_name: '',
      pattern_type: 'inner',
      payload: { parent_span_id: lead?.payload['span_id'] },
    });
    expect(call).toMatchObject({ agent_name: '', pattern_type: 'inner' });
  });

  test('starts a trace for an operation outside of patterns', () => {
    const { tracer, events } = setUp();
    tracer.llmCall({ model: 'm' }, () => 'x');
    tracer.llmCall({ model: 'm' }, () => 'x');
    expect(new Set(events.map(({ payload }) => payload['trace_id'])).size).toBe(2);
    expect(events.every(({ payload }) => !('parent_span_id' in payload))).toBe(true);
  });

  test.each(['output', 'result_output'])('prefers the %s that was set', (key) => {
    const { tracer, payloads } = setUp();
    tracer.pattern('p', (pattern) => {
      pattern.set({ [key]: 'said' });
      return 'returned';
    });
    expect(payloads('pattern_end')).toEqual([{ [key]: 'said', status: 'ok' }]);
  });

  test('has timestamps of start and end that differ by the duration', async () => {
    const { tracer, events } = setUp();
    await tracer.agent('bull', tick);
    const [start, end] = events as [TraceEvent, TraceEvent];
    const duration_ms = Number(end.payload['duration_ms']);
    expect(end.timestamp - start.timestamp).toBeCloseTo(duration_ms / 1000, 5);
  });

  test('takes options that are undefined, as an app has them that reads headers', () => {
    const { tracer, events } = setUp({
      interceptors: [({ session_id }, next) => [session_id, next()]],
    });
    const nobody: string | undefined = undefined;
    const given = tracer.pattern('p', { session_id: 'chat-7', user_id: nobody }, () =>
      tracer.agent('bull', { role: nobody }, () =>
        tracer.tool('look_up', {}, { tool_call_id: nobody, session_id: nobody }, () => 1),
      ),
    );
    expect(given).toEqual(['chat-7', 1]);
    for (const event of events)
      expect(encodeTraceEvent(event)).not.toMatch(/user_id|role|tool_call_id|null/);
  });

  test('works detached', () => {
    const { tracer, outline } = setUp();
    const { agent } = tracer;
    agent('bull', () => undefined);
    expect(outline()).toEqual(['agent_start bull', 'agent_end bull']);
  });

  test('infers what the callback returns', () => {
    const { tracer } = setUp();
    expectTypeOf(tracer.agent('a', () => 1)).toEqualTypeOf<number>();
    expectTypeOf(tracer.tool('t', {}, async () => 'x')).toEqualTypeOf<Promise<string>>();
    // @ts-expect-error a span cannot be made without a function
    expect(() => tracer.agent('a')).toThrow(TypeError);
  });

  test.each([
    ['a bus without emit', () => createTracer({} as never), 'createTracer: expected a bus'],
    [
      'an option that does not exist',
      () => setUp({ captureContents: false } as never),
      'createTracer: unknown option "captureContents"',
    ],
    [
      'a word for a boolean',
      () => setUp({ captureContent: 'false' as never }),
      'createTracer: captureContent: expected true or false, got a string',
    ],
    [
      'interceptors that are no list',
      () => setUp({ interceptors: {} as never }),
      'createTracer: interceptors: expected an array of functions, got an object',
    ],
    [
      'an interceptor that is no function',
      () => setUp({ interceptors: ['log'] as never }),
      'createTracer: interceptors[0]: expected a function, got a string',
    ],
  ])('refuses %s at once', (_, create, message) => {
    expect(create).toThrow(message);
    expect(create).toThrow(TraceError);
  });

  test('never lets a sink that throws reach the app', () => {
    const tracer = createTracer({
      emit() {
        throw new Error('sink');
      },
    });
    expect(tracer.agent('bull', () => 7)).toBe(7);
  });

  test('survives payloads whose getters throw', () => {
    const { tracer, payloads } = setUp();
    const hostile = {
      get input(): never {
        throw new Error('getter');
      },
    };
    expect(tracer.agent('bull', hostile, (agent) => (agent.set(hostile), 7))).toBe(7);
    expect(payloads('agent_start')).toEqual([{ input: '[Getter threw]' }]);
  });

  test('survives requests and tool options whose getters throw', () => {
    const { tracer } = setUp();
    const hostile = {
      get model(): never {
        throw new Error('getter');
      },
    };
    expect(tracer.llmCall(hostile, () => 7)).toBe(7);
    expect(tracer.tool('t', {}, hostile, () => 7)).toBe(7);
  });

  test('keeps what was set as it was then', () => {
    const { tracer, payloads } = setUp();
    const log = ['first'];
    tracer.agent('a', (agent) => {
      agent.set({ log });
      log.push('second');
    });
    expect(payloads('agent_end')).toEqual([{ log: ['first'], status: 'ok' }]);
  });

  test('survives a payload that is a revoked proxy', () => {
    const { tracer, payloads } = setUp();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(tracer.agent('bull', (agent) => (agent.set(proxy), 7))).toBe(7);
    expect(payloads('agent_end')).toEqual([
      { payload: '[Unserializable]', output: 7, status: 'ok' },
    ]);
  });

  test('keeps payload keys such as __proto__ as data', () => {
    const { tracer, events } = setUp();
    tracer.agent('bull', JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}'), () => 0);
    const [start] = events;
    expect(Object.keys(start?.payload ?? {})).toEqual([
      'trace_id',
      'span_id',
      '__proto__',
      'constructor',
    ]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('Tracer.llmCall', () => {
  test('takes a returned string as the response, and does not write it twice', async () => {
    const { tracer, payloads } = setUp();
    await tracer.llmCall({ model: 'm' }, async () => 'Buy.');
    expect(payloads('llm_response')).toEqual([{ response: 'Buy.', status: 'ok' }]);
  });

  test('says that nothing was returned where there is a response', async () => {
    const { tracer, payloads } = setUp();
    await tracer.llmCall({ model: 'm' }, async (call) => call.respond({ response: 'Buy.' }));
    expect(payloads('llm_response')).toEqual([{ response: 'Buy.', result: null, status: 'ok' }]);
  });

  test('keeps an answer that is no text as the result alone', async () => {
    const { tracer, payloads } = setUp();
    await tracer.llmCall({ model: 'm' }, async () => ({ choices: [] }));
    expect(payloads('llm_response')).toEqual([{ result: { choices: [] }, status: 'ok' }]);
  });

  test('has no result where the function threw after it had responded', async () => {
    const { tracer, payloads } = setUp();
    const run = tracer.llmCall({ model: 'm' }, async (call) => {
      call.respond({ response: 'half' });
      throw new Error('parser');
    });
    await expect(run).rejects.toThrow('parser');
    expect(payloads('llm_response')).toEqual([{ response: 'half', status: 'error' }]);
  });

  test('merges what several respond calls say, until the call has ended', async () => {
    const { tracer, payloads } = setUp();
    let late: ((payload: object) => void) | undefined;
    await tracer.llmCall({ model: 'm' }, async ({ respond }) => {
      respond({ response: 'draft', input_tokens: 1 });
      respond({ response: 'final' });
      late = respond;
      return 'final';
    });
    late?.({ response: 'too late' });
    expect(payloads('llm_response')).toEqual([
      { response: 'final', input_tokens: 1, status: 'ok' },
    ]);
  });

  test('takes an answer of an interface type', () => {
    interface Answer {
      readonly response: string;
    }
    const answer: Answer = { response: 'Buy.' };
    const { tracer, payloads } = setUp();
    tracer.llmCall({ model: 'm' }, (call) => {
      call.respond(answer);
      return answer.response;
    });
    expect(payloads('llm_response')).toEqual([{ response: 'Buy.', status: 'ok' }]);
  });

  test('hands the signal to the function and keeps it out of the event', () => {
    const { tracer, payloads } = setUp();
    const { signal } = new AbortController();
    tracer.llmCall({ model: 'm', signal }, (call) => expect(call.signal).toBe(signal));
    expect(payloads('llm_call')).toEqual([{ model: 'm' }]);
  });

  test('keeps content out of every event when told to', async () => {
    const { tracer, payloads, events } = setUp({ captureContent: false });
    await tracer.pattern('p', { input: 'SECRET', metadata: { run: 1 } }, async () =>
      tracer.agent('a', async () => {
        await tracer.tool('t', { q: 'SECRET' }, async () => 'SECRET');
        tracer.routing({ difficulty: 2 }, () => 'SECRET');
        await readAll(tracer.llmCall({ model: 'm' }, streamOf('SECRET')));
        return tracer.llmCall({ model: 'm', messages_in: ['SECRET'], system: 'SECRET' }, (call) => {
          call.respond({ response: 'SECRET', input_tokens: 3 });
          return 'SECRET';
        });
      }),
    );
    tracer.llmCall({ model: 'm', messages: ['SECRET'], contents: 'SECRET', top_p: 0.5 }, (call) =>
      call.respond({ choices: ['SECRET'], text: 'SECRET', reasoning: 'SECRET', cached: true }),
    );
    expect(JSON.stringify(events)).not.toContain('SECRET');
    expect(payloads('pattern_start')).toEqual([{ metadata: { run: 1 } }]);
    expect(payloads('llm_call').at(-1)).toEqual({ model: 'm', top_p: 0.5 });
    expect(payloads('llm_response').slice(-2)).toEqual([
      { input_tokens: 3, result_captured: false, status: 'ok' },
      { cached: true, result_captured: false, status: 'ok' },
    ]);
  });

  test('keeps results out when told to, says so, and keeps the response in', async () => {
    const { tracer, payloads } = setUp({ captureResults: false });
    await tracer.llmCall({ model: 'm' }, async (call) => {
      call.respond({ response: 'Buy.' });
      return { choices: [] };
    });
    await tracer.tool('t', {}, async () => 1);
    tracer.routing({ difficulty: 1 }, () => 'm');
    expect(payloads('llm_response')).toEqual([
      { response: 'Buy.', result_captured: false, status: 'ok' },
    ]);
    expect(payloads('tool_end')).toEqual([
      { tool_name: 't', result_captured: false, status: 'ok' },
    ]);
    expect(payloads('routing_decision')).toEqual([{ difficulty: 1, result_captured: false }]);
  });
});

describe('Tracer.tool', () => {
  test('emits name, call id, arguments and result', async () => {
    const { tracer, payloads } = setUp();
    const result = await tracer.tool('search', { q: 'x' }, { tool_call_id: 'c1' }, async (tool) => {
      tool.set({ hits: 2 });
      return ['a', 'b'];
    });
    expect(result).toEqual(['a', 'b']);
    expect(payloads('tool_start')).toEqual([
      { tool_name: 'search', tool_call_id: 'c1', arguments: { q: 'x' } },
    ]);
    expect(payloads('tool_end')).toEqual([
      { tool_name: 'search', tool_call_id: 'c1', hits: 2, result: ['a', 'b'], status: 'ok' },
    ]);
  });
});

describe('Tracer.routing and Tracer.compression', () => {
  test('annotate the operation around them', () => {
    const { tracer, events, payloads } = setUp();
    tracer.pattern('p', () => {
      tracer.routing({ difficulty: 3, selected_model: 'small' });
      tracer.compression({ input_tokens: 100, output_tokens: 40, savings_pct: 0.6 });
    });
    const [start, routing, compression] = events;
    expect(routing?.payload['span_id']).toBe(start?.payload['span_id']);
    expect(compression?.payload['span_id']).toBe(start?.payload['span_id']);
    expect(payloads('routing_decision')).toEqual([{ difficulty: 3, selected_model: 'small' }]);
    expect(payloads('compression')).toEqual([
      { input_tokens: 100, output_tokens: 40, savings_pct: 0.6 },
    ]);
  });

  test('a decision that is made inside is emitted with its result, once', async () => {
    const { tracer, payloads, outline } = setUp();
    const model = await tracer.routing({ difficulty: 8 }, async (routing) => {
      routing.set({ selected_model: 'large' });
      return 'large';
    });
    expect(model).toBe('large');
    expect(outline()).toEqual(['routing_decision']);
    expect(payloads('routing_decision')).toEqual([
      { difficulty: 8, selected_model: 'large', result: 'large' },
    ]);
  });

  test('a decision that throws is an error and no decision', () => {
    const { tracer, outline } = setUp();
    const failure = new Error('no model');
    const decide = (): unknown =>
      tracer.routing({}, () => {
        throw failure;
      });
    expect(decide).toThrow(failure);
    expect(outline()).toEqual(['error']);
  });
});

describe('Tracer and errors', () => {
  test('emits the error, ends with status error, and rethrows the very same error', async () => {
    const { tracer, payloads, outline } = setUp();
    const failure = Object.assign(new TypeError('boom'), { code: 'E_BOOM' });
    const run = tracer.agent('bull', () =>
      tracer.llmCall({ model: 'm' }, async () => {
        throw failure;
      }),
    );
    await expect(run).rejects.toBe(failure);
    expect(outline()).toEqual([
      'agent_start bull',
      'llm_call bull',
      'error bull',
      'llm_response bull',
      'agent_end bull',
    ]);
    expect(payloads('error')).toEqual([
      { message: 'boom', error_type: 'TypeError', code: 'E_BOOM', source: 'llm_call' },
    ]);
    expect(payloads('agent_end')).toEqual([{ status: 'error' }]);
  });

  test.each([['a string'], [undefined], [null], [42]])(
    'emits a thrown primitive (%o) once',
    async (thrown) => {
      const { tracer, outline } = setUp();
      const run = tracer.pattern('p', () =>
        tracer.agent('a', async () => {
          throw thrown;
        }),
      );
      await expect(run).rejects.toBe(thrown);
      expect(outline().filter((line) => line.startsWith('error'))).toEqual(['error a']);
    },
  );

  test('emits an error on each of two buses that operations inside each other use', () => {
    const outer = setUp();
    const inner = setUp();
    expect(() =>
      outer.tracer.agent('a', () =>
        inner.tracer.llmCall({}, () => {
          throw new Error('both');
        }),
      ),
    ).toThrow('both');
    expect(outer.payloads('error')).toMatchObject([{ message: 'both' }]);
    expect(inner.payloads('error')).toMatchObject([{ message: 'both' }]);
  });

  test('emits one error object again when it is thrown in another run', () => {
    const { tracer, payloads } = setUp();
    const shared = new Error('same object');
    for (let run = 0; run < 2; run++)
      expect(() =>
        tracer.agent('a', () => {
          throw shared;
        }),
      ).toThrow(shared);
    expect(payloads('error')).toHaveLength(2);
  });

  test('ends a retried call with error and the agent with ok', async () => {
    const { tracer, payloads } = setUp();
    await tracer.agent('a', async () => {
      await tracer
        .llmCall({ model: 'm' }, async () => Promise.reject(new Error('429')))
        .catch(() => undefined);
      return tracer.llmCall({ model: 'm' }, async () => 'ok');
    });
    expect(payloads('llm_response').map(({ status }) => status)).toEqual(['error', 'ok']);
    expect(payloads('agent_end')).toEqual([{ output: 'ok', status: 'ok' }]);
  });

  test('calls an abort cancelled, by its name and by the reason of the signal', async () => {
    const { tracer, payloads } = setUp();
    const controller = new AbortController();
    const reason = new Error('user left');
    controller.abort(reason);
    const byName = tracer.llmCall({}, async () => {
      throw new DOMException('stopped', 'AbortError');
    });
    const byReason = tracer.tool('t', {}, { signal: controller.signal }, async (tool) =>
      tool.signal?.throwIfAborted(),
    );
    await Promise.allSettled([byName, byReason]);
    expect(payloads('llm_response')).toEqual([{ status: 'cancelled' }]);
    expect(payloads('tool_end')).toEqual([{ tool_name: 't', status: 'cancelled' }]);
  });

  test('tracer.error emits what was caught, once', () => {
    const { tracer, payloads } = setUp();
    const failure = new Error('seen');
    expect(() =>
      tracer.agent('a', () => {
        tracer.error(failure, { source: 'parser' });
        throw failure;
      }),
    ).toThrow(failure);
    expect(payloads('error')).toEqual([{ message: 'seen', error_type: 'Error', source: 'parser' }]);
  });

  test('describes an error whose getters throw', () => {
    const { tracer, payloads } = setUp();
    const hostile = {
      get message(): never {
        throw new Error('getter');
      },
      get name(): never {
        throw new Error('getter');
      },
    };
    tracer.error(hostile);
    expect(payloads('error')).toEqual([
      { message: 'an error that cannot be printed', error_type: 'object' },
    ]);
  });
});

describe('Tracer and streams', () => {
  const at_ms: unknown = expect.any(Number);

  test('keeps a call open until its stream is read, with its text, chunks and first chunk', async () => {
    const { tracer, outline, payloads } = setUp();
    const stream = tracer.llmCall({ model: 'm', stream: true }, streamOf('Bu', 'y.'));
    expect(outline()).toEqual(['llm_call']);
    await readAll(stream);
    expect(payloads('llm_response')).toEqual([
      {
        response: 'Buy.',
        result: {
          stream: [
            { at_ms, chunk: 'Bu' },
            { at_ms, chunk: 'y.' },
          ],
        },
        time_to_first_chunk_ms: at_ms,
        status: 'ok',
      },
    ]);
  });

  test('keeps chunks that are no text as the result alone, and the response that was said', async () => {
    const { tracer, payloads } = setUp();
    const stream = tracer.llmCall({ model: 'm' }, async function* answer(call) {
      yield { delta: 'Bu' };
      yield { delta: 'y.' };
      call.respond({ response: 'Buy.', output_tokens: 2 });
    });
    await readAll(stream);
    expect(payloads('llm_response')).toEqual([
      {
        response: 'Buy.',
        output_tokens: 2,
        result: {
          stream: [
            { at_ms, chunk: { delta: 'Bu' } },
            { at_ms, chunk: { delta: 'y.' } },
          ],
        },
        time_to_first_chunk_ms: at_ms,
        status: 'ok',
      },
    ]);
  });

  test('keeps each chunk as it was, though a producer uses one object for all', async () => {
    const { tracer, payloads } = setUp();
    const snapshot = { text: '' };
    const stream = tracer.llmCall({ model: 'm' }, async function* answer() {
      for (const letter of 'ab') {
        snapshot.text += letter;
        yield snapshot;
      }
    });
    await readAll(stream);
    expect(payloads('llm_response')).toMatchObject([
      { result: { stream: [{ chunk: { text: 'a' } }, { chunk: { text: 'ab' } }] } },
    ]);
  });

  test('keeps no more chunks than an event can hold, and says how many are missing', async () => {
    const { tracer, payloads } = setUp();
    await readAll(
      tracer.llmCall({ model: 'm' }, async function* flood() {
        for (let i = 0; i < 50_002; i++) yield '.';
      }),
    );
    const [end] = payloads('llm_response') as [
      { result: { stream: unknown[]; truncated: number } },
    ];
    expect([end.result.stream.length, end.result.truncated]).toEqual([50_000, 2]);
  });

  test('tells a stream of nothing from no stream', async () => {
    const { tracer, payloads } = setUp();
    await readAll(tracer.llmCall({ model: 'm' }, streamOf()));
    expect(payloads('llm_response')).toEqual([
      { response: '', result: { stream: [] }, status: 'ok' },
    ]);
  });

  test('keeps what had come when a stream breaks off', async () => {
    const { tracer, payloads } = setUp();
    const failure = new Error('connection lost');
    const stream = tracer.llmCall({ model: 'm' }, async function* answer() {
      yield 'Bu';
      throw failure;
    });
    await expect(readAll(stream)).rejects.toBe(failure);
    expect(payloads('llm_response')).toEqual([
      {
        response: 'Bu',
        result: { stream: [{ at_ms, chunk: 'Bu' }] },
        time_to_first_chunk_ms: at_ms,
        status: 'error',
      },
    ]);
  });

  test('parents what an agent does while its stream is read', async () => {
    const { tracer, events } = setUp();
    const stream = tracer.agent('bull', async function* work() {
      yield tracer.llmCall({ model: 'm' }, () => 'x');
    });
    await readAll(stream);
    const [agent, call] = events;
    expect(call?.payload['parent_span_id']).toBe(agent?.payload['span_id']);
  });

  test.each<[string, (stream: AsyncGenerator<string>, abort: () => void) => Promise<unknown>]>([
    ['completes', readAll],
    ['is broken off', async (stream) => stream.next().then(() => stream.return(undefined))],
    ['is thrown into', async (stream) => stream.next().then(() => stream.throw(new Error('no')))],
    [
      'is aborted',
      async (stream, abort) => {
        await stream.next();
        abort();
        return stream.next();
      },
    ],
    [
      'is read on after its end',
      async (stream) => {
        await readAll(stream);
        return [await stream.next(), await stream.return(undefined)];
      },
    ],
  ])('ends a stream that %s exactly once', async (_, use) => {
    const { tracer, outline } = setUp();
    const controller = new AbortController();
    const { signal } = controller;
    const stream = tracer.llmCall({ model: 'm', signal }, async function* answer() {
      yield 'a';
      signal.throwIfAborted();
      yield 'b';
    });
    await use(stream, () => controller.abort()).catch(() => undefined);
    expect(outline().filter((line) => line === 'llm_response')).toHaveLength(1);
  });
});

describe('Tracer context', () => {
  test('5 patterns of 100 parallel agents of one name: 500 calls, 0 wrongly parented', async () => {
    const { tracer, events } = setUp();
    const spans: Span[] = [];
    const assembler = new SpanAssembler({ onEnd: (span) => spans.push(span) });
    let seed = 1;
    const pause = async (): Promise<void> => {
      seed = (seed * 16_807) % 2_147_483_647;
      for (let turns = seed % 5; turns >= 0; turns--) await tick();
    };
    const patterns = Array.from({ length: 5 }, async (_, p) =>
      tracer.pattern(`p${p}`, async () => {
        const agents = Array.from({ length: 100 }, async (__, a) =>
          tracer.agent('worker', { agent_id: `${p}/${a}` }, async () => {
            await pause();
            await tracer.llmCall({ model: 'm', asked_by: `${p}/${a}` }, async () => {
              await pause();
              return 'x';
            });
            await pause();
          }),
        );
        await Promise.all(agents);
      }),
    );
    await Promise.all(patterns);

    for (const event of events) assembler.add(event);
    assembler.shutdown();
    const byId = new Map(spans.map((span) => [span.span_id, span]));
    const calls = spans.filter(({ kind }) => kind === 'llm');
    const wrong = calls.filter((call) => {
      const agent = byId.get(call.parent_span_id ?? '');
      const pattern = byId.get(agent?.parent_span_id ?? '');
      const [p] = String(call.attributes['asked_by']).split('/');
      return (
        agent?.attributes['agent_id'] !== call.attributes['asked_by'] ||
        pattern?.name !== `p${p}` ||
        call.trace_id !== pattern?.trace_id
      );
    });
    expect({ spans: spans.length, calls: calls.length, wrong: wrong.length }).toEqual({
      spans: 5 + 500 + 500,
      calls: 500,
      wrong: 0,
    });
  });

  test('current() names the operation around the running code', () => {
    const { tracer, events } = setUp();
    expect(tracer.current()).toBeUndefined();
    tracer.pattern('p', () =>
      tracer.agent('a', () => {
        const { trace_id, span_id } = events.at(-1)?.payload ?? {};
        expect(tracer.current()).toEqual({
          trace_id,
          span_id,
          agent_name: 'a',
          pattern_type: 'p',
        });
      }),
    );
    expect(tracer.current()).toBeUndefined();
  });

  test('traceparent and withRemoteParent carry a trace to another process', () => {
    const here = setUp();
    const there = setUp();
    let header: string | undefined;
    here.tracer.agent('caller', () => {
      header = here.tracer.traceparent();
    });
    const { trace_id, span_id } = here.events[0]?.payload ?? {};
    expect(header).toBe(`00-${String(trace_id)}-${String(span_id)}-01`);

    there.tracer.withRemoteParent(header, () =>
      there.tracer.agent('callee', () => there.tracer.llmCall({}, () => 'x')),
    );
    const [agent, call] = there.events;
    expect(agent?.payload).toMatchObject({
      trace_id,
      parent_span_id: span_id,
      traceparent: header,
    });
    expect(call?.payload).not.toHaveProperty('traceparent');
    expect(call?.payload).toMatchObject({ trace_id, parent_span_id: agent?.payload['span_id'] });
  });

  test.each([
    [undefined],
    [null],
    [''],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01'],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01'],
  ])('ignores a header that is no traceparent: %o', (header) => {
    const { tracer, events } = setUp();
    expect(tracer.withRemoteParent(header, () => tracer.agent('a', () => 7))).toBe(7);
    expect(events[0]?.payload).not.toHaveProperty('parent_span_id');
  });

  test('has no header outside operations', () => {
    expect(setUp().tracer.traceparent()).toBeUndefined();
  });
});

describe('Tracer interceptors', () => {
  test('what one throws is a rejection where the app’s function is async, so that calls side by side are all observed', async () => {
    const refused = new Error('refused');
    let made = 0;
    const { tracer, payloads } = setUp({
      interceptors: [
        (_, next) => {
          made += 1;
          if (made === 2) throw refused;
          return next();
        },
      ],
    });
    const ask = (): Promise<string> => tracer.llmCall({ model: 'm' }, async () => 'Yes.');

    expect(await Promise.allSettled([1, 2, 3].map(ask))).toEqual([
      { status: 'fulfilled', value: 'Yes.' },
      { status: 'rejected', reason: refused },
      { status: 'fulfilled', value: 'Yes.' },
    ]);
    expect(() => {
      made = 1;
      tracer.llmCall({ model: 'm' }, () => 'Yes.');
    }).toThrow(refused);
    const statuses = payloads('llm_response').map(({ status }) => status);
    expect(statuses).toEqual(['ok', 'error', 'ok', 'error']);
  });

  test('what one gives is a promise where the app’s function is async, and itself where it is not', async () => {
    const { tracer } = setUp({ interceptors: [() => 'given'] });
    const promise = tracer.tool('t', {}, async () => 'made');

    expect(promise).toBeInstanceOf(Promise);
    expect(await promise).toBe('given');
    expect(tracer.tool('t', {}, () => 'made')).toBe('given');
  });

  test.for([
    ['a stream', () => streamOf('a', 'b')()],
    ['the promise of a stream', async () => streamOf('a', 'b')()],
    ['a web stream', () => ReadableStream.from(['a', 'b'])],
  ] as const)(
    'what one gives is a generator where the app’s function makes one: %s',
    async ([, interceptor]) => {
      const { tracer, payloads } = setUp({ interceptors: [interceptor] });
      const generator = tracer.llmCall({ model: 'm' }, streamOf('made'));

      expect([await generator.next(), await generator.next(), await generator.next()]).toEqual([
        { done: false, value: 'a' },
        { done: false, value: 'b' },
        { done: true, value: undefined },
      ]);
      expect(payloads('llm_response')).toMatchObject([{ response: 'ab', status: 'ok' }]);
    },
  );

  test.for([
    [
      'throws',
      () => {
        throw new Error('refused');
      },
    ],
    [
      'rejects with',
      async () => {
        throw new Error('refused');
      },
    ],
  ] as const)(
    'what one %s shows at the first pull where the app’s function makes a generator',
    async ([, interceptor]) => {
      const { tracer, payloads } = setUp({ interceptors: [interceptor] });
      tracer.llmCall({ model: 'm' }, streamOf('made')); // never pulled: no unhandled rejection either
      const generator = tracer.llmCall({ model: 'm' }, streamOf('made'));

      expect(payloads('llm_response')).toEqual([]);
      await expect(generator.next()).rejects.toThrow('refused');
      expect(payloads('llm_response')).toMatchObject([{ status: 'error' }]);
    },
  );

  test('wrap model calls, tools and routing decisions, the first one outermost', async () => {
    const seen: string[] = [];
    const { tracer } = setUp({
      interceptors: [
        async (operation, next) => {
          seen.push(`outer ${operation.kind} ${operation.agent_name}`);
          const result = await next();
          seen.push('outer done');
          return result;
        },
        (_, next) => {
          seen.push('inner');
          return next();
        },
      ],
    });
    await tracer.agent('a', async () => {
      expect(await tracer.llmCall({ model: 'm' }, async () => 'one')).toBe('one');
      expect(await tracer.tool('t', {}, async () => 'two')).toBe('two');
      expect(await tracer.routing({}, async () => 'three')).toBe('three');
    });
    expect(seen).toEqual(
      ['llm_call', 'tool', 'routing_decision'].flatMap((kind) => [
        `outer ${kind} a`,
        'inner',
        'outer done',
      ]),
    );
  });

  test('are told what is asked, content included, even when events keep it out', () => {
    const { tracer } = setUp({
      captureContent: false,
      interceptors: [
        (operation, next) => {
          expect(operation.payload).toEqual(
            operation.kind === 'tool'
              ? { tool_name: 't', arguments: { q: 1 } }
              : { model: 'm', messages_in: ['hi'] },
          );
          expect(operation.span_id).toMatch(/^[\da-f]{16}$/);
          return next();
        },
      ],
    });
    tracer.llmCall({ model: 'm', messages_in: ['hi'] }, () => 'x');
    tracer.tool('t', { q: 1 }, () => 'x');
    expect.assertions(4);
  });

  test('may answer without the app being asked', async () => {
    const { tracer, payloads } = setUp({
      interceptors: [
        async (operation) => {
          operation.set({ response: 'recorded', input_tokens: 5 });
          return 'recorded';
        },
      ],
    });
    const answer = await tracer.llmCall({ model: 'm' }, async (): Promise<string> => {
      throw new Error('the app was asked');
    });
    expect(answer).toBe('recorded');
    expect(payloads('llm_response')).toEqual([
      { response: 'recorded', input_tokens: 5, status: 'ok' },
    ]);
  });

  test('reach the app with what they throw, unchanged', () => {
    const refused = new TraceError('invalid_option', 'over budget');
    const { tracer, outline } = setUp({
      interceptors: [
        () => {
          throw refused;
        },
      ],
    });
    expect(() => tracer.llmCall({ model: 'm' }, () => 'x')).toThrow(refused);
    expect(outline()).toEqual(['llm_call', 'error', 'llm_response']);
  });

  test('may give the function another signal', () => {
    const { signal } = new AbortController();
    const { tracer } = setUp({
      interceptors: [
        (operation, next) => {
          operation.signal = signal;
          return next();
        },
      ],
    });
    tracer.llmCall({ model: 'm' }, (call) => expect(call.signal).toBe(signal));
    expect.assertions(1);
  });
});

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

function streamOf<T>(...chunks: T[]): () => AsyncGenerator<T> {
  return async function* stream() {
    yield* chunks;
  };
}
