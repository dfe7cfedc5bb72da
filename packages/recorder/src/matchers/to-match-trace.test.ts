import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { ask, debate, eventsOf } from '../diff/run.fixture.ts';
import { Recorder } from '../recorder.ts';
import type { MatcherContext, MatcherResult } from './context.ts';
import { toMatchTrace } from './to-match-trace.ts';

const folder = mkdtempSync(join(tmpdir(), 'to-match-trace-'));
const ALL: MatcherContext = { snapshotState: { _updateSnapshot: 'all' } };
const NEW: MatcherContext = { snapshotState: { _updateSnapshot: 'new' } };
const NONE: MatcherContext = { snapshotState: { _updateSnapshot: 'none' } };

type Tail<Args extends unknown[]> = Args extends [unknown, ...infer Rest] ? Rest : never;

let files = 0;
function newFile(): string {
  files += 1;
  return join(folder, `${files}`, 'run.jsonl');
}

function run(answer: string): TraceEvent[] {
  return eventsOf(debate(ask(1, 'Buy?', answer, { answered: { cost_usd: answer.length } })));
}

async function match(
  context: MatcherContext,
  ...args: Tail<Parameters<typeof toMatchTrace>>
): Promise<{ pass: boolean; message: string }> {
  const { pass, message }: MatcherResult = await toMatchTrace(context, ...args);
  return { pass, message: message() };
}

describe('toMatchTrace', () => {
  test('writes a file that is missing, whole and readable by its owner alone, unless in CI', async () => {
    const file = newFile();

    expect(await match(NONE, run('Buy.'), file)).toEqual({
      pass: false,
      message: expect.stringMatching(
        /^toMatchTrace: .*run\.jsonl does not exist, and this run of the tests writes no files/,
      ),
    });
    expect(existsSync(file)).toBe(false);
    const events = run('Buy.');
    expect((await match(NEW, events, file)).pass).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(events.map((e) => `${encodeTraceEvent(e)}\n`).join(''));
    expect((await match(NONE, run('Buy.'), file)).pass).toBe(true);
  });

  test('shows where a run differs, and leaves out what is ignored', async () => {
    const file = newFile();
    await match(NEW, run('Buy.'), file);

    const { pass, message } = await match(NEW, run('Sell.'), file);
    expect(pass).toBe(false);
    expect(message).toContain('The runs differ first at debate → llm_call 1');
    expect(message).toContain('response: [-Buy-]{+Sell+}.');
    expect(message).toContain('run the tests with -u');
    const ignore = ['response', 'cost_usd'];
    expect((await match(NONE, run('Sell.'), file, { ignore })).pass).toBe(true);
  });

  test('is updated by the flag where it differs, and left alone where it does not', async () => {
    const file = newFile();
    await match(NEW, run('Buy.'), file);
    const before = readFileSync(file, 'utf8');

    expect((await match(ALL, run('Buy.'), file)).pass).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect((await match(ALL, run('Sell.'), file)).pass).toBe(true);
    expect((await match(NONE, run('Sell.'), file)).pass).toBe(true);
  });

  test('writes nothing with .not, which fails where there is nothing to differ from', async () => {
    const file = newFile();
    const not = { ...ALL, isNot: true };

    expect((await match(not, run('Buy.'), file)).pass).toBe(true);
    expect(existsSync(file)).toBe(false);
    await match(NEW, run('Buy.'), file);
    expect((await match(not, run('Sell.'), file)).pass).toBe(false);
    expect((await match(not, run('Buy.'), file)).message).toContain('expected a run that differs');
  });

  test('takes a path and a recorder, of which the recording is written', async () => {
    const [trace, recording] = [newFile(), newFile()];
    await match(NEW, run('Buy.'), trace);
    const recorder = new Recorder();
    recorder.recordLlmCall({
      agent_name: 'bull',
      messages: [{ role: 'user', content: 'Buy?' }],
      response: 'Buy.',
    });

    expect((await match(NONE, trace, trace)).pass).toBe(true);
    expect((await match(NEW, recorder, recording)).pass).toBe(true);
    expect(Object.keys(JSON.parse(readFileSync(recording, 'utf8')) as object)).toContain(
      'messages_in',
    );
    expect((await match(NONE, recorder, recording)).pass).toBe(true);
  });

  test('names what it cannot compare', async () => {
    const file = newFile();
    await match(NEW, run('Buy.'), file);
    writeFileSync(file, 'no JSON\n');

    await expect(match(NONE, run('Buy.'), file)).rejects.toThrow(`${file}:1: not JSON`);
    await expect(match(NEW, 7, newFile())).rejects.toThrow(
      'toMatchTrace: received: expected a path, a file URL or an iterable of chunks',
    );
  });
});
