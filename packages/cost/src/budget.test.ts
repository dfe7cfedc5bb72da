import { EventEmitter, once } from 'node:events';
import { TraceError, type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { SpanAssembler } from '@pyagent-trace/core/spans';
import {
  createTracer,
  type Interceptor,
  type LlmRequest,
  type Tracer,
} from '@pyagent-trace/core/tracer';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { BudgetExceededError } from './budget-error.ts';
import { type Budget, type BudgetOptions, createBudget } from './budget.ts';
import type { PriceSource } from './prices.ts';

/** Nothing for input, and a dollar per token of output of `m`: `max_tokens` is the worst case. */
const prices: PriceSource = {
  price: ({ model, usage: { output_tokens = 0 } }) =>
    new Map([
      ['m', output_tokens],
      ['n', 2 * output_tokens],
    ]).get(model),
};

interface Setup {
  readonly budget: Budget;
  readonly tracer: Tracer;
  readonly events: TraceEvent[];
  readonly warnings: () => unknown[];
}

function setUp(options: Partial<BudgetOptions> = {}, ...inner: Interceptor[]): Setup {
  const bus = new TraceEventBus();
  const events: TraceEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const budget = createBudget({ limitUsd: 10, per: 'total', prices, bus, ...options });
  return {
    budget,
    tracer: createTracer(bus, { interceptors: [budget, ...inner] }),
    events,
    warnings: () =>
      events.flatMap(({ event_type, payload }) => (event_type === 'budget_warning' ? payload : [])),
  };
}

const request = (max_tokens: number): LlmRequest => ({ model: 'm', max_tokens });

/** A call that costs what it says. */
async function spend(tracer: Tracer, usd: number, max = usd): Promise<void> {
  await tracer.llmCall(request(max), async (call) => call.respond({ cost_usd: usd }));
}

/** A call that ends when it is told to, or is aborted. */
function hold(tracer: Tracer, max: number): { run: Promise<unknown>; end: (usd: number) => void } {
  const told = new EventEmitter();
  const run = tracer.llmCall(request(max), async ({ respond, signal }) => {
    try {
      const [cost_usd] = (await once(told, 'end', { signal })) as number[];
      respond({ cost_usd });
    } catch {
      signal?.throwIfAborted();
    }
  });
  return { run, end: (usd) => void told.emit('end', usd) };
}

const unreadable = {
  get status(): never {
    throw new Error('getter');
  },
};

const status = (code: number): Error => Object.assign(new Error('refused'), { status: code });

const replay: Interceptor = (operation) => {
  operation.set({ cost_usd: 5 });
  return Promise.resolve('recorded');
};

const twice: Interceptor = async (_, next) => {
  await Promise.resolve(next()).catch(() => 'failed');
  return next();
};

async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

const account = (budget: Budget, key?: string): number[] => {
  const { spentUsd, reservedUsd, remainingUsd, running } = budget.stats(key);
  return [spentUsd, reservedUsd, remainingUsd, running];
};

describe('createBudget', () => {
  test('reserves the worst case while a call runs, then books what it cost', async () => {
    const { budget, tracer } = setUp();
    const { run, end } = hold(tracer, 6);
    expect(budget.stats()).toEqual({
      limitUsd: 10,
      spentUsd: 0,
      reservedUsd: 6,
      remainingUsd: 4,
      running: 1,
    });
    end(2);
    await run;
    expect(account(budget)).toEqual([2, 0, 8, 0]);
  });

  test('refuses what does not fit, before the app’s function runs, and with the very same error', async () => {
    const { budget, tracer, events } = setUp();
    await spend(tracer, 3);
    const { run, end } = hold(tracer, 4);
    const error = await errorOf(() =>
      tracer.llmCall(request(4), () => {
        throw new Error('the app was asked');
      }),
    );

    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(error).toMatchObject({
      name: 'BudgetExceededError',
      code: 'budget_exceeded',
      reason: 'limit',
      per: 'total',
      key: '',
      limitUsd: 10,
      spentUsd: 3,
      reservedUsd: 4,
      askedUsd: 4,
    });
    expect((error as Error).message).toBe(
      'budget of all calls: a call for at most $4 was refused: $3 of $10 spent, $4 reserved',
    );
    expect(events.at(-2)).toMatchObject({
      event_type: 'error',
      payload: { error_type: 'BudgetExceededError', code: 'budget_exceeded' },
    });
    end(4);
    await run;
    expect(account(budget)).toEqual([7, 0, 3, 0]);
  });

  test('spends a limit to the last cent, though its parts add up to a little more', async () => {
    const { budget, tracer } = setUp({ limitUsd: 0.3, reserve: 0.1 });
    const tenCents = (): void =>
      tracer.llmCall({ model: 'x' }, (call) => call.respond({ cost_usd: 0.1 }));
    for (let call = 0; call < 3; call += 1) tenCents();
    expect(budget.stats().remainingUsd).toBe(0);
    expect(tenCents).toThrow('a call for at most $0.1 was refused: $0.3 of $0.3 spent');
  });

  test('leaves tools, routing decisions and what the app returns alone', async () => {
    const { budget, tracer } = setUp({ limitUsd: 0 });
    const value = {};
    expect(tracer.tool('t', {}, () => value)).toBe(value);
    expect(tracer.routing({}, () => value)).toBe(value);
    expect(tracer.llmCall(request(0), () => value)).toBe(value);
    expect(account(budget)).toEqual([0, 0, 0, 0]);
  });

  test.for<[BudgetOptions['per'], string, string]>([
    ['session', 's1', 'session "s1"'],
    ['agent', 'bull', 'agent "bull"'],
  ])('has a limit for each %s', async ([per, key, name]) => {
    const { budget, tracer } = setUp({ per });
    const inSession = (session_id: string, agent: string, usd: number): Promise<unknown> =>
      tracer.pattern('p', { session_id }, () => tracer.agent(agent, () => spend(tracer, usd)));
    await inSession('s1', 'bull', 8);
    await expect(inSession('s1', 'bull', 4)).rejects.toThrow(`budget of ${name}: `);
    await inSession('s2', 'bear', 9);
    expect(account(budget, key)).toEqual([8, 0, 2, 0]);
    await spend(tracer, 9);
    await expect(spend(tracer, 2)).rejects.toThrow(`budget of calls without ${per}: `);
    expect(account(budget, 'never seen')).toEqual([0, 0, 10, 0]);
  });

  test('has a limit for each trace, which nested agents share', async () => {
    const { budget, tracer } = setUp({ per: 'trace' });
    const keys = await Promise.all(
      [1, 2].map(() =>
        tracer.pattern('p', async () => {
          await tracer.agent('a', () => tracer.agent('b', () => spend(tracer, 6)));
          await expect(tracer.agent('c', () => spend(tracer, 5))).rejects.toThrow(
            BudgetExceededError,
          );
          return tracer.current()?.trace_id ?? '';
        }),
      ),
    );
    expect(keys.map((key) => account(budget, key))).toEqual([
      [6, 0, 4, 0],
      [6, 0, 4, 0],
    ]);
  });

  test('a call within the function of a call reserves for itself', async () => {
    const { budget, tracer } = setUp();
    await tracer.llmCall(request(5), async (call) => {
      await spend(tracer, 4);
      await expect(spend(tracer, 2)).rejects.toThrow(BudgetExceededError);
      expect(account(budget)).toEqual([4, 5, 1, 1]);
      call.respond({ cost_usd: 1 });
    });
    expect(account(budget)).toEqual([5, 0, 5, 0]);
  });

  test.for<[string, Partial<BudgetOptions>, LlmRequest, string]>([
    ['a price', {}, { model: 'x', max_tokens: 1 }, 'no price for "x"'],
    ['a maximum', {}, { model: 'm' }, 'the request has no max_tokens'],
    [
      'a picture',
      { reserve: () => undefined },
      { ...request(1), messages_in: [{ content: [{ type: 'image_url' }] }] },
      'the request does not show what messages_in.0.content.0.type costs',
    ],
    ['a use for what reserve says', { reserve: () => Number.NaN }, { model: 'm' }, 'no max_tokens'],
  ])('refuses a call without %s', async ([, options, asked, problem]) => {
    const { budget, tracer } = setUp(options);
    const error = await errorOf(() => tracer.llmCall(asked, () => 'asked'));
    expect(error).toMatchObject({ reason: 'unknown', askedUsd: undefined });
    expect((error as Error).message).toContain('since nobody knows what it could cost: ');
    expect((error as Error).message).toContain(problem);
    expect(account(budget)).toEqual([0, 0, 10, 0]);
  });

  test('says why reserve gave nothing', async () => {
    const cause = new Error('boom');
    const { tracer } = setUp({
      reserve() {
        throw cause;
      },
    });
    expect(await errorOf(() => tracer.llmCall({}, () => 'asked'))).toMatchObject({ cause });
  });

  test('reserves what reserve gives for a call whose worst case is unknown, and only for it', async () => {
    const asked: unknown[] = [];
    const { budget, tracer } = setUp({
      reserve: (given) => {
        asked.push(given);
        return 3;
      },
    });
    tracer.llmCall({ model: 'x' }, () => expect(account(budget)).toEqual([0, 3, 7, 1]));
    tracer.llmCall(request(2), () => expect(account(budget)).toEqual([3, 2, 5, 1]));
    expect(asked).toEqual([{ model: 'x' }]);
    const always = setUp({ reserve: 4 });
    always.tracer.llmCall({}, () => expect(account(always.budget)).toEqual([0, 4, 6, 1]));
    expect.assertions(4);
  });

  test.for<[string, unknown, RegExp]>([
    ['no limit', { per: 'total' }, /limitUsd/],
    ['an infinite limit', { limitUsd: Infinity, per: 'total' }, /limitUsd/],
    ['a negative limit', { limitUsd: -1, per: 'total' }, /limitUsd/],
    ['another scope', { limitUsd: 1, per: 'day' }, /per: .*got "day"/],
    ['a wrong reserve', { limitUsd: 1, per: 'total', reserve: '1' }, /reserve/],
    [
      'prices that are none',
      { limitUsd: 1, per: 'total', prices: {} },
      /expected an object with price\(\)/,
    ],
    [
      'a bus that is none',
      { limitUsd: 1, per: 'total', bus: {} },
      /expected an object with emit\(\)/,
    ],
    ['a share above 1', { limitUsd: 1, per: 'total', warnAtShares: [80] }, /warnAtShares.0/],
    ['a typing error', { limitUsd: 1, per: 'total', warn: [] }, /unknown option "warn"/],
  ])('refuses %s at once', ([, options, message]) => {
    const create = (): unknown => createBudget(options as BudgetOptions);
    expect(create).toThrow(message);
    expect(create).toThrow(TraceError);
  });
});

describe('createBudget, when a call ends,', () => {
  test.for<[string, object, number]>([
    ['the cost that was told', { cost_usd: 1, output_tokens: 4, input_tokens: 1 }, 1],
    ['a cost of nothing', { cost_usd: 0 }, 0],
    ['the price of its tokens', { input_tokens: 9, output_tokens: 2 }, 2],
    [
      'the price of the model that was asked',
      { model: 'm-1', input_tokens: 9, output_tokens: 2 },
      2,
    ],
    ['its reservation, when the output alone is known', { output_tokens: 2 }, 5],
    ['its reservation, when the input alone is known', { input_tokens: 2 }, 5],
    ['its reservation, when the counts are none', { input_tokens: 9, output_tokens: 0.5 }, 5],
    ['the price of the model that answered', { model: 'n', input_tokens: 9, output_tokens: 2 }, 4],
    ['its reservation, when the cost is none', { cost_usd: -1 }, 5],
    ['its reservation, when nothing is known', {}, 5],
    ['more than its reservation', { cost_usd: 7 }, 7],
  ])('books %s', async ([, answer, spent]) => {
    const { budget, tracer } = setUp();
    await tracer.llmCall(request(5), async (call) => call.respond(answer));
    expect(account(budget)).toEqual([spent, 0, 10 - spent, 0]);
  });

  test.for<[string, unknown, number]>([
    ['its reservation after an error', new Error('parser'), 5],
    ['its reservation after a time-out of the provider', status(504), 5],
    ['its reservation after a time-out of the request', status(408), 5],
    ['its reservation after a client that gave up', status(499), 5],
    ['its reservation after a value that is no error', null, 5],
    ['its reservation after an error that cannot be read', unreadable, 5],
    ['nothing while the provider is down', status(503), 0],
    ['nothing after a rate limit', status(429), 0],
    ['nothing after a refused key, as Vercel tells it', { statusCode: 401 }, 0],
    ['nothing after a refusal, as AWS tells it', { $metadata: { httpStatusCode: 400 } }, 0],
    ['nothing after a refusal, as axios tells it', { response: { status: 404 } }, 0],
    ['nothing after an overload', status(529), 0],
  ])('books %s', async ([, error, spent]) => {
    const { budget, tracer } = setUp();
    expect(await errorOf(() => tracer.llmCall(request(5), () => Promise.reject(error)))).toBe(
      error,
    );
    const thrown = await errorOf(() =>
      tracer.llmCall(request(5), () => {
        throw error;
      }),
    );
    expect(thrown).toBe(error);
    expect(account(budget)).toEqual([2 * spent, 0, 10 - 2 * spent, 0]);
  });

  test('books what the app told of an answer before it failed', async () => {
    const { budget, tracer } = setUp();
    const run = tracer.llmCall(request(5), async (call) => {
      call.respond({ response: 'Buy.', input_tokens: 1, output_tokens: 3 });
      throw new Error('parser');
    });
    await expect(run).rejects.toThrow('parser');
    expect(account(budget)).toEqual([3, 0, 7, 0]);
  });

  test.for<[string, Error]>([
    ['was cut off', new Error('socket hang up')],
    ['was aborted', new DOMException('enough', 'AbortError')],
    ['asked again and was refused', status(429)],
  ])('books the reservation of a function that read a stream and %s', async ([, error]) => {
    const { budget, tracer } = setUp();
    const run = tracer.llmCall(request(5), async (call) => {
      call.respond({ input_tokens: 1, output_tokens: 1 }); // the first piece of Anthropic's
      throw error;
    });
    await expect(run).rejects.toThrow(error);
    expect(account(budget)).toEqual([5, 0, 5, 0]);
  });

  test('books the reservation where the price source throws, or gives no amount', async () => {
    let asked = 0;
    const fails: PriceSource = {
      price({ usage }) {
        asked += 1;
        if (usage.output_tokens === 2) throw new Error('source');
        return 5;
      },
    };
    const { budget, tracer } = setUp({ prices: fails });
    await tracer.llmCall(request(5), async (call) =>
      call.respond({ input_tokens: 1, output_tokens: 2 }),
    );
    expect(asked).toBeGreaterThan(1);
    expect(account(budget)).toEqual([5, 0, 5, 0]);
  });

  test('books a stream when it is read, and its reservation when it was cut off', async () => {
    const { budget, tracer } = setUp();
    const stream = (): AsyncGenerator<string> =>
      tracer.llmCall(request(4), async function* answer(call) {
        call.respond({ input_tokens: 1, output_tokens: 1 });
        yield 'Bu';
        yield 'y.';
      });
    const first = stream();
    expect(account(budget)).toEqual([0, 4, 6, 1]);
    for await (const _ of first);
    expect(account(budget)).toEqual([1, 0, 9, 0]);
    for await (const _ of stream()) break;
    expect(account(budget)).toEqual([5, 0, 5, 0]);
  });

  test('books nothing for what another budget refused, in either order', async () => {
    for (const wide of ['outside', 'inside']) {
      const narrow = createBudget({ limitUsd: 1, per: 'total', prices });
      const broad = createBudget({ limitUsd: 10, per: 'total', prices });
      const interceptors = wide === 'outside' ? [broad, narrow] : [narrow, broad];
      const tracer = createTracer(new TraceEventBus(), { interceptors });
      await expect(spend(tracer, 5)).rejects.toThrow(BudgetExceededError);
      expect([account(narrow), account(broad)]).toEqual([
        [0, 0, 1, 0],
        [0, 0, 10, 0],
      ]);
    }
  });

  test('books the call around one that was refused: it was made', async () => {
    const { budget, tracer } = setUp();
    const run = tracer.llmCall(request(5), () => spend(tracer, 9));
    await expect(run).rejects.toThrow('a call for at most $9 was refused');
    expect(account(budget)).toEqual([5, 0, 5, 0]);
  });

  test('is not asked for an answer that an interceptor around it gives', async () => {
    const budget = createBudget({ limitUsd: 1, per: 'total', prices });
    const tracer = createTracer(new TraceEventBus(), { interceptors: [replay, budget] });
    expect(await tracer.llmCall(request(9), async () => 'asked')).toBe('recorded');
    expect(account(budget)).toEqual([0, 0, 1, 0]);
  });

  test('reserves for each attempt of an interceptor around it, and books the first one whole', async () => {
    const budget = createBudget({ limitUsd: 10, per: 'total', prices });
    const tracer = createTracer(new TraceEventBus(), { interceptors: [twice, budget] });
    let attempt = 0;
    const run = (): Promise<void> =>
      tracer.llmCall(request(4), async (call) => {
        attempt += 1;
        if (attempt === 1) throw new Error('reset');
        call.respond({ cost_usd: 1 });
      });
    await run();
    expect(account(budget)).toEqual([5, 0, 5, 0]);
    // both attempts succeed, the second one does not fit any more
    await expect(run()).rejects.toThrow(BudgetExceededError);
    expect(account(budget)).toEqual([9, 0, 1, 0]);
  });

  test('books the attempt that was made before another budget refused the next', async () => {
    const outer = createBudget({ limitUsd: 10, per: 'total', prices });
    const inner = createBudget({ limitUsd: 4, per: 'total', prices });
    const interceptors = [outer, twice, inner];
    const tracer = createTracer(new TraceEventBus(), { interceptors });
    const run = tracer.llmCall(request(3), () => Promise.reject(new Error('reset')));
    await expect(run).rejects.toThrow('a call for at most $3 was refused: $3 of $4 spent');
    expect([account(outer), account(inner)]).toEqual([
      [3, 0, 7, 0],
      [3, 0, 1, 0],
    ]);
  });

  test('asks for the price at the provider of the call', async () => {
    const source: PriceSource = {
      price: ({ provider, usage }) =>
        provider === 'here' ? 2 * (usage.output_tokens ?? 0) : undefined,
    };
    const { budget, tracer } = setUp({ prices: source });
    const answer = { input_tokens: 1, output_tokens: 1 };
    tracer.llmCall({ ...request(2), provider: 'here' }, (call) => call.respond(answer));
    expect(account(budget)).toEqual([2, 0, 8, 0]);
  });

  test('books the attempt that was made after another budget refused the first', async () => {
    const outer = createBudget({ limitUsd: 10, per: 'total', prices });
    const inner = createBudget({ limitUsd: 4, per: 'total', prices });
    const again: Interceptor = async (_, next) => {
      try {
        return await next();
      } catch {
        end(0);
        await running;
        return next();
      }
    };
    const tracer = createTracer(new TraceEventBus(), { interceptors: [outer, again, inner] });
    const { run: running, end } = hold(
      createTracer(new TraceEventBus(), { interceptors: [inner] }),
      2,
    );
    await spend(tracer, 3);
    expect([account(outer), account(inner)]).toEqual([
      [3, 0, 7, 0],
      [3, 0, 1, 0],
    ]);
  });
});

describe('createBudget, when more is spent than was reserved,', () => {
  test('stops what runs on the same account with the signal, and tells why', async () => {
    const { budget, tracer, events } = setUp({ reserve: 3 });
    const running = [1, 2].map(() => hold(tracer, 2));
    await tracer.llmCall({ model: 'x' }, async (call) => call.respond({ cost_usd: 7 }));

    const errors = await Promise.all(running.map(({ run }) => errorOf(() => run)));

    expect(errors[0]).toBeInstanceOf(BudgetExceededError);
    expect(errors[0]).toMatchObject({
      reason: 'stopped',
      spentUsd: 7,
      reservedUsd: 4,
      askedUsd: 2,
      message:
        'budget of all calls: a call for at most $2 was stopped: $7 of $10 spent, $4 reserved',
    });
    expect(account(budget)).toEqual([11, 0, 0, 0]);
    const statuses = events.flatMap(({ payload }) => payload['status'] ?? []);
    expect(statuses).toEqual(['ok', 'cancelled', 'cancelled']);
  });

  test('stops what runs though the sink of warnings throws', async () => {
    const bus = {
      emit(): never {
        throw new Error('sink');
      },
    };
    const { budget, tracer } = setUp({ bus });
    const first = hold(tracer, 4);
    await spend(tracer, 8, 5);
    await expect(first.run).rejects.toMatchObject({ reason: 'stopped' });
    expect(account(budget)).toEqual([12, 0, 0, 0]);
  });

  test('leaves what runs alone while it is within the limit', async () => {
    const { budget, tracer } = setUp();
    const long = hold(tracer, 4);
    await spend(tracer, 6);
    long.end(4);
    await expect(long.run).resolves.toBeUndefined();
    expect(account(budget)).toEqual([10, 0, 0, 0]);
  });

  test('leaves other accounts alone', async () => {
    const { tracer } = setUp({ per: 'agent' });
    const other = tracer.agent('bear', () => hold(tracer, 9));
    await tracer.agent('bull', () => spend(tracer, 99, 1));
    other.end(1);
    await expect(other.run).resolves.toBeUndefined();
  });

  test('gives the app’s function a signal that follows the app’s own', async () => {
    const { tracer } = setUp();
    const own = new AbortController();
    const reason = new Error('enough');
    const run = tracer.llmCall({ ...request(1), signal: own.signal }, async (call) => {
      own.abort(reason);
      call.signal?.throwIfAborted();
    });
    await expect(run).rejects.toBe(reason);
  });

  test('stops a call that has a signal of its own, and leaves that signal alone', async () => {
    const { tracer } = setUp();
    const { signal } = new AbortController();
    const run = tracer.llmCall({ ...request(5), signal }, async (call) => {
      await spend(tracer, 11, 1);
      call.signal?.throwIfAborted();
    });
    await expect(run).rejects.toThrow('a call for at most $5 was stopped: $11 of $10 spent');
    expect(signal.aborted).toBe(false);
  });
});

describe('createBudget with a bus', () => {
  test('warns once at each threshold, in the agent whose call reached it', async () => {
    const { tracer, warnings, events } = setUp({ warnAtShares: [1, 0.5], per: 'agent' });
    await tracer.agent('bull', async () => {
      await spend(tracer, 4);
      await spend(tracer, 2);
      await spend(tracer, 1);
      await spend(tracer, 3);
    });
    const warning = { per: 'agent', key: 'bull', limit_usd: 10, reserved_usd: 0 };
    expect(warnings()).toMatchObject([
      { ...warning, threshold: 0.5, spent_usd: 6 },
      { ...warning, threshold: 1, spent_usd: 10 },
    ]);
    const agent = events.find(({ event_type }) => event_type === 'agent_start');
    const first = events.find(({ event_type }) => event_type === 'budget_warning');
    expect(first).toMatchObject({
      agent_name: 'bull',
      payload: {
        trace_id: agent?.payload['trace_id'],
        span_id: agent?.payload['span_id'],
      },
    });
  });

  test('is in time for the spans, although the call is closed by its cost', async () => {
    const { tracer, events } = setUp();
    await tracer.agent('bull', () => spend(tracer, 9));
    const spans = new SpanAssembler();
    events.forEach(spans.add);
    expect(spans.stats()).toMatchObject({ annotated: 1, late: 0, unmatched: 0 });
  });

  test('names the call itself where nothing is around it', async () => {
    const { tracer, warnings, events } = setUp();
    await spend(tracer, 9);
    expect(warnings()).toMatchObject([{ span_id: events[0]?.payload['span_id'] }]);
  });

  test('warns of each threshold that one call passes, by default of 0.8 alone', async () => {
    const { tracer, warnings } = setUp({ warnAtShares: [0.25, 0.5, 0.75] });
    await spend(tracer, 6);
    expect(warnings()).toMatchObject([{ threshold: 0.25 }, { threshold: 0.5 }]);
    const other = setUp();
    await spend(other.tracer, 10);
    expect(other.warnings()).toMatchObject([{ threshold: 0.8 }]);
  });

  test('does not warn of a limit of nothing while nothing is spent', async () => {
    const { tracer, warnings } = setUp({ limitUsd: 0 });
    await spend(tracer, 0);
    expect(warnings()).toEqual([]);
  });
});

describe('BudgetExceededError', () => {
  const details = {
    reason: 'limit',
    per: 'trace',
    key: 'a"b',
    limitUsd: 0.1,
    spentUsd: 0.000_001_234,
    reservedUsd: 0,
    askedUsd: 1234.5,
  } as const;

  test('is known across copies of the package, by its code', () => {
    const ofAnotherCopy = new TraceError('budget_exceeded', 'text');
    expect(BudgetExceededError.isInstance(new BudgetExceededError(details))).toBe(true);
    expect(BudgetExceededError.isInstance(ofAnotherCopy)).toBe(true);
    expect(TraceError.isInstance(new BudgetExceededError(details))).toBe(true);
    for (const other of [new TraceError('invalid_option', 'text'), new Error('text'), undefined])
      expect(BudgetExceededError.isInstance(other)).toBe(false);
    const unknown: unknown = undefined;
    if (BudgetExceededError.isInstance(unknown)) expectTypeOf(unknown.limitUsd).toBeNumber();
  });

  test('tells amounts as one reads them, and a key as data', () => {
    expect(new BudgetExceededError(details).message).toBe(
      'budget of trace "a\\"b": a call for at most $1,234.5 was refused: $0.000001234 of $0.1 spent, $0 reserved',
    );
  });
});
