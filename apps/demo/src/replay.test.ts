import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeTraceEvent, TraceEventBus, type TraceEvent } from '@pyagent-trace/core';
import { createTracer, type Interceptor, type Tracer } from '@pyagent-trace/core/tracer';
import { createReplayer, ReplayMissError } from '@pyagent-trace/recorder';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { traceConversation } from './conversations.ts';
import { Debate } from './debate.ts';
import type { Model } from './model.ts';
import { normalForm } from '../../../packages/recorder/fixtures/normal-form.ts';
import { CONVERSATIONS, readConversations } from './read-conversations.ts';
import { runDemo } from './run-demo.fixture.ts';
import { createScriptedModel } from './scripted-model.ts';

const QUESTION = 'Should the town of Westerhaven build a 20 MWh battery?';

function unreachable(): never {
  throw new Error('nothing is to be asked in a replay');
}

const silentModel: Model = {
  provider: 'scripted',
  small: 'scripted-small',
  large: 'scripted-large',
  complete: unreachable,
  stream: unreachable,
};

interface Run<T> {
  readonly result: T;
  readonly events: readonly TraceEvent[];
}

async function trace<T>(
  interceptors: readonly Interceptor[],
  app: (tracer: Tracer) => Promise<T>,
): Promise<Run<T>> {
  const events: TraceEvent[] = [];
  const bus = new TraceEventBus();
  // as an exporter writes it: agents go on with the lists they gave
  bus.subscribe((event) => void events.push(JSON.parse(encodeTraceEvent(event)) as TraceEvent));
  const result = await app(createTracer(bus, { interceptors }));
  return { result, events };
}

/** Lets others go on before each call, as often as the seed says. */
function jitter(seed: number): Interceptor {
  let state = seed;
  return async (_, next) => {
    state = (state * 48_271) % 2_147_483_647;
    for (let turns = state % 9; turns > 0; turns--) await turn();
    return next();
  };
}

function cutOffNetwork(): void {
  vi.spyOn(net, 'connect').mockImplementation(unreachable);
  vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(unreachable);
  vi.stubGlobal('fetch', unreachable);
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the debate, replayed', { timeout: 60_000 }, () => {
  let recorded: Run<string>;
  beforeAll(async () => {
    recorded = await trace([], (tracer) => new Debate(tracer, createScriptedModel()).run(QUESTION));
  });

  test('goes the same way 100 times, whoever is slow, without a network', async () => {
    cutOffNetwork();
    const expected = normalForm(recorded.events);
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const seed = 1 + index * 7_919;
        await using replay = await createReplayer(recorded.events);
        const replayed = await trace([jitter(seed), replay], (tracer) =>
          new Debate(tracer, silentModel).run(QUESTION),
        );

        expect({ seed, result: replayed.result }).toEqual({ seed, result: recorded.result });
        expect({ seed, run: normalForm(replayed.events) }).toEqual({ seed, run: expected });
        expect({ seed, ...replay.stats() }).toMatchObject({ seed, replayed: 8, unused: 0 });
      }),
    );
  });

  test('says of one changed word which one it is, and where the right one stands', async () => {
    await using replay = await createReplayer(recorded.events, { onUnused: () => {} });
    const error: unknown = await trace([replay], (tracer) =>
      new Debate(tracer, silentModel).run(QUESTION.replace('battery', 'windmill')),
    ).catch((thrown: unknown) => thrown);

    expect(ReplayMissError.isInstance(error)).toBe(true);
    expect((error as Error).message).toBe(
      `stream: llm_call of agent "bull": not recorded; the nearest is line 7 [-recorded-]{+asked+}
  messages_in.1.content: … the town of Westerhaven build a 20 MWh [-battery-]{+windmill+}?\\npeak_price: 0.31 USD per kWh`,
    );
  });
});

/** The debate of somebody who changed a prompt. */
const threeSentences: Interceptor = (operation, next) => {
  const messages = operation.payload['messages_in'] as { content: string }[] | undefined;
  if (messages?.[0]) messages[0].content = messages[0].content.replace('two', 'three');
  return next();
};

describe('npm run demo -- --record and --replay', { timeout: 60_000 }, () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'demo-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('replay what was recorded, from the recording and from the trace', async () => {
    const path = join(folder, 'run.jsonl');
    using live = await runDemo(['--record', path]);
    expect(live).toMatchObject({ code: 0, stderr: '' });
    expect(live.stdout).toMatch(/^Recorded in \S+run\.jsonl\n {2}8 calls, 0 lost$/m);

    const expected = normalForm(eventsOf(live.file));
    for (const source of [path, live.file]) {
      using replayed = await runDemo(['--replay', source]);
      expect(replayed).toMatchObject({ code: 0, stderr: '' });
      expect(replayed.stdout).toMatch(
        /^Replayed from \S+\n {2}8 answered, 0 missed, 0 not asked for$/m,
      );
      expect(normalForm(eventsOf(replayed.file))).toEqual(expected);
    }
  });

  test('say what the page says of a prompt that was changed', async () => {
    const path = join(folder, 'run.jsonl');
    using live = await runDemo(['--record', path]);
    expect(live.code).toBe(0);
    await using replay = await createReplayer(path, { onUnused: () => {} });
    const changed = trace([threeSentences, replay], (tracer) =>
      new Debate(tracer, silentModel).run(QUESTION),
    );

    const { message } = await changed.then(unreachable, (error: Error) => error);
    const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(page).toContain(message.replace(path, 'run.jsonl'));
  });

  test('spend nothing of a budget that is too small for what was recorded', async () => {
    const path = join(folder, 'run.jsonl');
    using live = await runDemo(['--record', path]);
    using replayed = await runDemo(['--replay', path, '--budget', '0.01']);

    expect([live.code, replayed.code]).toEqual([0, 0]);
    expect(replayed.stdout).toContain('  0.0000000 of 0.01 USD spent');
  });

  test('end with code 1 and one line where there is nothing to replay', async () => {
    using demo = await runDemo(['--replay', join(folder, 'missing.jsonl')]);

    expect(demo).toMatchObject({
      code: 1,
      stderr: `${join(folder, 'missing.jsonl')}: ENOENT: no such file or directory; mode "record" or "auto" records one, but "auto" not where CI is set\n`,
    });
  });
});

describe('recorded conversations', { timeout: 60_000 }, () => {
  // the recordings are not part of the repository
  test.skipIf(!existsSync(CONVERSATIONS))(
    'replay, 40 at once, with no miss (skipped without the recordings)',
    async () => {
      const conversations = await readConversations(CONVERSATIONS);
      const all = (tracer: Tracer): Promise<unknown> =>
        Promise.all(conversations.map((conversation) => traceConversation(tracer, conversation)));
      const live = await trace([], all);
      cutOffNetwork();

      await using replay = await createReplayer(live.events);
      const seed = 20_261_123;
      const replayed = await trace([jitter(seed), replay], all);

      expect({ seed, ...replay.stats() }).toMatchObject({
        seed,
        replayed: 1_182,
        missed: 0,
        unused: 0,
      });
      expect(normalForm(replayed.events)).toEqual(normalForm(live.events));
    },
  );
});

function eventsOf(path: string): TraceEvent[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TraceEvent);
}
