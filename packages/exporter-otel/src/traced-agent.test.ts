import { SpanStatusCode, trace } from '@opentelemetry/api';
import { TraceError } from '@pyagent-trace/core';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { collectGarbage } from '../testing/garbage.ts';
import { recordSpans, registerContextManager, type SeenSpan } from '../testing/helper-spans.ts';
import { tracedAgent } from './traced-agent.ts';
import { tracedPattern } from './traced-pattern.ts';

const DURATION = { 'pyagent.exec.duration_ms': expect.any(Number) };

class Agent {
  readonly name: string;
  readonly #prefix = 'Buy';
  constructor(name: string) {
    this.name = name;
  }
  async run(share: string): Promise<string> {
    if (share === '') throw new RangeError('no share');
    return `${this.#prefix} ${share}.`;
  }
}

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

describe('tracedAgent', () => {
  test('puts a span around each run of one agent, and gives that agent back', async () => {
    const agent = new Agent('bull');

    expect(tracedAgent(agent)).toBe(agent);

    expect(await agent.run('AAPL')).toBe('Buy AAPL.');
    expect(await new Agent('bear').run('AAPL')).toBe('Buy AAPL.');
    expect(spans()).toEqual([
      {
        name: 'pyagent.agent.bull',
        parent: undefined,
        attributes: { 'pyagent.agent.name': 'bull', ...DURATION },
        status: { code: SpanStatusCode.OK },
        exceptions: [],
      },
    ]);
  });

  test('a run that rejects fails its span, and the app gets the error', async () => {
    await expect(tracedAgent(new Agent('bull')).run('')).rejects.toThrow(RangeError);
    expect(spans()).toEqual([
      {
        name: 'pyagent.agent.bull',
        parent: undefined,
        attributes: { 'pyagent.agent.name': 'bull', ...DURATION },
        status: { code: SpanStatusCode.ERROR, message: 'no share' },
        exceptions: [{ 'exception.type': 'RangeError', 'exception.message': 'no share' }],
      },
    ]);
  });

  test('changes nothing of the agent but its run', () => {
    const agent = tracedAgent(new Agent('bull'));
    expect(agent).toBeInstanceOf(Agent);
    expect(Object.keys(agent)).toEqual(['name']);
    expect([agent.run.name, agent.run.length]).toEqual(['run', 1]);

    const literal = tracedAgent({ name: 'bear', run: (): string => 'Sell.' });
    expect(Object.keys(literal)).toEqual(['name', 'run']);
    expect(literal.run()).toBe('Sell.');
  });

  test('what a stream of an agent does is inside its span', async () => {
    const http = tracedAgent({ name: 'http', run: (): string => 'chunk' });
    const streaming = tracedAgent({
      name: 'streaming',
      async *run(): AsyncGenerator<string> {
        yield http.run();
      },
    });
    for await (const _ of streaming.run()) expect(spans()).toHaveLength(1);
    expect(spans().map(({ name, parent }) => [name, parent])).toEqual([
      ['pyagent.agent.http', 'pyagent.agent.streaming'],
      ['pyagent.agent.streaming', undefined],
    ]);
  });

  test('a span of a stream that nobody read has no status', async () => {
    const { tracerProvider, spans: ended } = recordSpans();
    const streaming = tracedAgent(
      {
        name: 'streaming',
        async *run(): AsyncGenerator<string> {
          yield 'chunk';
        },
      },
      { tracerProvider },
    );
    streaming.run();
    await collectGarbage(() => ended().length > 0);
    expect(ended()).toMatchObject([
      { name: 'pyagent.agent.streaming', status: { code: SpanStatusCode.UNSET } },
    ]);
  });

  test('wrapping twice makes one span, and a pattern may be an agent too', () => {
    class Debate {
      readonly name = 'debaters';
      readonly pattern_type = 'debate';
      run(): void {}
    }
    tracedAgent(tracedAgent(new (tracedPattern(Debate))())).run();
    expect(spans().map(({ name, parent }) => [name, parent])).toEqual([
      ['pyagent.pattern.debate', 'pyagent.agent.debaters'],
      ['pyagent.agent.debaters', undefined],
    ]);
  });

  test('the name is read at each run; without one it is the class', () => {
    const agent = tracedAgent({ name: 'bull', run(): void {} });
    agent.run();
    agent.name = 'bear';
    agent.run();
    agent.name = '';
    agent.run();
    expect(spans().map(({ name }) => name)).toEqual([
      'pyagent.agent.bull',
      'pyagent.agent.bear',
      'pyagent.agent.Object',
    ]);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'unknown'],
    ['an object without run', { name: 'bull' }, 'bull'],
    ['an object whose run is none', { name: 'bull', run: 'fast' }, 'bull'],
    ['a class', Agent, 'Agent'],
  ])('refuses %s', (_, value, name) => {
    const refused = (): unknown => tracedAgent(value as Agent);
    expect(refused).toThrow(
      new TypeError(`tracedAgent: expected an agent with a method run, got ${name}`),
    );
  });

  test('refuses a frozen agent, and options that are none', () => {
    expect(() => tracedAgent(Object.freeze(new Agent('bull')))).toThrow(
      new TypeError('tracedAgent: the agent bull is frozen'),
    );
    expect(() => tracedAgent(new Agent('bull'), { tracerProvider: 1 as never })).toThrow(
      TraceError,
    );
  });

  test('types are those of the agent', () => {
    expectTypeOf(tracedAgent(new Agent('bull'))).toEqualTypeOf<Agent>();
  });
});
