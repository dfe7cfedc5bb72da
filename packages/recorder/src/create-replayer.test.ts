// oxlint-disable unicorn/consistent-function-scoping -- each app stands in the test that it is for
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import type { Interceptor, Tracer } from '@pyagent-trace/core/tracer';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { normalForm } from '../fixtures/normal-form.ts';
import { runTraced, unreachable } from '../fixtures/run-traced.ts';
import { createReplayer } from './create-replayer.ts';
import { ReplayMissError } from './replay-miss-error.ts';
import { Recorder } from './recorder.ts';
import { Shelf } from './replay/shelf.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  path = join(folder, 'run.jsonl');
  vi.stubEnv('CI', '');
  // nothing of a replay reaches a network
  vi.spyOn(net, 'connect').mockImplementation(unreachable);
  vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(unreachable);
  vi.stubGlobal('fetch', unreachable);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function linesOf(events: readonly TraceEvent[]): string {
  return events.map((event) => `${encodeTraceEvent(event)}\n`).join('');
}

function ask(
  tracer: Tracer,
  content: string,
  answer: () => unknown = unreachable,
): Promise<unknown> {
  const messages_in = [{ role: 'user', content }];
  return tracer.llmCall({ provider: 'openai', model: 'gpt-4o', messages_in }, async () => answer());
}

/** Uses everything that is replayed, in every shape. `live` does it; else nothing of it may run. */
function everything(live: boolean): (tracer: Tracer) => Promise<unknown> {
  const real = <T>(value: T): T => (live ? value : unreachable());
  const failure = (): never => {
    throw live ? Object.assign(new RangeError('overloaded'), { code: 529 }) : new Error('asked');
  };
  return (tracer) =>
    tracer.pattern('debate', { session_id: 's1', input: 'Buy?' }, async () => {
      const seen: unknown[] = [];
      const failed = (error: unknown): void => {
        const { name, message, code } = error as NodeJS.ErrnoException;
        seen.push({ name, message, code, isError: error instanceof Error });
      };
      await tracer.agent('bull', async () => {
        seen.push(
          await tracer.llmCall(
            {
              provider: 'openai',
              model: 'gpt-4o',
              messages_in: [{ role: 'user', content: 'Buy?' }],
              temperature: 0.2,
            },
            async (call) => {
              call.respond({
                response: 'Buy.',
                model: 'gpt-4o-2024-08-06',
                input_tokens: 5,
                output_tokens: 2,
                cost_usd: 0.001,
                finish_reasons: ['stop'],
              });
              return real({ choices: [{ message: { content: 'Buy.' } }] });
            },
          ),
        );
        seen.push(await ask(tracer, 'a text', () => real('Yes.')));
        seen.push(
          await tracer.llmCall({ model: 'm' }, async (call) =>
            call.respond(real({ response: 'told' })),
          ),
        );
        seen.push(await ask(tracer, 'nothing', () => real(undefined)));
        seen.push(await ask(tracer, 'empty', () => real('')));
        await ask(tracer, 'fails', failure).catch(failed);
        seen.push(tracer.tool('sync', { q: 1 }, () => real({ found: [1, null] })));
        seen.push(await tracer.tool('async', { q: 1 }, async () => real(null)));
        try {
          tracer.tool('sync', { q: 'bad' }, failure);
        } catch (error) {
          failed(error);
        }
        seen.push(
          tracer.routing({ difficulty: 7 }, (routing) => {
            routing.set({ selected_model: real('gpt-4o'), rationale: 'hard' });
            return 'gpt-4o';
          }),
        );
        tracer.routing({ difficulty: 1, selected_model: 'told' });
        const stream = { provider: 'openai', model: 'gpt-4o', stream: true, messages_in: ['s'] };
        for await (const piece of tracer.llmCall(stream, async function* answer(call) {
          yield real('Hold');
          yield ' on.';
          call.respond({ input_tokens: 3 });
        }))
          seen.push(piece);
        const left = { ...stream, messages_in: ['left'] };
        for await (const piece of await tracer.llmCall(left, async () =>
          chunksOf(real([{ d: 1 }, { d: 2 }])),
        )) {
          seen.push(piece);
          break;
        }
        const torn = { ...stream, messages_in: ['torn'] };
        try {
          for await (const piece of tracer.llmCall(torn, async function* answer() {
            yield real('half');
            failure();
          }))
            seen.push(piece);
        } catch (error) {
          failed(error);
        }
        const never = { ...stream, messages_in: ['never'] };
        try {
          // oxlint-disable-next-line require-yield -- it fails before
          for await (const _ of tracer.llmCall(never, async function* answer() {
            failure();
          }));
        } catch (error) {
          failed(error);
        }
      });
      return seen;
    });
}

async function* chunksOf<T>(chunks: readonly T[]): AsyncGenerator<T> {
  yield* chunks;
}

describe('createReplayer', () => {
  test('gives an app what it got from its functions, in the same shapes, and its trace is the same', async () => {
    const live = await runTraced(everything(true));

    await using replay = await createReplayer(live.events);
    const replayed = await runTraced(everything(false), [replay]);

    expect(replayed.result).toEqual(live.result);
    expect(normalForm(replayed.events)).toEqual(normalForm(live.events));
    expect(replay.stats()).toMatchObject({ replayed: 14, missed: 0, recorded: 0, unused: 0 });
    expect(replay.unused()).toEqual([]);
  });

  test.each(['createReplayer', 'Recorder'])(
    'does so from a recording that %s wrote',
    async (writer) => {
      const recorder = new Recorder({ path });
      const interceptors: Interceptor[] = [];
      if (writer === 'createReplayer')
        interceptors.push(await createReplayer(path, { mode: 'record' }));
      const live = await runTraced(everything(true), interceptors);
      if (writer === 'Recorder') for (const event of live.events) recorder.exportEvent(event);
      await recorder.shutdown();

      await using replay = await createReplayer(path);
      const replayed = await runTraced(everything(false), [replay]);

      expect(replayed.result).toEqual(live.result);
      expect(normalForm(replayed.events)).toEqual(normalForm(live.events));
      expect(replay.unused()).toEqual([]);
    },
  );

  test.each([
    ['a path', (lines: string) => (writeFileSync(path, lines), path)],
    ['a file URL', (lines: string) => (writeFileSync(path, lines), pathToFileURL(path))],
    ['a packed file', (lines: string) => (writeFileSync(path, gzipSync(lines)), path)],
    ['chunks', (lines: string) => [zstdCompressSync(lines)]],
    ['a stream', (lines: string) => new Blob([lines]).stream() as AsyncIterable<Uint8Array>],
  ])('takes %s', async (_, sourceOf) => {
    const { events } = await runTraced((tracer) => ask(tracer, 'Buy?', () => 'Buy.'));

    await using replay = await createReplayer(sourceOf(linesOf(events)));

    expect(await runTraced((tracer) => ask(tracer, 'Buy?'), [replay])).toMatchObject({
      result: 'Buy.',
    });
  });

  test('takes events as they are read', async () => {
    const { events } = await runTraced((tracer) => ask(tracer, 'Buy?', () => 'Buy.'));

    await using replay = await createReplayer(chunksOf(events));

    expect(await runTraced((tracer) => ask(tracer, 'Buy?'), [replay])).toMatchObject({
      result: 'Buy.',
    });
  });

  test('says at a miss what was asked, the nearest that was recorded, and where they differ', async () => {
    const { events } = await runTraced((tracer) =>
      tracer.agent('bull', async () => {
        await ask(tracer, 'Is it wise to buy NVDA shares at the current price?', () => 'Yes.');
        await ask(tracer, 'Thank you.', () => 'Not at all.');
      }),
    );
    writeFileSync(path, linesOf(events));
    await using replay = await createReplayer(path, { onUnused: () => {} });

    const error: unknown = await runTraced(
      (tracer) =>
        tracer.agent('bull', () =>
          ask(tracer, 'Is it wise to sell NVDA shares at the current price?'),
        ),
      [replay],
    ).catch((thrown: unknown) => thrown);

    expect(ReplayMissError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({
      message: `${path}: llm_call of agent "bull": not recorded; the nearest is line 2 [-recorded-]{+asked+}
  messages_in.0.content: Is it wise to [-buy-]{+sell+} NVDA shares at the current price?`,
      code: 'replay_miss',
      reason: 'unknown',
      nearest: { line: 2 },
    });
    expect(replay.stats()).toMatchObject({ replayed: 0, missed: 1, recorded: 0, unused: 2 });
  });

  test('takes for the nearest rather what the same agent asked', async () => {
    const asks = (agent: string, content: string) => (tracer: Tracer) =>
      tracer.agent(agent, () => ask(tracer, content, () => 'Yes.'));
    const { events } = await runTraced(async (tracer) => {
      for (let share = 0; share < 20; share++)
        await asks('bear', `Is it wise to buy gold at the current price of ${share}?`)(tracer);
      await asks('bull', 'Is it wise to buy gold at the current rate?')(tracer);
    });
    await using replay = await createReplayer(events, { onUnused: () => {} });

    await expect(
      runTraced(asks('bull', 'Is it wise to buy gold at the current price?'), [replay]),
    ).rejects.toMatchObject({ nearest: { line: 82 } });
  });

  test('says so in a few lines, however long the names are', async () => {
    const call = (name: string): Promise<TraceEvent[]> =>
      runTraced((tracer) =>
        tracer.tool(`${name}${'n'.repeat(100_000)}`, { [name.repeat(50_000)]: 1 }, () => 1),
      ).then(({ events }) => events);
    await using replay = await createReplayer(await call('a'), { onUnused: () => {} });
    const run = runTraced(
      (tracer) =>
        tracer.agent('a'.repeat(100_000), () =>
          tracer.tool(`b${'n'.repeat(100_000)}`, { b: 1 }, unreachable),
        ),
      [replay],
    );
    const length = await run.catch(({ message }: Error) => message.length);
    expect(length).toBeLessThan(5_000);
  });

  test('throws a miss at once where the function is no async one, and rejects where it is', async () => {
    await using replay = await createReplayer([]);
    await runTraced(
      async (tracer) => {
        expect(() => tracer.tool('search', { q: 1 }, unreachable)).toThrow(
          'stream: tool "search": not recorded, and nothing of its kind is',
        );
        await expect(ask(tracer, 'Buy?')).rejects.toThrow(ReplayMissError);
      },
      [replay],
    );
  });

  test('gives each answer once, in the order of asking, and says when they are used up', async () => {
    let asked = 0;
    const twice = (tracer: Tracer): Promise<unknown[]> =>
      Promise.all([1, 2].map(() => ask(tracer, 'Roll.', () => (asked += 1))));
    const { events } = await runTraced(twice);
    await using replay = await createReplayer(events);

    const { result } = await runTraced(
      async (tracer) => [
        await twice(tracer),
        await ask(tracer, 'Roll.').catch(({ message }: Error) => message),
      ],
      [replay],
    );

    expect(result).toEqual([[1, 2], 'stream: llm_call: every recorded answer to it has been used']);
  });

  test('goes by the start of calls, not by their end', async () => {
    const overlapping = (live: boolean) => async (tracer: Tracer) => {
      const first = tracer.llmCall({ model: 'm' }, async () => {
        if (!live) unreachable();
        for (let i = 0; i < 5; i++) await turn();
        return 'first';
      });
      return Promise.all([first, tracer.llmCall({ model: 'm' }, async () => 'second')]);
    };
    const { events } = await runTraced(overlapping(true));
    for (const source of [events, await recordedAgain(events)]) {
      await using replay = await createReplayer(source);
      expect((await runTraced(overlapping(false), [replay])).result).toEqual(['first', 'second']);
    }
  });

  test('does not mind the order of keys, white space, ids, times and what says whose call it is', async () => {
    const { events } = await runTraced((tracer) =>
      tracer.llmCall(
        {
          model: 'm',
          messages_in: [
            { role: 'user', content: 'Find  it.\n', name: '' },
            {
              role: 'assistant',
              tool_calls: [{ id: 'call_1', function: { name: 'f', arguments: '{"user_id": 1}' } }],
            },
            {
              role: 'user',
              content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'a' }],
            },
          ],
          temperature: 0,
          metadata: { request: 1 },
        },
        async () => 'ok',
      ),
    );
    const asked = (user_id: number) => (tracer: Tracer) =>
      tracer.pattern('p', { session_id: 's' }, () =>
        tracer.llmCall(
          {
            temperature: 0,
            operation: 'chat',
            messages_in: [
              { content: 'Find it.', role: 'user' },
              {
                role: 'assistant',
                tool_calls: [
                  { id: 'call_9', function: { arguments: `{"user_id":${user_id}}`, name: 'f' } },
                ],
              },
              {
                role: 'user',
                content: [{ type: 'tool_result', tool_use_id: 'toolu_9', content: 'a' }],
              },
            ],
            model: 'm',
            seed: undefined,
            tags: ['x'],
            metadata: { request: 2 },
          },
          async () => unreachable(),
        ),
      );
    await using replay = await createReplayer(events);

    await expect(runTraced(asked(2), [replay])).rejects.toThrow(
      'messages_in.1.tool_calls.0.function.arguments: {"user_id":[- 1-]{+2+}}',
    );
    expect((await runTraced(asked(1), [replay])).result).toBe('ok');
  });

  test('leaves out the places that are to be ignored, on both sides', async () => {
    const at = (now: number, content: string) => (tracer: Tracer) =>
      tracer.tool('t', { now, list: [{ seen: now, content }] }, () => content);
    const { events } = await runTraced(at(1, 'a'));
    await using replay = await createReplayer(events, {
      ignore: ['arguments.now', 'arguments.list.*.seen'],
      onUnused: () => {},
    });

    await expect(runTraced(at(2, 'b'), [replay])).rejects.toThrow(
      'the nearest is line 1 [-recorded-]{+asked+}\n  arguments.list.0.content: [-a-]{+b+}',
    );
    expect((await runTraced(at(2, 'a'), [replay])).result).toBe('a');
  });

  test('tells equal questions apart by their agent, their session, their white space and their pattern', async () => {
    const app = (live: boolean, order: readonly string[]) => async (tracer: Tracer) => {
      const answers: Record<string, unknown> = {};
      for (const who of order) {
        const [pattern = '', session_id = '', agent = '', content = ''] = who.split('/');
        await tracer.pattern(pattern, { session_id }, () =>
          tracer.agent(agent, async () => {
            answers[who] = await ask(tracer, content, () => (live ? who : unreachable()));
          }),
        );
      }
      return answers;
    };
    const all = ['p', 'q'].flatMap((pattern) =>
      ['s', 't'].flatMap((session) =>
        ['a', 'b'].flatMap((agent) =>
          ['x y', 'x  y'].map((content) => [pattern, session, agent, content].join('/')),
        ),
      ),
    );
    const live = await runTraced(app(true, all));
    await using replay = await createReplayer(live.events);

    const { result } = await runTraced(app(false, all.toReversed()), [replay]);

    expect(result).toEqual(live.result);
  });

  test('has 100 agents of one name get their own answers, in whatever order they ask', async () => {
    const app = (live: boolean, wait: () => number) => (tracer: Tracer) =>
      Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          tracer.agent('worker', async () => {
            for (let turns = wait(); turns > 0; turns--) await turn();
            const first = await ask(tracer, `part ${i % 50}`, () =>
              live ? `answer ${i % 50}` : unreachable(),
            );
            for (let turns = wait(); turns > 0; turns--) await turn();
            return ask(tracer, `${String(first)} again`, () =>
              live ? `done ${i % 50}` : unreachable(),
            );
          }),
        ),
      );
    const live = await runTraced(app(true, () => 1));
    await using replay = await createReplayer(live.events);
    let seed = 1;

    const replayed = await runTraced(
      app(false, () => (seed = (seed * 48_271) % 2_147_483_647) % 7),
      [replay],
    );

    expect(replayed.result).toEqual(live.result);
    expect(normalForm(replayed.events)).toEqual(normalForm(live.events));
    expect(replay.unused()).toEqual([]);
  });

  test('lists what nobody asked for, and says so when it is closed', async () => {
    const { events } = await runTraced((tracer) =>
      tracer.agent('bull', async () => {
        await ask(tracer, 'one', () => 1);
        tracer.tool('search', {}, () => 2);
      }),
    );
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    {
      await using replay = await createReplayer(events);
      expect(replay.unused()).toEqual([
        { kind: 'llm_call', agent_name: 'bull', line: 2 },
        { kind: 'tool', agent_name: 'bull', line: 4 },
      ]);
      expect(warn).not.toHaveBeenCalled();
    }
    expect(warn.mock.calls).toEqual([
      [
        'stream: 2 recorded answers were not asked for: llm_call of agent "bull" (line 2), tool of agent "bull" (line 4)',
      ],
    ]);
  });

  test('does not miss what was asked inside of something that is answered', async () => {
    const app = (live: boolean) => (tracer: Tracer) =>
      tracer.tool('delegate', {}, async () => {
        if (!live) unreachable();
        return tracer.agent('sub', () => ask(tracer, 'inner', () => 'deep'));
      });
    const live = await runTraced(app(true));
    await using replay = await createReplayer(live.events);

    expect((await runTraced(app(false), [replay])).result).toBe('deep');
    expect(replay.unused()).toEqual([]);
  });

  test('gives an error that was thrown through several operations to each of them', async () => {
    const app = (live: boolean) => async (tracer: Tracer) => {
      const outer = tracer.tool('delegate', {}, async () => {
        if (!live) unreachable();
        return ask(tracer, 'inner', () => {
          throw new TypeError('deep');
        });
      });
      return outer.catch(({ name, message }: Error) => `${name}: ${message}`);
    };
    const { events } = await runTraced(app(true));
    await using replay = await createReplayer(events);

    expect((await runTraced(app(false), [replay])).result).toBe('TypeError: deep');
  });

  test('answers the slower calls of a race, which end when their agent has ended', async () => {
    const race = (live: boolean) => async (tracer: Tracer) => {
      const slower: Promise<unknown>[] = [];
      const first = await tracer.agent('racer', () => {
        const fast = ask(tracer, 'fast', () => (live ? 'hare' : unreachable()));
        const lost = ask(tracer, 'lost', async () => {
          if (!live) unreachable();
          for (let i = 0; i < 5; i++) await turn();
          throw new RangeError('late');
        });
        const slow = ask(tracer, 'slow', async () => {
          if (!live) unreachable();
          for (let i = 0; i < 5; i++) await turn();
          return 'tortoise';
        });
        slower.push(
          slow,
          lost.catch(({ message }: Error) => message),
        );
        return fast;
      });
      return [first, ...(await Promise.all(slower))];
    };
    const { events } = await runTraced(race(true));
    await using replay = await createReplayer(events);

    expect((await runTraced(race(false), [replay])).result).toEqual(['hare', 'tortoise', 'late']);
  });

  test('ends a call as cancelled that was, whatever its error is called', async () => {
    const app = (live: boolean) => async (tracer: Tracer) => {
      const stop = new AbortController();
      const call = tracer.llmCall({ model: 'm', signal: stop.signal }, async () => {
        if (!live) unreachable();
        stop.abort(new RangeError('too dear'));
        stop.signal.throwIfAborted();
      });
      return call.catch(({ name, message }: Error) => `${name}: ${message}`);
    };
    const live = await runTraced(app(true));
    await using replay = await createReplayer(live.events);
    const replayed = await runTraced(app(false), [replay]);

    expect(live.events.at(-1)?.payload).toMatchObject({ status: 'cancelled' });
    expect(replayed.result).toBe('RangeError: too dear');
    expect(normalForm(replayed.events)).toEqual(normalForm(live.events));
  });

  test('throws what was thrown, though it is no error', async () => {
    for (const thrown of ['text', 42, undefined, false]) {
      const { events } = await runTraced((tracer) =>
        ask(tracer, 'x', () => {
          throw thrown;
        }).catch(() => {}),
      );
      await using replay = await createReplayer(events);
      expect(
        await runTraced((tracer) => ask(tracer, 'x').catch((error: unknown) => [error]), [replay]),
      ).toMatchObject({
        result: [thrown],
      });
    }
  });

  test('gives a stream to who awaits it and to who reads it, where a plain function made the call', async () => {
    const streamed = (live: boolean) => (tracer: Tracer) =>
      tracer.llmCall({ model: 'm', stream: true }, () =>
        live ? chunksOf(['a', 'b']) : unreachable(),
      );
    const { events } = await runTraced(async (tracer) => {
      for await (const _ of streamed(true)(tracer));
      for await (const _ of streamed(true)(tracer));
    });
    await using replay = await createReplayer(events);

    const { result, events: replayed } = await runTraced(
      async (tracer) => {
        const read: string[] = [];
        // oxlint-disable-next-line typescript/await-thenable -- as for a client that gives a promise
        for await (const piece of await streamed(false)(tracer)) read.push(piece);
        for await (const piece of streamed(false)(tracer)) read.push(piece);
        return read;
      },
      [replay],
    );
    expect(result).toEqual(['a', 'b', 'a', 'b']);
    expect(normalForm(replayed)).toEqual(normalForm(events));
  });

  test('does not end a stream of which nobody read the rest', async () => {
    const { events } = await runTraced(async (tracer) => {
      for await (const _ of tracer.llmCall({ model: 'm' }, () => chunksOf(['a', 'b', 'c']))) break;
    });
    await using replay = await createReplayer(events);
    const readAll = runTraced(
      async (tracer) => {
        for await (const _ of tracer.llmCall({ model: 'm' }, () => chunksOf<string>([])));
      },
      [replay],
    );

    await expect(readAll).rejects.toMatchObject({
      code: 'not_replayable',
      message: 'stream:1: llm_call cannot be replayed: nobody read on when it was recorded',
    });
  });

  test('gives the chunks of a stream at once, or at the times they came at', async () => {
    const events = (
      await runTraced(async (tracer) => {
        for await (const _ of tracer.llmCall({ model: 'm' }, () => chunksOf(['a', 'b'])));
        for await (const _ of tracer.llmCall({ model: 'm' }, () => chunksOf(['a', 'b'])));
      })
    ).events.map((event) => JSON.parse(encodeTraceEvent(event)) as TraceEvent);
    for (const { event_type, payload } of events)
      if (event_type === 'llm_response')
        Object.assign(payload, {
          result: {
            stream: [
              { at_ms: 100, chunk: 'a' },
              { at_ms: 400, chunk: 'b' },
            ],
          },
        });
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    try {
      for (const timing of ['recorded', 'none'] as const) {
        await using replay = await createReplayer(events, { timing, onUnused: () => {} });
        const startMs = performance.now();
        const reading = runTraced(
          async (tracer) => {
            const at: number[] = [];
            for await (const _ of tracer.llmCall({ model: 'm' }, () => chunksOf<string>([])))
              at.push(performance.now() - startMs);
            return at;
          },
          [replay],
        );
        if (timing === 'recorded') await vi.advanceTimersByTimeAsync(1_000);
        expect((await reading).result).toEqual(timing === 'recorded' ? [100, 400] : [0, 0]);
      }
    } finally {
      vi.useRealTimers();
    }
  });
});

/** The same run, as entries. */
async function recordedAgain(events: readonly TraceEvent[]): Promise<string> {
  const recorder = new Recorder({ path });
  for (const event of events) recorder.exportEvent(event);
  await recorder.shutdown();
  return path;
}

describe('createReplayer, where a recording cannot answer', () => {
  const call = (payload: object, more: object = {}): string =>
    JSON.stringify({
      timestamp: 1_700_000_000,
      agent_name: 'bull',
      pattern_type: '',
      event_type: 'llm_call',
      payload: { trace_id: 't', span_id: 's', ...payload },
      ...more,
    });
  const question = { model: 'm', messages_in: [{ role: 'user', content: 'Buy?' }] };
  const end = (payload: object): string => call(payload, { event_type: 'llm_response' });
  const fine = [
    call({ ...question, model: 'other', span_id: 'fine' }),
    end({ span_id: 'fine', response: 'Buy.', status: 'ok' }),
  ];
  const buy = (tracer: Tracer): Promise<unknown> =>
    tracer.agent('bull', () => tracer.llmCall(question, async () => unreachable()));

  test.each([
    [
      'a stream that was too long',
      { result: { stream: [], truncated: 5 } },
      'its stream was longer than a recording keeps',
    ],
    [
      'a text that was cut',
      { response: 'Buy[Truncated: 9 more characters]' },
      'its result holds "[Truncated: 9 more characters]"',
    ],
    [
      'a list that was cut',
      { result: { a: ['[Truncated: 3 more items]'] } },
      'its result holds "[Truncated: 3 more items]"',
    ],
    [
      'keys that were cut',
      { result: { '[Truncated]': 'more keys' } },
      'its result holds "[Truncated]"',
    ],
    [
      'what a processor cut',
      { result: '[Truncated: 70000 bytes]' },
      'its result holds "[Truncated: 70000 bytes]"',
    ],
    [
      'a secret that was redacted',
      { response: 'It is [REDACTED openai_key].' },
      'its result holds "[REDACTED openai_key]"',
    ],
    ['a payload that was redacted', { redacted: { reason: 'x' } }, 'its result was redacted'],
    [
      'bytes',
      { result: { data: '[Uint8Array 3 bytes]' } },
      'its result holds "[Uint8Array 3 bytes]"',
    ],
    ['a function', { result: [{ call: '[Function run]' }] }, 'its result holds "[Function run]"'],
    [
      'a result that was left out',
      { response: 'Buy.', result_captured: false },
      'its result was left out (captureResults or captureContent: false)',
    ],
    [
      'a failure without its error',
      { status: 'error' },
      'it failed, and the recording does not say how',
    ],
    ['no end', undefined, 'it never ended'],
  ])('says so at the question: %s', async (_, payload, problem) => {
    const lines = [
      ...fine,
      call(question),
      ...(payload ? [end({ status: 'ok', ...payload })] : []),
    ];
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    await using replay = await createReplayer(path, { onUnused: () => {} });

    await expect(runTraced(buy, [replay])).rejects.toMatchObject({
      code: 'not_replayable',
      message: `${path}:3: llm_call of agent "bull" cannot be replayed: ${problem}`,
    });
  });

  test('gives an answer that is there rather than one that is not', async () => {
    const lines = [
      call(question),
      call({ ...question, span_id: 'second' }),
      end({ span_id: 'second', response: 'Buy.', status: 'ok' }),
    ];
    await using replay = await createReplayer(lines.map((line) => `${line}\n`));

    expect((await runTraced(buy, [replay])).result).toBe('Buy.');
    expect(replay.unused()).toEqual([]);
  });

  test.each([[{ captureResults: false }], [{ captureContent: false }]])(
    'says so at once where no call has a result: %o',
    async (options) => {
      const { events } = await runTraced(
        (tracer) => ask(tracer, 'Buy?', () => 'Buy.'),
        [],
        options,
      );
      writeFileSync(path, linesOf(events));

      await expect(createReplayer(path)).rejects.toMatchObject({
        code: 'not_replayable',
        message: `${path}: no call can be replayed: that of line 1, as an example: its result was left out (captureResults or captureContent: false)`,
      });
    },
  );

  test('refuses a file of both kinds, and lines that are none, with file and line', async () => {
    const entry = {
      timestamp: 1,
      event_type: 'message',
      agent_name: '',
      messages_in: [],
      response: '',
      metadata: {},
    };
    for (const [lines, problem] of [
      [[...fine, JSON.stringify(entry)], ':3: an entry of a recording in a trace'],
      [[JSON.stringify(entry), ...fine], ':2: an event of a trace in a recording'],
      [[...fine, '{"timestamp":"now"}'], ':3: expected Unix seconds, got a string'],
      [[...fine, 'hello', ''], ':3: not JSON'],
    ] as const) {
      writeFileSync(path, lines.join('\n'));
      await expect(createReplayer(path)).rejects.toMatchObject({
        name: 'TraceReadError',
        code: 'invalid_line',
        message: expect.stringContaining(`${path}${problem}`) as string,
      });
    }
  });

  test('loses no call that comes after a decision which is part of nothing', async () => {
    const app = (live: boolean) => async (tracer: Tracer) => [
      await tracer.routing({ difficulty: 1 }, async () => (live ? 'small' : unreachable())),
      await ask(tracer, 'one', () => (live ? 1 : unreachable())),
    ];
    const { events } = await runTraced(app(true));
    await using replay = await createReplayer(events);
    expect((await runTraced(app(false), [replay])).result).toEqual(['small', 1]);
  });

  test('keeps no temporary file of a source that is wrong', async () => {
    const close = vi.spyOn(Shelf.prototype, 'close');
    await expect(createReplayer([`${fine.join('\n')}\nhello\n`])).rejects.toThrow('not JSON');
    expect(close).toHaveBeenCalledOnce();
  });

  test('reads what a kill has left', async () => {
    writeFileSync(path, `${fine.join('\n')}\n${call(question).slice(0, 50)}`);
    await using replay = await createReplayer(path, { onUnused: () => {} });

    expect(replay.stats()).toMatchObject({ unused: 1, tornTail: true });
  });

  test('auto goes on after half a line, and what it has written then can be replayed', async () => {
    const app = async (tracer: Tracer): Promise<unknown> => [
      await ask(tracer, 'one', () => 1),
      await ask(tracer, 'two', () => 2),
    ];
    const run = async (mode: 'record' | 'auto' | 'replay'): Promise<object> => {
      await using replay = await createReplayer(path, { mode });
      expect((await runTraced(app, [replay])).result).toEqual([1, 2]);
      return replay.stats();
    };
    await run('record');
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, -40));

    expect(await run('auto')).toMatchObject({ replayed: 1, recorded: 1, tornTail: true });
    expect(await run('replay')).toMatchObject({ replayed: 2, missed: 0, tornTail: true });
  });

  test.each([
    [
      'a file that is missing',
      'missing.jsonl',
      {},
      'missing.jsonl: ENOENT: no such file or directory; mode "record" or "auto" records one, but "auto" not where CI is set',
    ],
    ['no source', undefined, {}, 'createReplayer: expected a path, a file URL or an iterable'],
    ['another option', [], { speed: 2 }, 'createReplayer: unknown option "speed"'],
    ['no mode', [], { mode: 'rerecord' }, 'createReplayer: mode: '],
    ['no list of places', [], { ignore: 'id' }, 'createReplayer: ignore: expected array'],
  ])('refuses %s', async (_, source, options, problem) => {
    await expect(createReplayer(source as never, options as never)).rejects.toThrow(problem);
  });

  test('answers nothing after it is closed', async () => {
    const replay = await createReplayer(
      fine.map((line) => `${line}\n`),
      { onUnused: () => {} },
    );
    await replay.close();

    await expect(runTraced(buy, [replay])).rejects.toMatchObject({ code: 'replayer_closed' });
  });
});

describe('createReplayer, modes', () => {
  const twice = (live: () => unknown) => async (tracer: Tracer) => [
    await ask(tracer, 'one', live),
    await ask(tracer, 'two', live),
  ];

  test('record does everything, and starts the file anew', async () => {
    for (const answer of ['old', 'new']) {
      await using replay = await createReplayer(path, { mode: 'record' });
      await runTraced(
        twice(() => answer),
        [replay],
      );
      expect(replay.stats()).toEqual({
        replayed: 0,
        missed: 0,
        recorded: 2,
        failed: 0,
        unused: 0,
        tornTail: false,
      });
    }
    const responses = (await Recorder.load(path)).map(({ response }) => response);
    expect(responses).toEqual(['new', 'new']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('auto does what is missing, and adds it to the recording', async () => {
    {
      await using replay = await createReplayer(path, { mode: 'auto' });
      await runTraced((tracer) => ask(tracer, 'one', () => 'recorded'), [replay]);
    }
    {
      await using replay = await createReplayer(path, { mode: 'auto' });
      const { result } = await runTraced(
        twice(() => 'live'),
        [replay],
      );
      expect(result).toEqual(['recorded', 'live']);
      expect(replay.stats()).toMatchObject({ replayed: 1, missed: 1, recorded: 1, unused: 0 });
    }
    await using replay = await createReplayer(path);
    expect((await runTraced(twice(unreachable), [replay])).result).toEqual(['recorded', 'live']);
  });

  test('auto is replay in CI, whoever asks for it', async () => {
    vi.stubEnv('CI', 'true');
    await expect(createReplayer(path, { mode: 'auto' })).rejects.toThrow('ENOENT');
    vi.stubEnv('PYAGENT_TRACE_REPLAY', 'auto');
    await expect(createReplayer(path, { mode: 'live' })).rejects.toThrow('ENOENT');
  });

  test('live does everything, and neither reads nor writes', async () => {
    await using replay = await createReplayer(path, { mode: 'live' });

    expect(
      (
        await runTraced(
          twice(() => 1),
          [replay],
        )
      ).result,
    ).toEqual([1, 1]);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  test('record and auto write over nobody’s trace, notes or archive', async () => {
    const { events } = await runTraced(twice(() => 1));
    for (const mode of ['record', 'auto'] as const)
      for (const [content, what] of [
        [linesOf(events), 'a trace'],
        ['# Notes\n', 'something else'],
        [gzipSync('{}'), 'a packed file'],
      ] as const) {
        writeFileSync(path, content);
        await expect(createReplayer(path, { mode })).rejects.toMatchObject({
          code: 'invalid_option',
          message: `createReplayer: mode "${mode}" writes recordings, and ${path} holds ${what}`,
        });
        expect(readFileSync(path)).toEqual(Buffer.from(content));
        await expect(createReplayer([], { mode })).rejects.toThrow('expected a path or a file URL');
      }
  });

  test.each(['record', 'auto'] as const)('%s refuses at once what is no file', async (mode) => {
    execFileSync('mkfifo', [path]);
    await expect(createReplayer(path, { mode })).rejects.toMatchObject({
      code: 'read_failed',
      message: `${path}: ENOTSUP: expected a regular file, got a pipe, socket or device`,
    });
    const link = join(folder, 'link.jsonl');
    symlinkSync(join(folder, 'nowhere.jsonl'), link);
    await expect(createReplayer(link, { mode })).rejects.toThrow(`${link}: ELOOP`);
    await expect(createReplayer(folder, { mode })).rejects.toThrow(`${folder}: EISDIR`);
    writeFileSync(join(folder, 'file'), '');
    const below = join(folder, 'file', 'run.jsonl');
    await expect(createReplayer(below, { mode })).rejects.toThrow(
      new RegExp(`^${below}: ENOTDIR: not a directory$`),
    );
  });

  test('replays what Python’s recorder wrote of a call without messages', async () => {
    const line = `{"timestamp":1,"event_type":"llm_call","agent_name":"","messages_in":[],"response":"Hm.","metadata":{}}\n`;
    await using replay = await createReplayer([line, line]);
    for (const more of [{ messages_in: [] }, {}]) {
      const app = (tracer: Tracer): unknown =>
        tracer.llmCall({ model: 'm', ...more }, async () => unreachable());
      expect((await runTraced(app, [replay])).result).toBe('Hm.');
    }
  });

  test('replays what Python’s recorder wrote, by agent, messages and model', async () => {
    const line = (agent_name: string, model: object, response: string): string =>
      `${JSON.stringify({
        timestamp: 1_795_338_959.5,
        event_type: 'llm_call',
        agent_name,
        messages_in: [{ role: 'user', content: 'Buy?', name: '' }],
        response,
        metadata: { round: 1, ...model },
      })}\n`;
    await using replay = await createReplayer([
      line('bull', { model: 'gpt-4o' }, 'Buy.'),
      line('bull', { model: 'claude' }, 'Hold.'),
      line('bear', {}, 'Sell.'),
    ]);
    const from = (agent: string, model: string) => (tracer: Tracer) =>
      tracer.agent(agent, () =>
        tracer.llmCall(
          {
            provider: 'any',
            model,
            temperature: 1,
            messages_in: [{ role: 'user', content: 'Buy?' }],
          },
          async () => unreachable(),
        ),
      );

    expect((await runTraced(from('bull', 'claude'), [replay])).result).toBe('Hold.');
    expect((await runTraced(from('bear', 'gpt-4o'), [replay])).result).toBe('Sell.');
    await expect(runTraced(from('bull', 'gpt-5'), [replay])).rejects.toThrow(
      'the nearest is line 1 [-recorded-]{+asked+}\n  model: gpt-[-4o-]{+5+}',
    );
    expect((await runTraced(from('bull', 'gpt-4o'), [replay])).result).toBe('Buy.');
  });
});

describe('createReplayer beside other interceptors', () => {
  test('leaves a budget behind it alone, and one before it books what the recorded calls cost', async () => {
    const costing = (tracer: Tracer): Promise<unknown> =>
      tracer.llmCall({ model: 'm' }, async (call) => {
        call.respond({ response: 'Buy.', cost_usd: 2 });
        return 'Buy.';
      });
    const { events } = await runTraced(async (tracer) => [
      await costing(tracer),
      await costing(tracer),
    ]);
    const spent: number[] = [];
    const booking: Interceptor = (operation, next) => {
      operation.onEnd((end) => void spent.push(Number(end['cost_usd'])));
      return next();
    };
    await using replay = await createReplayer(events);

    await runTraced(costing, [replay, booking]);
    expect(spent).toEqual([]);
    await runTraced(costing, [booking, replay]);
    expect(spent).toEqual([2]);
  });

  test('records a question as it was when it was asked', async () => {
    const app = (live: boolean) => (tracer: Tracer) => {
      const messages_in = [{ role: 'user', content: 'Buy?' }];
      return tracer.llmCall({ model: 'm', messages_in }, async () => {
        if (!live) unreachable();
        messages_in.push({ role: 'assistant', content: 'Buy.' });
        return 'Buy.';
      });
    };
    await using recording = await createReplayer(path, { mode: 'record' });
    await runTraced(app(true), [recording]);
    await using replay = await createReplayer(path);

    expect((await runTraced(app(false), [replay])).result).toBe('Buy.');
  });

  test('is in no hurry over a circle of parents', async () => {
    const event = (event_type: string, span_id: string, parent_span_id: string): string =>
      `${JSON.stringify({ timestamp: 1, event_type, agent_name: 'a', pattern_type: '', payload: { trace_id: 't', span_id, parent_span_id, tool_name: 'x', arguments: span_id, message: 'm', status: 'error' } })}\n`;
    await using replay = await createReplayer(
      [
        event('tool_start', 'a', 'b'),
        event('tool_start', 'b', 'a'),
        event('error', 'a', 'b'),
        event('tool_end', 'a', 'b'),
        event('tool_end', 'b', 'a'),
        event('tool_start', 'c', 'c'),
        event('tool_end', 'c', 'c'),
      ],
      { onUnused: () => {} },
    );

    expect(replay.unused()).toHaveLength(3);
  });
});
