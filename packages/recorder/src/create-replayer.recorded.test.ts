// oxlint-disable unicorn/consistent-function-scoping -- each app stands in the test that it is for
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runTraced, unreachable } from '../fixtures/run-traced.ts';
import { createReplayer } from './create-replayer.ts';
import { Recorder } from './recorder.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorded-'));
  path = join(folder, 'run.jsonl');
  vi.stubEnv('CI', '');
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

/** Runs an app in mode `record`, with a bus whose listener takes long. */
async function record(app: (tracer: Tracer) => unknown, onEvent = (): void => {}): Promise<void> {
  await using replay = await createReplayer(path, { mode: 'record' });
  const bus = new TraceEventBus();
  bus.subscribe(({ event_type }) => {
    if (/_response|_end|_decision/.test(event_type)) onEvent();
  });
  await app(createTracer(bus, { interceptors: [replay] }));
}

describe('createReplayer, from what mode record wrote', () => {
  test.each([
    [
      'model calls',
      (tracer: Tracer, run: () => Promise<string>) => tracer.llmCall({ model: 'm' }, run),
    ],
    ['tools', (tracer: Tracer, run: () => Promise<string>) => tracer.tool('roll', {}, run)],
    [
      'decisions',
      (tracer: Tracer, run: () => Promise<string>) => tracer.routing({ difficulty: 3 }, run),
    ],
  ])(
    'gives equal %s their answers in the order of asking, whoever ended first',
    async (_, call) => {
      vi.useFakeTimers({ toFake: ['Date', 'performance'] });
      const later: (() => void)[] = [];
      const app = (answers: readonly string[]) => (tracer: Tracer) =>
        Promise.all(
          answers.map((answer) => {
            const asked = call(tracer, async () => {
              await new Promise<void>((resume) => later.push(resume));
              return answer;
            });
            vi.advanceTimersByTime(1);
            return asked;
          }),
        );
      let ended = 0;
      const live = record(app(['first', 'second', 'third']), () =>
        vi.advanceTimersByTime(ended++ === 1 ? 50 : 0),
      );
      await vi.waitFor(() => expect(later).toHaveLength(3));
      for (const end of [2, 0, 1]) {
        later[end]?.();
        await new Promise((resume) => setImmediate(resume));
      }
      await live;

      await using replay = await createReplayer(path);
      const { result } = await runTraced(app(['', '', '']), [replay]);
      expect(result).toEqual(['first', 'second', 'third']);
    },
  );

  test('does not miss what was asked inside of something that is answered', async () => {
    const app = (live: boolean) => (tracer: Tracer) =>
      tracer.tool('delegate', {}, async () => {
        if (!live) unreachable();
        return tracer.agent('sub', async () => {
          await tracer.routing({ difficulty: 3 }, async () => 'small');
          return tracer.tool('look', {}, async () =>
            tracer.llmCall({ model: 'm' }, async () => 'deep'),
          );
        });
      });
    const recorder = new Recorder();
    const bus = new TraceEventBus();
    bus.attach(recorder);
    await app(true)(createTracer(bus));
    await record(app(true));

    for (const source of [recorder.entries, path]) {
      await using replay = await createReplayer(source);
      expect((await runTraced(app(false), [replay])).result).toBe('deep');
      expect(replay.unused()).toEqual([]);
    }
  });

  test('throws nothing where nothing was thrown but undefined', async () => {
    const app = (thrown: () => never) => (tracer: Tracer) =>
      tracer.llmCall({ model: 'm' }, async () => thrown()).catch((error: unknown) => [error]);
    await record(
      app(() => {
        throw undefined;
      }),
    );

    await using replay = await createReplayer(path);
    expect((await runTraced(app(unreachable), [replay])).result).toEqual([undefined]);
  });
});
