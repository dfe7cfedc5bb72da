import { setImmediate as turn } from 'node:timers/promises';
import { type EventSink, messageOf, TraceEventBus } from '@pyagent-trace/core';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BudgetExceededError } from './budget-error.ts';
import { type Budget, createBudget } from './budget.ts';

/** What rounding may add. */
const ROUNDING = 1 + 1e-9;

interface Plan {
  /** The worst case, in US dollars. */
  readonly asked: number;
  /** What the call costs, as a share of that. */
  readonly share: number;
  readonly ending:
    | 'answer'
    | 'silence'
    | 'error'
    | 'refusal'
    | 'stream'
    | 'left'
    | 'abort'
    | 'nested';
  /** How often the app waits, before the call and in it. */
  readonly turns: readonly [before: number, within: number];
  readonly agent: string;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  asked: fc.double({ min: 0, max: 4, noNaN: true }),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  ending: fc.constantFrom(
    'answer',
    'silence',
    'error',
    'refusal',
    'stream',
    'left',
    'abort',
    'nested',
  ),
  turns: fc.tuple(fc.nat(3), fc.nat(3)),
  agent: fc.constantFrom('bull', 'bear', '__proto__'),
});

interface World {
  readonly tracer: Tracer;
  readonly budget: Budget;
  /** Ends when the test says so: it decides who goes on next. */
  readonly wait: () => Promise<void>;
  /** What calls really cost, by agent. */
  readonly spent: Map<string, number>;
  readonly limitUsd: number;
}

/** Makes a call as planned, and checks the account before and after each of its steps. */
async function make(world: World, { asked, share, ending, turns, agent }: Plan): Promise<void> {
  const { tracer, budget, wait, spent, limitUsd } = world;
  const check = (): void => {
    const { spentUsd, reservedUsd, running } = budget.stats(agent);
    expect(spentUsd + reservedUsd).toBeLessThanOrEqual(limitUsd * ROUNDING);
    expect(spent.get(agent) ?? 0).toBeLessThanOrEqual(limitUsd * ROUNDING);
    expect(running === 0 ? reservedUsd : 0).toBe(0);
  };
  const pay = (usd: number): void => void spent.set(agent, (spent.get(agent) ?? 0) + usd);
  const stop = new AbortController();
  const [before, within] = turns;
  for (let index = 0; index < before; index += 1) await wait();
  const free = budget.stats(agent).remainingUsd;
  let problem: unknown;
  try {
    await tracer.agent(agent, async () => {
      check();
      const call = async (): Promise<void> => {
        for (let index = 0; index < within; index += 1) {
          await wait();
          check();
        }
      };
      if (ending === 'stream' || ending === 'left') {
        const pieces = tracer.llmCall({ asked }, async function* answer({ set }) {
          pay(asked * share);
          yield 'one';
          await call();
          set({ cost_usd: asked * share });
          yield 'two';
        });
        for await (const _ of pieces) {
          // what was sent is billed, though the app leaves before it hears of it
          if (ending === 'left') break;
        }
        return;
      }
      await tracer.llmCall({ asked, signal: stop.signal }, async ({ respond }) => {
        await call();
        if (ending === 'refusal') throw Object.assign(new Error('busy'), { status: 429 });
        pay(asked * share);
        if (ending === 'nested')
          await make(world, { asked, share, ending: 'answer', turns: [0, 1], agent });
        if (ending === 'abort') stop.abort(new Error('enough'));
        stop.signal.throwIfAborted();
        if (ending === 'error') throw new Error('parser');
        if (ending !== 'silence') respond({ cost_usd: asked * share });
      });
    });
  } catch (error) {
    problem = error;
  }
  check();
  // refused is only what does not fit, and nothing else fails but what was planned to
  const { askedUsd = 0 } = BudgetExceededError.isInstance(problem) ? problem : {};
  const isPlanned = problem === undefined || /^(?:parser|busy|enough)$/.test(messageOf(problem));
  expect(isPlanned || askedUsd > free / ROUNDING - 1e-12).toBe(true);
}

const quiet: EventSink = { emit() {} };

function createWorld(limitUsd: number, wait: World['wait'], bus = quiet): World {
  const budget = createBudget({
    limitUsd,
    per: 'agent',
    reserve: ({ asked }) => asked as number,
    bus,
  });
  return {
    budget,
    tracer: createTracer(bus, { interceptors: [budget] }),
    wait,
    spent: new Map(),
    limitUsd,
  };
}

describe('createBudget', () => {
  test('never lets more be spent than the limit, whatever the interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { maxLength: 12 }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.scheduler(),
        async (plans, limitUsd, order) => {
          const world = createWorld(limitUsd, () => order.schedule(Promise.resolve()));
          const all = Promise.all(plans.map((each) => make(world, each)));
          await order.waitFor(all);
          for (const agent of ['bull', 'bear', '__proto__'])
            expect(world.budget.stats(agent)).toMatchObject({ reservedUsd: 0, running: 0 });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of 1,000 calls at once, with money for 10, lets 10 be made', async () => {
    const budget = createBudget({ limitUsd: 1, per: 'total', reserve: 0.1 });
    const tracer = createTracer(new TraceEventBus(), { interceptors: [budget] });
    let made = 0;
    let running = 0;
    const calls = Array.from({ length: 1_000 }, async (_, index) => {
      await turn();
      return tracer.agent(`agent ${index % 7}`, async () =>
        tracer.llmCall({ model: 'x' }, async (call) => {
          made += 1;
          running += 1;
          for (let step = index % 5; step >= 0; step -= 1) await turn();
          running -= 1;
          call.respond({ cost_usd: 0.1 });
        }),
      );
    });
    const settled = await Promise.allSettled(calls);
    const refused = settled.filter(
      (result) => result.status === 'rejected' && BudgetExceededError.isInstance(result.reason),
    );
    expect({ made, running, refused: refused.length }).toEqual({
      made: 10,
      running: 0,
      refused: 990,
    });
    expect(budget.stats()).toMatchObject({
      spentUsd: expect.closeTo(1, 9),
      reservedUsd: 0,
      running: 0,
    });
  });

  test('of 1,000 calls that come one after another and cost a tenth of the worst case, lets more', async () => {
    const world = createWorld(10, turn, new TraceEventBus());
    const calls = Array.from({ length: 1_000 }, (_, index) =>
      make(world, {
        asked: 1,
        share: 0.1,
        ending: 'answer',
        turns: [index % 50, index % 4],
        agent: 'bull',
      }),
    );
    await Promise.all(calls);
    const { spentUsd, reservedUsd } = world.budget.stats('bull');
    expect(reservedUsd).toBe(0);
    expect(spentUsd).toBeCloseTo(world.spent.get('bull') ?? 0, 9);
    // a call that starts alone is refused when less than its worst case is left
    expect(spentUsd).toBeGreaterThan(9);
    expect(spentUsd).toBeLessThanOrEqual(10 * ROUNDING);
  });
});
