import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TraceError, TraceEventBus } from '@pyagent-trace/core';
import { hostilePayloads, MemoryExporter } from '@pyagent-trace/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Recorder } from './recorder.ts';

const START = 1_735_689_600;
const MESSAGES = [
  { role: 'system', content: 'You are a bull.' },
  { role: 'user', content: 'Buy?', name: 'ann' },
];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorder-'));
  vi.useFakeTimers({ now: START * 1000, toFake: ['Date', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function record(recorder: Recorder): Recorder {
  recorder.start('debate');
  recorder.recordLlmCall({
    agent_name: 'bull',
    messages: MESSAGES,
    response: 'Buy.',
    metadata: { model: 'gpt-4o', round: 1 },
  });
  recorder.recordLlmCall({ agent_name: 'bear', messages: [], response: '' });
  vi.advanceTimersByTime(250);
  recorder.end('Hold.');
  return recorder;
}

const ENTRIES = [
  {
    timestamp: START,
    event_type: 'pattern_start',
    agent_name: '',
    messages_in: [],
    response: '',
    metadata: { pattern_type: 'debate' },
  },
  {
    timestamp: START,
    event_type: 'llm_call',
    agent_name: 'bull',
    messages_in: [
      { role: 'system', content: 'You are a bull.', name: '' },
      { role: 'user', content: 'Buy?', name: 'ann' },
    ],
    response: 'Buy.',
    metadata: { model: 'gpt-4o', round: 1 },
  },
  {
    timestamp: START,
    event_type: 'llm_call',
    agent_name: 'bear',
    messages_in: [],
    response: '',
    metadata: {},
  },
  {
    timestamp: START + 0.25,
    event_type: 'pattern_end',
    agent_name: '',
    messages_in: [],
    response: 'Hold.',
    metadata: { duration_seconds: 0.25 },
  },
];

describe('Recorder', () => {
  test('records what its methods are told, with the keys of the seed in their order', () => {
    const recorder = record(new Recorder());

    expect(recorder.entries).toEqual(ENTRIES);
    expect(recorder.llmCalls).toEqual(ENTRIES.slice(1, 3));
    expect(JSON.stringify(recorder.entries)).toBe(JSON.stringify(ENTRIES));
  });

  test('emits on its bus the events of the seed', () => {
    const bus = new TraceEventBus();
    const exporter = new MemoryExporter();
    bus.attach(exporter);

    record(new Recorder({ bus }));

    const event = { timestamp: START, agent_name: '', pattern_type: '' };
    expect(exporter.events).toEqual([
      {
        ...event,
        event_type: 'pattern_start',
        pattern_type: 'debate',
        payload: { pattern_type: 'debate' },
      },
      {
        ...event,
        event_type: 'llm_call',
        agent_name: 'bull',
        payload: { response: 'Buy.', model: 'gpt-4o', round: 1 },
      },
      {
        ...event,
        event_type: 'llm_call',
        agent_name: 'bear',
        payload: { response: '', model: '' },
      },
      {
        ...event,
        event_type: 'pattern_end',
        timestamp: START + 0.25,
        payload: { result_output: 'Hold.', duration_seconds: 0.25 },
      },
    ]);
  });

  test('records once what it emits on the bus it is attached to', () => {
    const bus = new TraceEventBus();
    const recorder = new Recorder({ bus });
    bus.attach(recorder);

    record(recorder);

    expect(recorder.entries).toEqual(ENTRIES);
    expect(recorder.stats()).toEqual({
      accepted: 8,
      dropped: 0,
      delivered: 8,
      failed: 0,
      pending: 0,
    });
  });

  test('keeps what it was told as it was then, and gives copies', () => {
    const recorder = new Recorder();
    const messages = [{ role: 'user', content: 'Buy?' }];
    const metadata = { model: 'gpt-4o' };
    recorder.recordLlmCall({ agent_name: 'bull', messages, response: 'Buy.', metadata });

    messages.push({ role: 'user', content: 'Sell?' });
    metadata.model = 'changed';
    const [entry] = recorder.entries as { metadata: object }[];
    Object.assign((entry as { metadata: object }).metadata, { model: 'changed' });

    expect(recorder.entries).toMatchObject([
      { messages_in: [{ content: 'Buy?' }], metadata: { model: 'gpt-4o' } },
    ]);
    expect(recorder.entries[0]?.messages_in).toHaveLength(1);
  });

  test('takes whatever an app gives it, and counts what it cannot record', () => {
    const recorder = new Recorder();
    const hostile = hostilePayloads();
    for (const { payload } of hostile)
      recorder.recordLlmCall({
        agent_name: 'a',
        messages: [],
        response: '',
        metadata: payload,
      });
    recorder.recordLlmCall({ agent_name: 'a', messages: 7 as never, response: '' });

    expect(recorder.entries).toHaveLength(hostile.length);
    expect(recorder.stats()).toMatchObject({
      accepted: hostile.length + 1,
      delivered: hostile.length,
      failed: 1,
      error: expect.stringContaining('map') as string,
    });
  });

  test('an end without a start took no time', () => {
    const recorder = new Recorder();
    recorder.end('Done.');

    expect(recorder.entries[0]?.metadata).toEqual({ duration_seconds: 0 });
  });

  test.each([
    [{ paht: 'x' }, 'Recorder: unknown option "paht"; known are bus, path'],
    [{ bus: {} }, 'Recorder: bus: expected an object with emit(), got an object'],
    [{ path: '' }, "Recorder: path: expected a path or file: URL, got ''"],
    [{ path: 7 }, 'Recorder: path: expected a path or file: URL, got 7'],
    [
      { path: new URL('https://example.com/x') },
      'Recorder: path: expected a path or file: URL, got https://example.com/x',
    ],
  ])('refuses %j', (options, problem) => {
    expect(() => new Recorder(options as never)).toThrow(new TraceError('invalid_option', problem));
  });
});

describe('Recorder.save and Recorder.load', () => {
  test('write and read a file, for its owner alone, in directories that are made', async () => {
    const path = join(folder, 'a', 'b', 'run.jsonl');

    await record(new Recorder()).save(path);

    expect(await Recorder.load(path)).toEqual(ENTRIES);
    expect(await Recorder.load(pathToFileURL(path))).toEqual(ENTRIES);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, 'utf8').split('\n')[0]).toBe(
      '{"timestamp":1735689600,"event_type":"pattern_start","agent_name":"","messages_in":[],"response":"","metadata":{"pattern_type":"debate"}}',
    );
  });

  test('replaces a file at once: what was open goes on reading the old one', async () => {
    const path = join(folder, 'run.jsonl');
    writeFileSync(path, 'old\n');
    const before = statSync(path).ino;

    await record(new Recorder()).save(path);

    expect(statSync(path).ino).not.toBe(before);
    expect(readdirSync(folder)).toEqual(['run.jsonl']);
    expect(await Recorder.load(path)).toHaveLength(4);
  });

  test('an empty recorder saves an empty recording', async () => {
    const path = join(folder, 'run.jsonl');
    await new Recorder().save(path);

    expect(await Recorder.load(path)).toEqual([]);
  });

  test('what cannot be saved says where, and leaves the old file and nothing else', async () => {
    const path = join(folder, 'run.jsonl');
    writeFileSync(path, 'old\n');
    symlinkSync(path, join(folder, 'link.jsonl'));
    mkdirSync(join(folder, 'directory.jsonl'));
    const recorder = record(new Recorder());

    await expect(recorder.save(join(folder, 'link.jsonl'))).rejects.toMatchObject({
      code: 'write_failed',
      message: expect.stringMatching(/link\.jsonl: ELOOP/) as string,
    });
    await expect(recorder.save(join(folder, 'directory.jsonl'))).rejects.toThrow('EISDIR');
    await expect(recorder.save(join(path, 'below.jsonl'))).rejects.toThrow('below.jsonl: ENOTDIR');
    await expect(recorder.save('')).rejects.toThrow('Recorder.save: expected a path');
    expect(readFileSync(path, 'utf8')).toBe('old\n');
    expect(readdirSync(folder).toSorted()).toEqual(['directory.jsonl', 'link.jsonl', 'run.jsonl']);
  });

  test('load names file and line, or gives what it can to who listens', async () => {
    const path = join(folder, 'run.jsonl');
    await record(new Recorder()).save(path);
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[2] = (lines[2] as string).replace('"bear"', '7');
    writeFileSync(path, lines.join('\n'));

    await expect(Recorder.load(path)).rejects.toMatchObject({
      code: 'invalid_line',
      message: `${path}:3: agent_name: expected a string, got 7`,
    });
    const problems: string[] = [];
    const onError = ({ message }: Error): unknown => problems.push(message);
    expect(await Recorder.load(path, { onError })).toHaveLength(3);
    expect(problems).toHaveLength(1);
  });
});

describe('Recorder with a path', () => {
  test('appends each entry before the call returns, and keeps none', () => {
    const path = join(folder, 'a', 'run.jsonl');
    const recorder = new Recorder({ path });
    expect(existsSync(path)).toBe(false);

    recorder.start('debate');
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(2);
    recorder.end('Hold.');
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);

    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const read of [() => recorder.entries, () => recorder.llmCalls])
      expect(read).toThrow(
        new TraceError(
          'not_kept',
          `Recorder.entries: entries are in ${path} and not in memory; Recorder.load reads them`,
        ),
      );
  });

  test('cannot be saved elsewhere', async () => {
    const recorder = new Recorder({ path: join(folder, 'run.jsonl') });

    await expect(recorder.save(join(folder, 'other.jsonl'))).rejects.toMatchObject({
      code: 'not_kept',
    });
  });

  test('counts what a disk refuses, and says why, without throwing', async () => {
    const path = join(folder, 'run.jsonl');
    mkdirSync(path);
    const recorder = record(new Recorder({ path }));

    await recorder.flush({ timeoutMs: 0 });
    expect(recorder.stats()).toMatchObject({
      accepted: 4,
      delivered: 0,
      failed: 0,
      pending: 4,
      error: expect.stringContaining('EISDIR') as string,
    });
    rmSync(path, { recursive: true });
    await recorder.shutdown();

    expect(recorder.stats()).toEqual({
      accepted: 4,
      dropped: 0,
      delivered: 4,
      failed: 0,
      pending: 0,
    });
    expect(await Recorder.load(path)).toEqual(ENTRIES);
  });

  test('gives up at shutdown what the disk still refuses', async () => {
    const path = join(folder, 'run.jsonl');
    mkdirSync(path);
    chmodSync(path, 0o500);
    const recorder = record(new Recorder({ path }));

    await recorder.shutdown({ timeoutMs: 0 });
    recorder.start('late');

    expect(recorder.stats()).toMatchObject({
      accepted: 4,
      dropped: 1,
      delivered: 0,
      failed: 4,
      pending: 0,
    });
  });
});
