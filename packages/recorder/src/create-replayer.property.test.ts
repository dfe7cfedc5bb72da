import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Tracer } from '@pyagent-trace/core/tracer';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { normalForm } from '../fixtures/normal-form.ts';
import { runTraced, unreachable } from '../fixtures/run-traced.ts';
import { createReplayer } from './create-replayer.ts';

/** A call as an app may make it. What comes of it follows from what is asked. */
interface Call {
  readonly kind: 'async' | 'plain' | 'stream' | 'streaming' | 'tool' | 'routing';
  readonly question: unknown;
  readonly ending: 'value' | 'throw' | 'leave';
  readonly answer: unknown;
  readonly set: Record<string, unknown>;
  /** How often others go on before it is made, live and in the replay. */
  readonly turns: readonly [live: number, replayed: number];
}

interface Agent {
  readonly name: string;
  readonly session: string;
  readonly calls: readonly Call[];
}

/** Without backslashes: JSON.parse may mistake other keys for one that has them (nodejs/node#63785). */
const stringUnit = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 })
  .filter((unit) => unit !== '\\');
const data = fc.jsonValue({ maxDepth: 2, stringUnit }).map((value) => value ?? 'null');
const text = fc.oneof(
  fc.string(),
  fc.constantFrom('Buy?', ' Buy? ', '{"a": 1}', '\u2028', '__proto__'),
);

const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom('async', 'plain', 'stream', 'streaming', 'tool', 'routing'),
  question: fc.oneof(text, data),
  ending: fc.constantFrom('value', 'value', 'throw', 'leave'),
  answer: fc.oneof(text, data, fc.constant(undefined)),
  set: fc.dictionary(fc.constantFrom('response', 'finish', 'model', 'hits'), text, { maxKeys: 2 }),
  turns: fc.tuple(fc.nat(3), fc.nat(3)),
});

const agents: fc.Arbitrary<readonly Agent[]> = fc.array(
  fc.record({
    name: fc.constantFrom('bull', 'bear', '__proto__', ''),
    session: fc.constantFrom('s', 't'),
    calls: fc.array(call, { maxLength: 6 }),
  }),
  { maxLength: 5 },
);

/** @param live whether the functions run; nothing of them may in a replay */
function appOf(plan: readonly Agent[], live: boolean): (tracer: Tracer) => Promise<unknown> {
  return (tracer) =>
    Promise.all(
      plan.map(({ name, session, calls }, index) =>
        tracer.pattern('run', { session_id: session }, () =>
          tracer.agent(name, async () => {
            const seen: unknown[] = [];
            for (const [at, planned] of calls.entries()) {
              for (let turns = planned.turns[live ? 0 : 1]; turns > 0; turns--) await turn();
              seen.push(await make(tracer, planned, [index, at], live));
            }
            return seen;
          }),
        ),
      ),
    );
}

/** What the app sees of a call. */
async function make(
  tracer: Tracer,
  { kind, question, ending, answer, set }: Call,
  place: readonly number[],
  live: boolean,
): Promise<unknown> {
  const request = { model: 'm', messages_in: [{ role: 'user', content: question, place }] };
  const work = (span: { set: (payload: object) => void }): unknown => {
    if (!live) unreachable();
    span.set(set);
    if (ending === 'throw') throw Object.assign(new RangeError(String(answer)), { code: 7 });
    return answer;
  };
  async function* pieces(span: { set: (payload: object) => void }): AsyncGenerator {
    if (!live) unreachable();
    yield answer ?? null;
    yield work(span) ?? null;
  }
  const read = async (stream: AsyncIterable<unknown>): Promise<unknown> => {
    const chunks: unknown[] = [];
    try {
      for await (const chunk of stream) {
        chunks.push(chunk);
        if (ending === 'leave') break;
      }
    } catch (error) {
      chunks.push(describeThrown(error));
    }
    return chunks;
  };
  try {
    switch (kind) {
      case 'async':
        return await tracer.llmCall(request, async (span) => work(span));
      case 'plain':
        return await tracer.llmCall(request, (span) => work(span));
      case 'stream':
        return await read(tracer.llmCall(request, pieces));
      case 'streaming':
        return await read(await tracer.llmCall(request, async (span) => pieces(span)));
      case 'tool':
        return tracer.tool('t', { question, place }, (span) => work(span));
      default:
        return tracer.routing({ difficulty: 3, alternatives: [question, place] }, (span) =>
          ending === 'throw' ? answer : work(span),
        );
    }
  } catch (error) {
    return describeThrown(error);
  }
}

function describeThrown(error: unknown): unknown {
  const { name, message, code } = error as NodeJS.ErrnoException;
  return { name, message, code };
}

describe('createReplayer', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'replay-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test.each(['trace', 'recording'] as const)(
    'answers any run from its %s as it went, whatever goes on at the same time',
    { timeout: 60_000 },
    async (kind) => {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(agents, async (plan) => {
          const path = join(folder, `${(runs += 1)}.jsonl`);
          await using recording = await createReplayer(path, {
            mode: kind === 'recording' ? 'record' : 'live',
          });
          const live = await runTraced(appOf(plan, true), [recording]);
          await recording.close();

          await using replay = await createReplayer(kind === 'trace' ? live.events : path);
          const replayed = await runTraced(appOf(plan, false), [replay]);

          expect(JSON.stringify(replayed.result)).toEqual(JSON.stringify(live.result));
          expect(normalForm(replayed.events)).toEqual(normalForm(live.events));
          expect(replay.stats()).toMatchObject({ missed: 0, unused: 0 });
        }),
        { numRuns: 150 },
      );
    },
  );
});
