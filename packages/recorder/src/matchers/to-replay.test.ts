import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTraceEvent, encodeTraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { encodeEntry } from '../entry-of.ts';
import type { MatcherContext, MatcherResult } from './context.ts';
import { type ReplayedTrace, toReplay } from './to-replay.ts';

const folder = mkdtempSync(join(tmpdir(), 'to-replay-'));
const ALL: MatcherContext = { snapshotState: { _updateSnapshot: 'all' } };
const NEW: MatcherContext = { snapshotState: { _updateSnapshot: 'new' } };
const NONE: MatcherContext = { snapshotState: { _updateSnapshot: 'none' } };

type Tail<Args extends unknown[]> = Args extends [unknown, ...infer Rest] ? Rest : never;

let files = 0;
function newFile(): string {
  files += 1;
  return join(folder, `${files}`, 'run.jsonl');
}

interface Script {
  readonly questions: readonly string[];
  readonly answer?: (question: string) => string;
  readonly output?: string;
  /** What the app does about an agent that fails. */
  readonly fallback?: boolean;
}

function app({ questions, answer = (q) => `On ${q}`, output = 'Hold.', fallback }: Script) {
  return ({ tracer }: ReplayedTrace): Promise<string> =>
    tracer.pattern('debate', async () => {
      for (const content of questions) {
        const call = tracer.agent('bull', () =>
          tracer.llmCall(
            { model: 'm', messages_in: [{ role: 'user', content }] },
            async (handle) => {
              handle.respond({ response: answer(content), cost_usd: 0.5 });
              return answer(content);
            },
          ),
        );
        await (fallback === true ? call.catch(() => {}) : call);
      }
      return output;
    });
}

function offline(): string {
  throw new Error('the network was reached');
}

async function replay(
  context: MatcherContext,
  ...args: Tail<Parameters<typeof toReplay>>
): Promise<{ pass: boolean; message: string }> {
  const { pass, message }: MatcherResult = await toReplay(context, ...args);
  return { pass, message: message() };
}

const priced =
  (cost_usd: number) =>
  ({ bus, tracer }: ReplayedTrace): Promise<string> =>
    tracer.pattern('debate', async () => {
      const { trace_id, span_id } = tracer.current() ?? {};
      const ids = { trace_id, span_id: 'a', parent_span_id: span_id };
      for (const [event_type, payload] of [
        ['llm_call', { model: 'm' }],
        ['llm_response', { response: 'Buy.' }],
        ['cost_record', { cost_usd }],
      ] as const)
        bus.emit(createTraceEvent({ event_type, payload: { ...ids, ...payload } }));
      return 'Buy.';
    });

describe('toReplay', () => {
  test('records a run whose file is missing, unless in CI, and replays it without doing it', async () => {
    const file = newFile();
    const questions = ['gold', 'silver'];

    expect((await replay(NONE, app({ questions }), file)).message).toContain('does not exist');
    expect(existsSync(file)).toBe(false);
    expect((await replay(NEW, app({ questions }), file)).pass).toBe(true);
    expect((await replay(NONE, app({ questions, answer: offline }), file)).pass).toBe(true);
  });

  test('shows the question that was not recorded, also where the app goes on without its answer', async () => {
    const file = newFile();
    await replay(NEW, app({ questions: ['Buy gold?'] }), file);

    for (const fallback of [false, true]) {
      const { pass, message } = await replay(NEW, app({ questions: ['Buy oil?'], fallback }), file);
      expect(pass).toBe(false);
      expect(message).toContain(
        'run.jsonl: llm_call of agent "bull": not recorded; the nearest is',
      );
      expect(message).toContain('messages_in.0.content: Buy [-gold-]{+oil+}?');
      expect(message).toContain('run the tests with -u');
    }
    const ignore = ['messages_in.0.content'];
    expect((await replay(NONE, app({ questions: ['Buy oil?'] }), file, { ignore })).pass).toBe(
      true,
    );
  });

  test('names answers that were not asked for, and what differs', async () => {
    const file = newFile();
    await replay(NEW, app({ questions: ['gold', 'silver'] }), file);

    const { message } = await replay(NONE, app({ questions: ['gold'] }), file);
    expect(message).toContain(
      'run.jsonl has answers that were not asked for: llm_call of agent "bull" (line 7)',
    );
    expect(message).toContain('The runs differ first at debate → bull 2');
    const { message: other } = await replay(
      NONE,
      app({ questions: ['gold', 'silver'], output: 'Sell.' }),
      file,
    );
    expect(other).toContain('answer output: [-Hold-]{+Sell+}.');
    expect(other).not.toContain('not asked for');
  });

  test('does not compare costs, which a price list may change', async () => {
    const file = newFile();
    expect((await replay(NEW, priced(1), file)).pass).toBe(true);
    writeFileSync(file, readFileSync(file, 'utf8'));
    expect(await replay(NONE, priced(2), file)).toMatchObject({
      message: expect.not.stringContaining('cost_usd'),
    });
  });

  test('fails where the run fails, unless it was recorded so', async () => {
    const file = newFile();
    const failing = (trace: ReplayedTrace): Promise<string> =>
      app({
        questions: ['gold'],
        answer: () => {
          throw new TypeError('overloaded');
        },
      })(trace);

    expect((await replay(NEW, failing, file)).message).toContain(
      'the run failed, and was not recorded: overloaded',
    );
    expect(existsSync(file)).toBe(false);

    await replay(NEW, app({ questions: ['gold'] }), file);
    const after = async (trace: ReplayedTrace): Promise<void> => {
      await app({ questions: ['gold'] })(trace);
      throw new Error('no verdict');
    };
    expect((await replay(NONE, after, file)).message).toContain('the run failed: no verdict');

    const failed: string[] = [];
    const recordFailure = async ({ bus, tracer }: ReplayedTrace): Promise<void> => {
      bus.subscribe((event) => void failed.push(encodeTraceEvent(event)));
      await failing({ bus, tracer }).catch(() => {});
    };
    await replay(NEW, recordFailure, newFile());
    writeFileSync(file, `${failed.join('\n')}\n`);
    expect(await replay(NONE, failing, file)).toMatchObject({ pass: true });
  });

  test('records anew with the flag what does not replay, and nothing else', async () => {
    const file = newFile();
    await replay(NEW, app({ questions: ['gold'] }), file);
    const before = readFileSync(file, 'utf8');

    expect((await replay(ALL, app({ questions: ['gold'], answer: offline }), file)).pass).toBe(
      true,
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect((await replay(ALL, app({ questions: ['oil'] }), file)).pass).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain('On oil');
  });

  test('leaves a recording a recording', async () => {
    const file = newFile();
    await replay(NEW, app({ questions: ['gold'] }), file);
    const entry = {
      timestamp: 1,
      event_type: 'llm_call',
      agent_name: 'bull',
      messages_in: [{ role: 'user', content: 'gold', name: '' }],
      response: 'On gold',
      metadata: { model: 'm', pattern_type: 'debate', status: 'ok' },
    };
    writeFileSync(file, `${encodeEntry(entry)}\n`);

    expect(await replay(NONE, app({ questions: ['gold'], answer: offline }), file)).toMatchObject({
      pass: true,
    });
    expect((await replay(ALL, app({ questions: ['oil'] }), file)).pass).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain('"messages_in":[{"role":"user","content":"oil"');
    expect(readFileSync(file, 'utf8')).not.toContain('"payload"');
    expect((await replay(NONE, app({ questions: ['oil'], answer: offline }), file)).pass).toBe(
      true,
    );
  });

  test('with .not passes where the run does not replay, and writes nothing', async () => {
    const file = newFile();
    const not = { ...ALL, isNot: true };
    await replay(NEW, app({ questions: ['gold'] }), file);
    const before = readFileSync(file, 'utf8');

    expect((await replay(not, app({ questions: ['oil'] }), file)).pass).toBe(false);
    expect((await replay(not, app({ questions: ['gold'] }), file)).message).toContain(
      'expected a run that',
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect((await replay(not, app({ questions: ['gold'] }), newFile())).pass).toBe(true);
  });

  test('expects a function', async () => {
    expect(await replay(NEW, Promise.resolve(), newFile())).toEqual({
      pass: false,
      message: 'toReplay: expected a function to run',
    });
  });
});
