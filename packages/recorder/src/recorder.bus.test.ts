import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTraceEvent, type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { exporterContract, hostilePayloads, sampleRun } from '@pyagent-trace/core/testing';
import { createTracer } from '@pyagent-trace/core/tracer';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RecordEntry } from './record-entry.ts';
import { Recorder } from './recorder.ts';

/** Whether the disk under `writeSync` refuses. */
const disk = vi.hoisted(() => ({ full: false }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const writeSync = (fd: number, data: Uint8Array, offset: number): number => {
    if (!disk.full) return fs.writeSync(fd, data, offset);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  return { ...fs, writeSync };
});

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorder-'));
  path = join(folder, 'run.jsonl');
  disk.full = false;
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function spanIdsOf(entries: readonly RecordEntry[]): string[] {
  return entries.map(({ metadata }) => String(metadata['span_id']));
}

function linesOf(file: string): RecordEntry[] {
  try {
    return readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RecordEntry);
  } catch {
    return [];
  }
}

function attached(): { bus: TraceEventBus; recorder: Recorder } {
  const bus = new TraceEventBus();
  const recorder = new Recorder();
  bus.attach(recorder);
  return { bus, recorder };
}

/** Without what differs from run to run. */
function shapeOf({ event_type, agent_name, response, metadata }: RecordEntry): unknown[] {
  const { result, error, status } = metadata;
  return [event_type, agent_name, response, { result, error, status }];
}

async function* chunks(): AsyncGenerator<string> {
  yield 'Buy';
  yield ' it.';
}

async function fail(): Promise<never> {
  throw new RangeError('overloaded');
}

describe('Recorder, exporter contract', () => {
  const toFile = exporterContract(() => ({
    exporter: new Recorder({ path }),
    arrivedSpanIds: () => spanIdsOf(linesOf(path)),
    refuse: () => void (disk.full = true),
    recover: () => void (disk.full = false),
    // to a file that takes nothing there is no other end: it looks the same from here
    hang: () => void (disk.full = true),
    dispose: () => rmSync(path, { force: true }),
  }));
  test.each(toFile)('to a file: $name', async ({ run }) => run());

  const inMemory = exporterContract(
    () => {
      const exporter = new Recorder();
      return { exporter, arrivedSpanIds: () => spanIdsOf(exporter.entries) };
    },
    { cannot: ['refuse', 'hang'] },
  );
  test.each(inMemory)('in memory: $name', async ({ run }) => run());
});

describe('Recorder on a bus', () => {
  test('records a run, a call with question and answer in one entry', () => {
    const { bus, recorder } = attached();
    for (const event of sampleRun({ calls: 1 })) bus.emit(event);

    const [pattern, agent, call, agentEnd, end] = recorder.entries;
    const ids = { trace_id: '00000000000000000000000000000001' };
    const debate = { pattern_type: 'debate', ...ids };
    const inAgent = { ...debate, span_id: '0000000100000002', parent_span_id: '0000000100000001' };
    expect([pattern, agent, call, agentEnd, end]).toEqual([
      {
        timestamp: 1735689660,
        event_type: 'pattern_start',
        agent_name: '',
        messages_in: [],
        response: '',
        metadata: { ...debate, span_id: '0000000100000001', input: 'Should we buy?' },
      },
      {
        timestamp: 1735689660.125,
        event_type: 'agent_start',
        agent_name: 'bull',
        messages_in: [],
        response: '',
        metadata: { ...inAgent, input: 'Should we buy?', role: 'advocate' },
      },
      {
        timestamp: 1735689660.375,
        event_type: 'llm_call',
        agent_name: 'bull',
        messages_in: [{ role: 'user', content: 'Should we buy? (1)', name: '' }],
        response: 'Buy.',
        metadata: {
          ...debate,
          span_id: '0000000100000003',
          parent_span_id: '0000000100000002',
          provider: 'openai',
          model: 'gpt-4o',
          response_model: 'gpt-4o-2024-08-06',
          input_tokens: 12,
          output_tokens: 2,
          cost_usd: 0.00005,
          duration_ms: 125,
          status: 'ok',
        },
      },
      {
        timestamp: 1735689660.5,
        event_type: 'agent_end',
        agent_name: 'bull',
        messages_in: [],
        response: 'Buy.',
        metadata: { ...inAgent, duration_ms: 375 },
      },
      {
        timestamp: 1735689660.625,
        event_type: 'pattern_end',
        agent_name: '',
        messages_in: [],
        response: 'Buy.',
        metadata: {
          ...debate,
          span_id: '0000000100000001',
          duration_ms: 625,
          duration_seconds: 0.625,
          status: 'ok',
          llm_calls: 1,
        },
      },
    ]);
  });

  test('keeps what each call gave: objects, streams, tools, decisions, errors', async () => {
    const { bus, recorder } = attached();
    const tracer = createTracer(bus);
    const failure = Object.assign(new RangeError('no such ticker'), { code: 404 });

    await tracer.llmCall({ model: 'm' }, async () => ({ id: 1, text: 'Buy.' }));
    for await (const _ of tracer.llmCall({ model: 'm' }, () => chunks()));
    await tracer.tool('quote', { ticker: 'NVDA' }, async () => 42);
    await tracer.routing({ difficulty: 7 }, async () => 'gpt-4o');
    await tracer
      .tool('quote', { ticker: '?' }, async () => {
        throw failure;
      })
      .catch(() => {});

    const none = { result: undefined, error: undefined, status: undefined };
    expect(recorder.entries.map(shapeOf)).toEqual([
      ['llm_call', '', '', { ...none, result: { id: 1, text: 'Buy.' }, status: 'ok' }],
      [
        'llm_call',
        '',
        'Buy it.',
        {
          ...none,
          result: {
            stream: [
              { at_ms: expect.any(Number) as number, chunk: 'Buy' },
              { at_ms: expect.any(Number) as number, chunk: ' it.' },
            ],
          },
          status: 'ok',
        },
      ],
      ['tool_end', '', '', { ...none, result: 42, status: 'ok' }],
      ['routing_decision', '', '', { ...none, result: 'gpt-4o' }],
      [
        'tool_end',
        '',
        '',
        {
          ...none,
          error: { message: 'no such ticker', error_type: 'RangeError', code: 404 },
          status: 'error',
        },
      ],
    ]);
    expect(recorder.entries[2]?.metadata).toMatchObject({
      tool_name: 'quote',
      arguments: { ticker: 'NVDA' },
    });
    expect(recorder.stats()).toMatchObject({ failed: 0, pending: 0 });
  });

  test('an error that passes through operations is in the entries of all that failed with it', async () => {
    const { bus, recorder } = attached();
    const tracer = createTracer(bus);

    await tracer
      .tool('ask', {}, () => tracer.agent('bull', () => tracer.llmCall({ model: 'm' }, fail)))
      .catch(() => {});
    await tracer.tool('ask', {}, () => tracer.llmCall({ model: 'm' }, fail).catch(() => 'Hold.'));

    const error = { message: 'overloaded', error_type: 'RangeError' };
    const calls = recorder.entries.filter(({ event_type }) => /llm_call|tool/.test(event_type));
    expect(calls.map(shapeOf)).toEqual([
      ['llm_call', 'bull', '', { result: undefined, error, status: 'error' }],
      ['tool_end', '', '', { result: undefined, error, status: 'error' }],
      ['llm_call', '', '', { result: undefined, error, status: 'error' }],
      ['tool_end', '', '', { result: 'Hold.', error: undefined, status: 'ok' }],
    ]);
  });

  test('records the calls that end after their pattern, as the slower ones of a race do', async () => {
    const { bus, recorder } = attached();
    const tracer = createTracer(bus);
    const gate = new EventEmitter();
    const slow = once(gate, 'open').then(() => 'second');
    let loser: Promise<string> | undefined;

    await tracer.pattern('race', {}, async () => {
      loser = tracer.agent('slow', () => tracer.llmCall({ model: 'm' }, async () => slow));
      return tracer.llmCall({ model: 'm' }, async () => 'first');
    });
    gate.emit('open');
    await loser;

    expect(recorder.llmCalls.map(({ response }) => response)).toEqual(['first', 'second']);
    expect(recorder.stats()).toMatchObject({ failed: 0, pending: 0 });
  });

  test('pairs the calls of Python, which have no ids', () => {
    const { bus, recorder } = attached();
    const emit = (event_type: string, agent_name: string, payload: object): void =>
      bus.emit(
        createTraceEvent({
          event_type,
          agent_name,
          pattern_type: 'debate',
          payload: payload as never,
        }),
      );

    emit('llm_call', 'bull', { model: 'm', messages_in: [{ role: 'user', content: 'Buy?' }] });
    emit('llm_call', 'bear', { model: 'm', messages_in: [{ role: 'user', content: 'Sell?' }] });
    emit('llm_response', 'bull', { response: 'Buy.' });
    emit('llm_response', 'bear', { response: 'Sell.' });
    emit('llm_call', 'judge', { model: 'm', response: 'Hold.' });

    expect(
      recorder.llmCalls.map(({ agent_name, messages_in, response }) => [
        agent_name,
        messages_in[0]?.content,
        response,
      ]),
    ).toEqual([
      ['bull', 'Buy?', 'Buy.'],
      ['bear', 'Sell?', 'Sell.'],
      ['judge', undefined, 'Hold.'],
    ]);
    expect(recorder.llmCalls[0]?.metadata).toEqual({ pattern_type: 'debate', model: 'm' });
  });

  test('passes messages and types it does not know', () => {
    const { bus, recorder } = attached();
    const message = { messages_in: [{ role: 'user', content: 'Hi' }], response: 'Hello', topic: 1 };
    bus.emit(createTraceEvent({ event_type: 'message', agent_name: 'bull', payload: message }));
    bus.emit(createTraceEvent({ event_type: 'vendor.future', payload: { key: 1 } }));

    expect(recorder.entries).toMatchObject([
      {
        event_type: 'message',
        agent_name: 'bull',
        messages_in: [{ role: 'user', content: 'Hi', name: '' }],
        response: 'Hello',
        metadata: { topic: 1 },
      },
      { event_type: 'vendor.future', metadata: { key: 1 } },
    ]);
  });

  test('an answer that comes after a flush has an entry beside the one that says it is missing', async () => {
    const { bus, recorder } = attached();
    const [start, agent, call, answer, agentEnd, end] = sampleRun({ calls: 1 }) as TraceEvent[];
    for (const event of [start, agent, call, agentEnd, end]) bus.emit(event as TraceEvent);

    expect(recorder.llmCalls).toEqual([]);
    expect(recorder.stats()).toMatchObject({ accepted: 5, delivered: 4, pending: 1 });
    await recorder.flush();
    await recorder.flush();
    bus.emit(answer as TraceEvent);

    expect(recorder.llmCalls).toMatchObject([
      { response: '', metadata: { model: 'gpt-4o', incomplete: true } },
      {
        response: 'Buy.',
        timestamp: answer?.timestamp,
        metadata: { model: 'gpt-4o', status: 'ok' },
      },
    ]);
    expect(recorder.llmCalls[1]?.metadata).not.toHaveProperty('incomplete');
    expect(recorder.stats()).toEqual({
      accepted: 6,
      dropped: 0,
      delivered: 6,
      failed: 0,
      pending: 0,
    });
  });

  test('a call that has no end at shutdown is recorded as one', async () => {
    const { bus, recorder } = attached();
    for (const event of sampleRun().slice(0, 3)) bus.emit(event);

    expect(recorder.stats()).toMatchObject({ accepted: 3, delivered: 2, pending: 1 });
    await recorder.shutdown();

    expect(recorder.llmCalls).toMatchObject([{ response: '', metadata: { incomplete: true } }]);
    expect(recorder.stats()).toEqual({
      accepted: 3,
      dropped: 0,
      delivered: 3,
      failed: 0,
      pending: 0,
    });
  });

  test('counts the second end of a call as failed', () => {
    const { bus, recorder } = attached();
    const run = sampleRun({ calls: 1 });
    for (const event of [...run, run[3] as (typeof run)[number]]) bus.emit(event);

    expect(recorder.stats()).toMatchObject({
      failed: 1,
      error: 'events that came after their call had ended: 1',
    });
  });

  test('writes lines that can be read, whatever the payloads are', async () => {
    const { exportEvent } = new Recorder({ path });
    for (const { payload } of hostilePayloads())
      for (const event_type of ['llm_call', 'pattern_end', 'error', 'message'])
        exportEvent(createTraceEvent({ event_type, payload }));

    const problems: string[] = [];
    await Recorder.load(path, { onError: ({ message }) => problems.push(message) });

    expect(problems).toEqual([]);
    expect(readFileSync(path, 'utf8')).not.toMatch(/[\u2028\u2029]/);
  });
});
