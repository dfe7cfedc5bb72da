import {
  context,
  diag,
  type DiagLogger,
  DiagLogLevel,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { TraceError } from '@pyagent-trace/core';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { recordSpans, registerContextManager, type SeenSpan } from '../testing/helper-spans.ts';
import { PatternSpanEmitter } from './pattern-span-emitter.ts';

const DURATION = { 'pyagent.exec.duration_ms': expect.any(Number) };
const OK = { code: SpanStatusCode.OK };
const UNSET = { code: SpanStatusCode.UNSET };

function setUp(): { emitter: PatternSpanEmitter; spans: () => readonly SeenSpan[] } {
  const { tracerProvider, spans } = recordSpans();
  return { emitter: new PatternSpanEmitter({ tracerProvider }), spans };
}

/** Names and parents, in the order in which they ended. */
function tree(spans: readonly SeenSpan[]): string[] {
  return spans.map(({ name, parent }) => (parent === undefined ? name : `${parent} > ${name}`));
}

/** What an instrumentation of HTTP or of a database does: a span below the active one. */
function instrumented(emitter: PatternSpanEmitter, name: string): void {
  emitter.agentSpan(name).end();
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let unregister: () => void;
beforeEach(() => {
  unregister = registerContextManager();
});
afterEach(() => {
  unregister();
  trace.disable();
  diag.disable();
});

describe('PatternSpanEmitter', () => {
  test('returns spans that the caller ends, the agent below the parent it is given', () => {
    const { emitter, spans } = setUp();

    const pattern = emitter.patternSpan('debate', { rounds: 3 });
    emitter.agentSpan('bull', pattern, { 'pyagent.agent.role': 'optimist' }).end();
    emitter.agentSpan('bear').end();
    pattern.end();

    expect(spans()).toEqual([
      {
        name: 'pyagent.agent.bull',
        parent: 'pyagent.pattern.debate',
        attributes: { 'pyagent.agent.name': 'bull', 'pyagent.agent.role': 'optimist' },
        status: UNSET,
        exceptions: [],
      },
      {
        name: 'pyagent.agent.bear',
        parent: undefined,
        attributes: { 'pyagent.agent.name': 'bear' },
        status: UNSET,
        exceptions: [],
      },
      {
        name: 'pyagent.pattern.debate',
        parent: undefined,
        attributes: { 'pyagent.pattern.type': 'debate', rounds: 3 },
        status: UNSET,
        exceptions: [],
      },
    ]);
  });

  test('a span is active while its callback runs, across awaits, and not after', async () => {
    const { emitter, spans } = setUp();

    const answer = await emitter.patternSpan('debate', { rounds: 1 }, async () => {
      await turn();
      const [bull, bear] = await Promise.all(
        ['bull', 'bear'].map((name) =>
          emitter.agentSpan(name, async () => {
            instrumented(emitter, `${name}-http-1`);
            await turn();
            instrumented(emitter, `${name}-http-2`);
            return name;
          }),
        ),
      );
      return [bull, bear];
    });
    instrumented(emitter, 'after');

    expect(answer).toEqual(['bull', 'bear']);
    expect(tree(spans())).toEqual([
      'pyagent.agent.bull > pyagent.agent.bull-http-1',
      'pyagent.agent.bear > pyagent.agent.bear-http-1',
      'pyagent.agent.bull > pyagent.agent.bull-http-2',
      'pyagent.pattern.debate > pyagent.agent.bull',
      'pyagent.agent.bear > pyagent.agent.bear-http-2',
      'pyagent.pattern.debate > pyagent.agent.bear',
      'pyagent.pattern.debate',
      'pyagent.agent.after',
    ]);
    expect(spans().find(({ name }) => name === 'pyagent.pattern.debate')).toEqual({
      name: 'pyagent.pattern.debate',
      parent: undefined,
      attributes: { 'pyagent.pattern.type': 'debate', rounds: 1, ...DURATION },
      status: OK,
      exceptions: [],
    });
  });

  test('a callback works at every place where one may stand', () => {
    const { emitter, spans } = setUp();
    const parent = emitter.patternSpan('parent');

    expect(emitter.patternSpan('p', () => 1)).toBe(1);
    expect(emitter.patternSpan('p', undefined, () => 2)).toBe(2);
    expect(emitter.agentSpan('a', () => 3)).toBe(3);
    expect(emitter.agentSpan('a', parent, () => 4)).toBe(4);
    expect(emitter.agentSpan('a', parent, { k: 1 }, () => 5)).toBe(5);
    expect(emitter.agentSpan('a', undefined, { k: 1 }, () => 6)).toBe(6);
    parent.end();

    expect(spans().map(({ parent: name, attributes: { k } }) => [name, k])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
      ['pyagent.pattern.parent', undefined],
      ['pyagent.pattern.parent', 1],
      [undefined, 1],
      [undefined, undefined],
    ]);
  });

  test('without a context manager a span is only where it is given, and all else is the same', async () => {
    unregister();
    const { emitter, spans } = setUp();

    const answer = await emitter.patternSpan('debate', async (pattern) => {
      await emitter.agentSpan('bull', pattern, async () => turn());
      return emitter.agentSpan('bear', () => 'Sell.');
    });

    expect(answer).toBe('Sell.');
    expect(tree(spans())).toEqual([
      'pyagent.pattern.debate > pyagent.agent.bull',
      'pyagent.agent.bear',
      'pyagent.pattern.debate',
    ]);
    expect(spans().map(({ status }) => status)).toEqual([OK, OK, OK]);
  });

  test.each<[string, unknown, object]>([
    [
      'an error',
      new RangeError('no quorum'),
      { 'exception.type': 'RangeError', 'exception.message': 'no quorum' },
    ],
    ['a string', 'no quorum', { 'exception.type': 'string', 'exception.message': 'no quorum' }],
    ['nothing', undefined, { 'exception.type': 'undefined', 'exception.message': 'undefined' }],
  ])(
    'a callback that throws %s fails its span, and the app gets the same',
    async (_, thrown, exception) => {
      const { emitter, spans } = setUp();
      const thrower = (): never => {
        throw thrown;
      };

      expect(caught(() => emitter.patternSpan('sync', thrower))).toBe(thrown);
      await expect(emitter.patternSpan('async', async () => thrower())).rejects.toBe(thrown);

      const failure = {
        parent: undefined,
        status: { code: SpanStatusCode.ERROR, message: exception['exception.message' as never] },
        exceptions: [exception],
      };
      expect(spans()).toEqual([
        {
          ...failure,
          name: 'pyagent.pattern.sync',
          attributes: { 'pyagent.pattern.type': 'sync', ...DURATION },
        },
        {
          ...failure,
          name: 'pyagent.pattern.async',
          attributes: { 'pyagent.pattern.type': 'async', ...DURATION },
        },
      ]);
    },
  );

  test('an error that is handled and recorded stays one, however it is said', () => {
    const { emitter, spans } = setUp();

    emitter.agentSpan('helper', (span) => emitter.setError(span, new Error('handled')));
    emitter.agentSpan('otel', (span) => void span.setStatus({ code: SpanStatusCode.ERROR }));

    expect(spans().map(({ status }) => status)).toEqual([
      { code: SpanStatusCode.ERROR, message: 'handled' },
      { code: SpanStatusCode.ERROR },
    ]);
    expect(spans().map(({ exceptions }) => exceptions.length)).toEqual([1, 0]);
  });

  test('what is thrown after the result was set is an error all the same', () => {
    const { emitter, spans } = setUp();
    const late = new Error('late');

    expect(
      caught(() =>
        emitter.patternSpan('debate', (span) => {
          emitter.setPatternResult(span, { rounds: 2 });
          throw late;
        }),
      ),
    ).toBe(late);

    expect(spans()).toMatchObject([
      {
        attributes: { 'pyagent.pattern.rounds': 2 },
        status: { code: SpanStatusCode.ERROR, message: 'late' },
        exceptions: [{ 'exception.message': 'late' }],
      },
    ]);
  });

  test('a span that its callback ended is not ended again', () => {
    const { emitter, spans } = setUp();
    const error = vi.fn<DiagLogger['error']>();
    diag.setLogger({ ...silent, error }, DiagLogLevel.ALL);

    emitter.patternSpan('debate', (span) => span.end());

    expect(spans()).toHaveLength(1);
    expect(error).not.toHaveBeenCalled();
  });

  test('uses the provider that is registered when a span starts', () => {
    const emitter = new PatternSpanEmitter();
    expect(emitter.patternSpan('early', () => 'still runs')).toBe('still runs');

    const { tracerProvider, spans } = recordSpans();
    trace.setGlobalTracerProvider(tracerProvider);
    emitter.patternSpan('late', () => undefined);

    expect(tree(spans())).toEqual(['pyagent.pattern.late']);
  });

  test('refuses an option that is none', () => {
    expect(() => new PatternSpanEmitter({ tracerProvider: {} as never })).toThrow(TraceError);
    expect(() => new PatternSpanEmitter({ provider: 1 } as object)).toThrow(
      'PatternSpanEmitter: unknown option "provider"',
    );
  });

  test('types follow the callback', () => {
    const { emitter } = setUp();
    expectTypeOf(emitter.patternSpan('p')).toEqualTypeOf<Span>();
    expectTypeOf(emitter.patternSpan('p', () => 1)).toEqualTypeOf<number>();
    expectTypeOf(emitter.agentSpan('a', undefined, {})).toEqualTypeOf<Span>();
    expectTypeOf(emitter.agentSpan('a', async () => 'x')).toEqualTypeOf<Promise<string>>();
  });
});

describe('PatternSpanEmitter, what it writes', () => {
  test.each<[string, (emitter: PatternSpanEmitter, span: Span) => void, Partial<SeenSpan>]>([
    [
      'a whole result',
      (emitter, span) =>
        emitter.setPatternResult(span, {
          rounds: 3,
          consensus: 0.75,
          escalated: true,
          escalation_level: 2,
          duration_ms: 1500.5,
          token_estimate: 812,
          cost_estimate: 0.0125,
          output: 'not an attribute',
        }),
      {
        attributes: {
          'pyagent.pattern.rounds': 3,
          'pyagent.pattern.consensus': 0.75,
          'pyagent.pattern.escalated': true,
          'pyagent.pattern.escalation_level': 2,
          'pyagent.exec.duration_ms': 1500.5,
          'pyagent.exec.token_estimate': 812,
          'pyagent.cost.total_usd': 0.0125,
        },
        status: OK,
      },
    ],
    [
      'an empty result',
      (emitter, span) => emitter.setPatternResult(span),
      { attributes: { 'pyagent.pattern.escalated': false }, status: OK },
    ],
    [
      'a result over an error',
      (emitter, span) => {
        emitter.setError(span, new Error('first try'));
        emitter.setPatternResult(span, { rounds: Number.NaN });
      },
      {
        attributes: { 'pyagent.pattern.escalated': false },
        status: OK,
        exceptions: [{ 'exception.type': 'Error', 'exception.message': 'first try' }],
      },
    ],
    [
      'an error over a result, which OpenTelemetry does not let it undo',
      (emitter, span) => {
        emitter.setPatternResult(span);
        emitter.setError(span, new Error('too late'));
      },
      {
        attributes: { 'pyagent.pattern.escalated': false },
        status: OK,
        exceptions: [{ 'exception.type': 'Error', 'exception.message': 'too late' }],
      },
    ],
    [
      'a routing decision',
      (emitter, span) =>
        emitter.setRoutingInfo(span, {
          difficulty: 7,
          difficulty_category: 'hard',
          selected_model: 'gpt-4o',
          cost_estimate: 0.003,
          alternatives: ['gpt-4o-mini', 'o3'],
          trace_id: 'not an attribute',
        }),
      {
        attributes: {
          'pyagent.router.difficulty': 7,
          'pyagent.router.difficulty_category': 'hard',
          'pyagent.router.selected_model': 'gpt-4o',
          'pyagent.router.cost_estimate': 0.003,
          'pyagent.router.alternatives': ['gpt-4o-mini', 'o3'],
        },
        status: UNSET,
      },
    ],
    [
      'a compression',
      (emitter, span) =>
        emitter.setCompressionInfo(span, {
          input_tokens: 1000,
          output_tokens: 400,
        }),
      {
        attributes: {
          'pyagent.compress.input_tokens': 1000,
          'pyagent.compress.output_tokens': 400,
          'pyagent.compress.savings_pct': 0.6,
        },
        status: UNSET,
      },
    ],
    [
      'an error',
      (emitter, span) => emitter.setError(span, new TypeError('bad')),
      {
        attributes: {},
        status: { code: SpanStatusCode.ERROR, message: 'bad' },
        exceptions: [{ 'exception.type': 'TypeError', 'exception.message': 'bad' }],
      },
    ],
  ])('%s', (_, write, expected) => {
    const { tracerProvider, spans } = recordSpans();
    const emitter = new PatternSpanEmitter({ tracerProvider });
    const span = tracerProvider.getTracer('test').startSpan('span');

    write(emitter, span);
    span.end();

    expect(spans()).toEqual([{ name: 'span', parent: undefined, exceptions: [], ...expected }]);
  });
});

describe('PatternSpanEmitter, when OpenTelemetry or a value throws', () => {
  const unharmed = ['value', 'value', expect.objectContaining({ message: 'broken' })];

  test.each(['onStart', 'onEnd'])('a span processor whose %s throws is no harm', async (method) => {
    const processor = {
      onStart: () => undefined,
      onEnd: () => undefined,
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
      [method]: broken,
    };
    const { tracerProvider } = recordSpans(processor);
    expect(await useAll(new PatternSpanEmitter({ tracerProvider }))).toEqual(unharmed);
  });

  test('a provider, a tracer or a span that throws is no harm', async () => {
    const brokenSpan = {
      spanContext: () => trace.wrapSpanContext({ traceId: '1', spanId: '2', traceFlags: 1 }),
    };
    for (const name of [
      'end',
      'setAttribute',
      'setAttributes',
      'setStatus',
      'recordException',
      'isRecording',
    ])
      Object.assign(brokenSpan, { [name]: broken });
    for (const provider of [
      { getTracer: broken },
      { getTracer: () => ({ startSpan: broken, startActiveSpan: broken }) },
      { getTracer: () => ({ startSpan: () => brokenSpan }) },
    ])
      expect(await useAll(new PatternSpanEmitter({ tracerProvider: provider as never }))).toEqual(
        unharmed,
      );
  });

  test.each([
    ['before', (): unknown => broken()],
    [
      'after',
      (_: unknown, code: () => unknown): unknown => {
        code();
        return broken();
      },
    ],
  ])('a context manager that throws %s it runs the code runs it once', (_, run) => {
    unregister();
    const manager = {
      active: () => ROOT_CONTEXT,
      with: run as never,
      bind: <T>(__: unknown, target: T) => target,
      enable: () => manager,
      disable: () => manager,
    };
    context.setGlobalContextManager(manager);
    const { emitter } = setUp();
    const code = vi.fn<() => string>(() => 'value');

    expect(emitter.patternSpan('debate', code)).toBe('value');

    expect(code).toHaveBeenCalledOnce();
  });

  test('what OpenTelemetry threw is told to its diagnostics, and a broken logger is no harm', () => {
    const warn = vi.fn<DiagLogger['warn']>();
    diag.setLogger(
      { ...silent, warn },
      { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true },
    );
    const emitter = new PatternSpanEmitter({ tracerProvider: { getTracer: broken } });
    emitter.patternSpan('debate', () => undefined);
    expect(warn.mock.calls).toEqual([['@pyagent-trace/exporter-otel: broken']]);

    warn.mockImplementation(broken);
    expect(emitter.patternSpan('debate', () => 'value')).toBe('value');
  });
});

async function useAll(emitter: PatternSpanEmitter): Promise<unknown[]> {
  const hostile = Object.defineProperty({}, 'rounds', { get: broken, enumerable: true });
  const thrown = Object.defineProperty(new Error('thrown'), 'message', { get: broken });
  const span = emitter.patternSpan('returned', hostile);
  emitter.setPatternResult(span, hostile);
  emitter.setRoutingInfo(span, { difficulty: 1 });
  emitter.setCompressionInfo(span, { input_tokens: 1 });
  emitter.setError(span, thrown);
  emitter.agentSpan('child', span);
  return [
    emitter.patternSpan('sync', () => 'value'),
    await emitter.patternSpan('async', async () => 'value'),
    caught(() => emitter.agentSpan('throws', () => broken())),
  ];
}

function broken(): never {
  throw new Error('broken');
}

const silent: DiagLogger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  verbose: () => undefined,
};

function caught(code: () => unknown): unknown {
  try {
    code();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
