import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { TraceEventBus } from '../bus.ts';
import type { TraceEvent, TracePayload } from '../event.ts';
import { createTracer, type Interceptor, type Tracer } from '../tracer.ts';

interface Setup {
  readonly tracer: Tracer;
  /** In the order in which they came: event types, and `ended` for each call of the listener. */
  readonly order: string[];
  /** What the listener was called with. */
  readonly ends: { readonly end: TracePayload; readonly error: unknown }[];
  readonly events: TraceEvent[];
}

/** A tracer with one interceptor that listens, and those of the test inside it. */
function setUp(...inner: Interceptor[]): Setup {
  const order: string[] = [];
  const ends: Setup['ends'] = [];
  const events: TraceEvent[] = [];
  const bus = new TraceEventBus();
  bus.subscribe((event) => {
    order.push(event.event_type);
    events.push(event);
  });
  const listening: Interceptor = (operation, next) => {
    operation.onEnd((end, error) => {
      order.push('ended');
      ends.push({ end, error });
    });
    return next();
  };
  return {
    tracer: createTracer(bus, { interceptors: [listening, ...inner] }),
    order,
    ends,
    events,
  };
}

const failure = new Error('overloaded');
const duration_ms = expect.any(Number);

async function* twoPieces(): AsyncGenerator<string> {
  yield 'Bu';
  yield 'y.';
}

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

async function readOne(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) break;
}

/** The session of each operation, as an interceptor sees it. */
function sessionsOf(run: (tracer: Tracer) => void): string[] {
  const seen: string[] = [];
  const interceptors: Interceptor[] = [
    ({ session_id }, next) => {
      seen.push(session_id);
      return next();
    },
  ];
  run(createTracer(new TraceEventBus(), { interceptors }));
  return seen;
}

describe('InterceptedOperation.onEnd', () => {
  test('tells what a call answered, after the end event went out, and before the app goes on', async () => {
    const { tracer, order, ends, events } = setUp();

    await tracer.llmCall({ model: 'm' }, async (call) => {
      call.respond({ response: 'Buy.', input_tokens: 12, output_tokens: 2 });
    });
    order.push('app');

    expect(order).toEqual(['llm_call', 'llm_response', 'ended', 'app']);
    expect(ends).toEqual([
      {
        end: {
          response: 'Buy.',
          input_tokens: 12,
          output_tokens: 2,
          result: null,
          duration_ms,
          status: 'ok',
        },
        error: undefined,
      },
    ]);
    expect(events.at(-1)?.payload).toMatchObject(ends[0]?.end ?? {});
  });

  test('tells content too, when events keep it out', () => {
    const told: TracePayload[] = [];
    const tracer = createTracer(new TraceEventBus(), {
      captureContent: false,
      interceptors: [
        (operation, next) => {
          operation.onEnd((end) => told.push(end));
          return next();
        },
      ],
    });
    tracer.llmCall({ model: 'm' }, () => 'Buy.');
    expect(told).toEqual([{ response: 'Buy.', result_captured: false, duration_ms, status: 'ok' }]);
  });

  const stopped = new AbortController();
  const reason = new Error('enough');
  stopped.abort(reason);

  test.for<{ how: string; run: (tracer: Tracer) => unknown; status: string; error?: unknown }>([
    {
      how: 'a synchronous success',
      run: ({ llmCall }) => llmCall({}, () => 'x'),
      status: 'ok',
    },
    {
      how: 'a synchronous throw',
      run: ({ llmCall }) =>
        llmCall({}, () => {
          throw failure;
        }),
      status: 'error',
      error: failure,
    },
    {
      how: 'a rejection',
      run: ({ llmCall }) => llmCall({}, () => Promise.reject(failure)),
      status: 'error',
      error: failure,
    },
    {
      how: 'an abort',
      run: ({ llmCall }) =>
        llmCall({ signal: stopped.signal }, async (call) => call.signal?.throwIfAborted()),
      status: 'cancelled',
      error: reason,
    },
    {
      how: 'a stream that is read to its end',
      run: ({ llmCall }) => readAll(llmCall({}, twoPieces)),
      status: 'ok',
    },
    {
      how: 'a stream that the app leaves',
      run: ({ llmCall }) => readOne(llmCall({}, twoPieces)),
      status: 'cancelled',
    },
    {
      how: 'a stream that fails',
      run: ({ llmCall }) =>
        readAll(
          llmCall({}, async function* broken() {
            yield 'Bu';
            throw failure;
          }),
        ),
      status: 'error',
      error: failure,
    },
    { how: 'a tool', run: ({ tool }) => tool('t', {}, () => 1), status: 'ok' },
  ])('tells once of $how', async ({ run, status, error }) => {
    const { tracer, order, ends } = setUp();

    const thrown = await (async () => run(tracer))().then(
      () => undefined,
      (problem: unknown) => problem,
    );

    expect(thrown).toBe(error);
    expect(ends).toEqual([{ end: expect.objectContaining({ status, duration_ms }), error }]);
    expect(order.at(-1)).toBe('ended');
  });

  test('tells of a stream that nobody read once it is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const { tracer, ends } = setUp();

    (() => void tracer.llmCall({}, twoPieces))();

    expect(ends).toEqual([]);
    await vi.waitUntil(
      () => {
        collectGarbage();
        return ends.length > 0;
      },
      { timeout: 20_000 },
    );
    expect(ends).toEqual([{ end: { duration_ms, status: 'cancelled' }, error: undefined }]);
  });

  test('tells of an answer that another interceptor gave, and of one that it refused', async () => {
    const replayed = setUp((operation) => {
      operation.set({ input_tokens: 5 });
      return Promise.resolve('recorded');
    });
    const refused = setUp(() => {
      throw failure;
    });

    await replayed.tracer.llmCall({}, async (): Promise<string> => 'asked');
    expect(() => refused.tracer.llmCall({}, () => 'asked')).toThrow(failure);

    expect([...replayed.ends, ...refused.ends]).toEqual([
      {
        end: { input_tokens: 5, response: 'recorded', duration_ms, status: 'ok' },
        error: undefined,
      },
      { end: { duration_ms, status: 'error' }, error: failure },
    ]);
  });

  test('tells of a routing decision, also of one that failed and has no event', () => {
    const { tracer, order, ends } = setUp();

    tracer.routing({ difficulty: 2 }, () => 'small');
    expect(() =>
      tracer.routing({ difficulty: 9 }, () => {
        throw failure;
      }),
    ).toThrow(failure);

    expect(order).toEqual(['routing_decision', 'ended', 'error', 'ended']);
    expect(ends).toEqual([
      { end: { difficulty: 2, result: 'small' }, error: undefined },
      { end: { difficulty: 9 }, error: failure },
    ]);
  });

  test('tells a listener that comes late at once', () => {
    let listenLate: (() => void) | undefined;
    const seen: unknown[] = [];
    const { tracer } = setUp((operation, next) => {
      listenLate = () => operation.onEnd((end, error) => seen.push(end['status'], error));
      return next();
    });
    expect(() =>
      tracer.llmCall({}, () => {
        throw failure;
      }),
    ).toThrow(failure);

    listenLate?.();

    expect(seen).toEqual(['error', failure]);
  });

  test.for<{ how: string; listener: () => unknown }>([
    {
      how: 'throws',
      listener: () => {
        throw failure;
      },
    },
    { how: 'rejects', listener: () => Promise.reject(failure) },
  ])('a listener that $how becomes an error event, and stops no other', async ({ listener }) => {
    const seen: string[] = [];
    const { tracer, events, order } = setUp((operation, next) => {
      operation.onEnd(listener);
      operation.onEnd(() => seen.push('next'));
      return next();
    });

    expect(await tracer.llmCall({}, async () => 'x')).toBe('x');
    await new Promise(setImmediate);

    expect(seen).toEqual(['next']);
    expect(order).toEqual(['llm_call', 'llm_response', 'ended', 'error']);
    const [call, , error] = events;
    expect(error?.payload).toMatchObject({
      span_id: call?.payload['span_id'],
      message: 'overloaded',
      source: 'interceptor',
    });
  });
});

describe('InterceptedOperation.session_id', () => {
  test('is the one of the nearest operation that has one', () => {
    const seen = sessionsOf((tracer) => {
      tracer.llmCall({}, () => 1);
      tracer.llmCall({ session_id: 'own' }, () => 1);
      tracer.pattern('p', { session_id: 'root' }, () =>
        tracer.agent('a', () => {
          tracer.llmCall({}, () => 1);
          tracer.tool('t', {}, () => 1);
          tracer.routing({}, () => 1);
          tracer.pattern('inner', { session_id: 'inner' }, () => tracer.llmCall({}, () => 1));
          tracer.tool('t', {}, { session_id: 'of the tool' }, () => 1);
        }),
      );
    });
    expect(seen).toEqual(['', 'own', 'root', 'root', 'root', 'inner', 'of the tool']);
  });

  test('is none where it is no string, or throws when it is read', () => {
    const seen = sessionsOf((tracer) => {
      tracer.pattern('p', { session_id: 7 as never }, () => tracer.llmCall({}, () => 1));
      const hostile = {
        get session_id(): never {
          throw new Error('getter');
        },
      };
      tracer.agent('a', hostile, () => tracer.llmCall({}, () => 1));
    });
    expect(seen).toEqual(['', '']);
  });
});

describe('InterceptedOperation.parent_span_ids', () => {
  test('names the operations around it, the nearest first', () => {
    const names = new Map<string, string>();
    const bus = new TraceEventBus();
    bus.subscribe(({ event_type, payload }) => {
      if (event_type.endsWith('_start')) names.set(String(payload['span_id']), event_type);
    });
    const seen: unknown[] = [];
    const tracer = createTracer(bus, {
      interceptors: [
        ({ kind, parent_span_ids }, next) => {
          seen.push([kind, ...parent_span_ids.map((id) => names.get(id))]);
          return next();
        },
      ],
    });
    tracer.pattern('p', () =>
      tracer.tool('outer', {}, () => tracer.agent('a', () => tracer.llmCall({}, () => 1))),
    );
    tracer.llmCall({}, () => 1);

    expect(seen).toEqual([
      ['tool', 'pattern_start'],
      ['llm_call', 'agent_start', 'tool_start', 'pattern_start'],
      ['llm_call'],
    ]);
  });
});
