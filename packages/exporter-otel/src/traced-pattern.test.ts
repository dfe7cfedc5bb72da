// oxlint-disable typescript/unbound-method -- methods are looked at, and called without a this
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { TraceError } from '@pyagent-trace/core';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { recordSpans, registerContextManager, type SeenSpan } from '../testing/helper-spans.ts';
import { tracedAgent } from './traced-agent.ts';
import { tracedPattern } from './traced-pattern.ts';

const DURATION = { 'pyagent.exec.duration_ms': expect.any(Number) };
const OK = { code: SpanStatusCode.OK };

interface Result {
  readonly output: string;
  readonly token_estimate: number;
  readonly cost_estimate: number;
  readonly metadata: { readonly rounds?: number };
}

const result: Result = {
  output: 'Buy.',
  token_estimate: 812,
  cost_estimate: 0.0125,
  metadata: { rounds: 3 },
};

let spans: () => readonly SeenSpan[];
let unregister: () => void;
beforeEach(() => {
  unregister = registerContextManager();
  const recording = recordSpans();
  trace.setGlobalTracerProvider(recording.tracerProvider);
  ({ spans } = recording);
});
afterEach(() => {
  unregister();
  trace.disable();
});

describe('tracedPattern', () => {
  test('puts a span around each run, with what the result says', async () => {
    const Debate = tracedPattern(
      class {
        readonly pattern_type = 'debate';
        async run(task: string): Promise<Result & { task: string }> {
          return { ...result, task };
        }
      },
    );

    expect(await new Debate().run('AAPL?')).toEqual({ ...result, task: 'AAPL?' });

    expect(spans()).toEqual([
      {
        name: 'pyagent.pattern.debate',
        parent: undefined,
        attributes: {
          'pyagent.pattern.type': 'debate',
          'pyagent.exec.token_estimate': 812,
          'pyagent.cost.total_usd': 0.0125,
          'pyagent.pattern.rounds': 3,
          ...DURATION,
        },
        status: OK,
        exceptions: [],
      },
    ]);
  });

  test.each<[string, unknown]>([
    ['a string', 'Buy.'],
    ['nothing', undefined],
    ['null', null],
    ['an object without estimates', { metadata: null, token_estimate: Number.NaN }],
    ['an object that answers no question', new Proxy({}, { get: () => fail('asked') })],
  ])('gives back %s, of which there is nothing to write', (_, value) => {
    const Any = tracedPattern(
      class {
        readonly pattern_type = 'any';
        run(): unknown {
          return value;
        }
      },
    );
    expect(new Any().run()).toBe(value);
    expect(spans()).toMatchObject([{ status: OK }]);
    expect(spans()[0]?.attributes).toEqual({ 'pyagent.pattern.type': 'any', ...DURATION });
  });

  test('is active while the pattern runs, so that agents nest inside', async () => {
    const agent = tracedAgent({ name: 'bull', run: async (): Promise<string> => 'Buy.' });
    const Debate = tracedPattern(
      class {
        readonly pattern_type = 'debate';
        async run(): Promise<string> {
          await Promise.resolve();
          return agent.run();
        }
      },
    );
    const debate = new Debate();
    await Promise.all([debate.run(), debate.run()]);
    expect(spans().map(({ name, parent }) => [name, parent])).toEqual([
      ['pyagent.agent.bull', 'pyagent.pattern.debate'],
      ['pyagent.agent.bull', 'pyagent.pattern.debate'],
      ['pyagent.pattern.debate', undefined],
      ['pyagent.pattern.debate', undefined],
    ]);
  });

  test('a run that throws or rejects fails its span, and the app gets the same error', async () => {
    const failure = new RangeError('no quorum');
    const Failing = tracedPattern(
      class {
        readonly patternType = 'vote';
        run(): unknown {
          throw failure;
        }
      },
    );
    const Rejecting = tracedPattern(
      class extends Failing {
        override async run(): Promise<unknown> {
          return super.run();
        }
      },
    );

    expect(() => new Failing().run()).toThrow(failure);
    await expect(new Rejecting().run()).rejects.toBe(failure);

    const failed = {
      name: 'pyagent.pattern.vote',
      parent: undefined,
      attributes: { 'pyagent.pattern.type': 'vote', ...DURATION },
      status: { code: SpanStatusCode.ERROR, message: 'no quorum' },
      exceptions: [{ 'exception.type': 'RangeError', 'exception.message': 'no quorum' }],
    };
    expect(spans()).toEqual([failed, { ...failed, parent: 'pyagent.pattern.vote' }, failed]);
  });

  test('changes nothing of the class but its run', () => {
    class Base {
      run(): unknown {
        return undefined;
      }
    }
    class Debate extends Base {
      static readonly instances: Debate[] = [];
      readonly #secret = 'kept';
      readonly pattern_type = 'debate';
      override run(first?: string, ...others: string[]): unknown {
        return [this.#secret, first, ...others];
      }
    }
    const before = Reflect.ownKeys(Debate);
    const { run } = Debate.prototype;

    expect(tracedPattern(Debate)).toBe(Debate);

    const debate = new Debate();
    expect(debate.run('a', 'b')).toEqual(['kept', 'a', 'b']);
    expect(debate).toBeInstanceOf(Base);
    expect([Object.getPrototypeOf(Debate), Reflect.ownKeys(Debate)]).toEqual([Base, before]);
    expect([Debate.name, Debate.instances]).toEqual(['Debate', []]);
    expect(Object.keys(debate)).toEqual(['pattern_type']);
    expect([debate.run.name, debate.run.length]).toEqual([run.name, run.length]);
    expect(Object.getOwnPropertyDescriptor(Debate.prototype, 'run')).toMatchObject({
      configurable: true,
      enumerable: false,
      writable: true,
    });
  });

  test('an inherited run is traced on the class that was decorated alone', () => {
    class Base {
      run(): string {
        return this.constructor.name;
      }
    }
    class Traced extends Base {}
    class Plain extends Base {}
    tracedPattern(Traced);

    expect([new Traced().run(), new Plain().run()]).toEqual(['Traced', 'Plain']);
    expect(spans().map(({ name }) => name)).toEqual(['pyagent.pattern.Traced']);
  });

  test('a run that is traced already is not traced again', () => {
    class Debate {
      get pattern_type(): string {
        return 'debate';
      }
      run(): void {}
    }
    class Sub extends tracedPattern(tracedPattern(Debate)) {}
    new (tracedPattern(Sub))().run();
    expect(spans().map(({ name }) => name)).toEqual(['pyagent.pattern.debate']);
  });

  test.each<[string, object, string]>([
    ['pattern_type', { pattern_type: 'debate', patternType: 'other' }, 'debate'],
    ['patternType', { pattern_type: '', patternType: 'debate' }, 'debate'],
    ['the name of the class', { pattern_type: 7 }, 'Vote'],
    [
      'the name of the class where a getter throws',
      Object.defineProperty({}, 'pattern_type', { get: () => fail('asked') }),
      'Vote',
    ],
  ])('the type is %s', (_, properties, expected) => {
    class Vote {
      run(): void {}
    }
    tracedPattern(Vote);
    Object.defineProperties(new Vote(), Object.getOwnPropertyDescriptors(properties)).run();
    expect(spans().map(({ name }) => name)).toEqual([`pyagent.pattern.${expected}`]);
  });

  test('without a `this` it does what the method does', () => {
    class Vote {
      run(): unknown {
        return this;
      }
    }
    const { run } = tracedPattern(Vote).prototype;
    expect(run.call(undefined as never)).toBeUndefined();
    expect(spans().map(({ name }) => name)).toEqual(['pyagent.pattern.unknown']);
  });

  test('takes a provider of its own', () => {
    const own = recordSpans();
    class Vote {
      run(): void {}
    }
    new (tracedPattern({ tracerProvider: own.tracerProvider })(Vote))().run();
    expect([own.spans().length, spans().length]).toEqual([1, 0]);
  });

  test.each<[string, unknown, string]>([
    [
      'a class without run',
      class Plain {
        go(): void {}
      },
      'Plain',
    ],
    [
      'a class that has it as a field',
      class Field {
        run = (): void => {};
      },
      'Field',
    ],
    [
      'a class that has it as a getter',
      class Getter {
        get run(): () => void {
          return () => {};
        }
      },
      'Getter',
    ],
    ['a function', (): void => {}, 'unknown'],
  ])('refuses %s', (_, value, name) => {
    const refused = (): unknown => tracedPattern(value as new () => { run(): void });
    expect(refused).toThrow(TypeError);
    expect(refused).toThrow(`tracedPattern: expected a class with a method run, got ${name}`);
  });

  test('refuses a frozen class, and options that are none', () => {
    class Vote {
      run(): void {}
    }
    Object.freeze(Vote.prototype);
    expect(() => tracedPattern(Vote)).toThrow(
      new TypeError('tracedPattern: the prototype of Vote is frozen'),
    );
    expect(() => tracedPattern({ tracer: 1 } as object)).toThrow(TraceError);
    expect(() => tracedPattern(undefined as never)).toThrow(TraceError);
  });

  test('types are those of the class', () => {
    class Vote {
      run(task: string): string {
        return task;
      }
    }
    abstract class Abstract {
      abstract run(): void;
    }
    expectTypeOf(tracedPattern(Vote)).toEqualTypeOf<typeof Vote>();
    expectTypeOf(tracedPattern<typeof Abstract>).returns.toEqualTypeOf<typeof Abstract>();
    // @ts-expect-error -- it has no run
    expect(() => tracedPattern(Map)).toThrow(TypeError);
  });
});

function fail(message: string): never {
  throw new Error(message);
}
