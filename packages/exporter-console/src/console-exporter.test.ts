import { Writable } from 'node:stream';
import {
  createTraceEvent,
  EVENT_TYPES,
  type TraceEvent,
  type TraceExporter,
} from '@pyagent-trace/core';
import { type ExporterSubject, exporterContract, sampleRun } from '@pyagent-trace/core/testing';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConsoleExporter, type ConsoleExporterOptions } from './console-exporter.ts';

class Memory {
  text = '';
  write(text: string): unknown {
    this.text += text;
    return undefined;
  }
}

const ESC = '\u001b';

beforeEach(() => {
  for (const name of ['FORCE_COLOR', 'NO_COLOR', 'COLUMNS', 'TERM']) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('ConsoleExporter', () => {
  describe('prints lines', () => {
    test.for(exporterContract(() => subjectOf('line')))('$name', ({ run }) => run());
  });

  describe('prints a tree', () => {
    test.for(exporterContract(() => subjectOf('pretty')))('$name', ({ run }) => run());
  });

  describe('prints to a stream', () => {
    test.for(exporterContract(streamSubject, { cannot: ['refuse'] }))('$name', ({ run }) => run());
  });

  test.for<[ConsoleExporterOptions, string]>([
    [
      { colunms: 80 } as ConsoleExporterOptions,
      'ConsoleExporter: unknown option "colunms"; known are output, format, color, columns',
    ],
    [
      { format: 'json' } as never,
      'ConsoleExporter: format: Invalid option: expected one of "line"|"pretty", got "json"',
    ],
    [
      { output: {} } as never,
      'ConsoleExporter: output: expected an object with a write(text) method, got an object',
    ],
    [{ columns: 39 }, 'ConsoleExporter: columns: Too small: expected number to be >=40, got 39'],
    [
      { columns: 1001 },
      'ConsoleExporter: columns: Too big: expected number to be <=1000, got 1001',
    ],
    [{ color: 'red' } as never, 'ConsoleExporter: color: expected boolean, got a string'],
  ])('refuses %j', ([options, message]) => {
    expect(() => new ConsoleExporter(options)).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message,
      }),
    );
  });

  test('prints to stdout by default', () => {
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    new ConsoleExporter({ format: 'line' }).exportEvent(event('agent_end', { output: 'done' }));
    expect(write.mock.calls.map(([text]) => text)).toEqual(['[agent_end] output=done\n']);
  });

  test('prints a tree on a terminal, lines elsewhere', () => {
    const terminal = Object.assign(new Memory(), { isTTY: true });
    const file = new Memory();
    for (const output of [terminal, file])
      for (const one of sampleRun({ calls: 0 }))
        new ConsoleExporter({ output, color: false }).exportEvent(one);
    expect(terminal.text).toMatch(/^┌ debate {2}Should we buy\?\n/);
    expect(file.text).toMatch(/^\[pattern_start\] pattern=debate /);
  });

  test.for<[Record<string, string>, boolean, boolean]>([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ TERM: 'dumb' }, true, false],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: 'false' }, true, false],
    [{ FORCE_COLOR: '' }, false, false],
  ])('with %j, on a terminal %j, has colors: %j', ([env, isTTY, colored]) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect(
      printed(sampleRun(), { output: Object.assign(new Memory(), { isTTY }) }).includes(ESC),
    ).toBe(colored);
  });

  test('takes color from the option before the environment', () => {
    vi.stubEnv('FORCE_COLOR', '1');
    expect(printed(sampleRun(), { color: false })).not.toContain(ESC);
    vi.stubEnv('FORCE_COLOR', '0');
    expect(printed(sampleRun(), { color: true })).toContain(`${ESC}[1mdebate${ESC}[22m`);
  });

  test('is as wide as the terminal at each line, else as COLUMNS, else 100', () => {
    const widths = (output: Memory, options: ConsoleExporterOptions = {}): number =>
      Math.max(
        ...printed(sampleRun(), { ...options, output, color: false })
          .split('\n')
          .map((line) => stringWidth(line)),
      );
    expect(widths(new Memory())).toBe(100);
    vi.stubEnv('COLUMNS', '120');
    expect(widths(new Memory())).toBe(120);
    expect(widths(Object.assign(new Memory(), { columns: 72 }))).toBe(72);
    expect(widths(Object.assign(new Memory(), { columns: 5 }))).toBe(40);
    expect(widths(Object.assign(new Memory(), { columns: 72 }), { columns: 60 })).toBe(60);
    expect(widths(Object.assign(new Memory(), { columns: 1e9 }))).toBe(1000);

    const growing = Object.assign(new Memory(), { columns: 60 });
    const exporter = new ConsoleExporter({ output: growing, format: 'pretty', color: false });
    for (const run of [1, 2]) {
      for (const one of sampleRun({ run })) exporter.exportEvent(one);
      growing.columns = 90;
    }
    const lines = growing.text
      .trimEnd()
      .split('\n')
      .map((line) => stringWidth(line));
    expect([lines[3], lines.at(-1)]).toEqual([60, 90]);
  });

  test('counts an event whose write throws as failed, and goes on', () => {
    const output = new Memory();
    const exporter = new ConsoleExporter({ output, format: 'line' });
    vi.spyOn(output, 'write').mockImplementationOnce(() => {
      throw new Error('no room');
    });
    exporter.exportEvent(event('agent_start', {}));
    exporter.exportEvent(event('agent_end', {}));
    expect(output.text).toBe('[agent_end]\n');
    expect(exporter.stats()).toEqual({
      accepted: 2,
      dropped: 0,
      delivered: 1,
      failed: 1,
      pending: 0,
      error: 'no room',
    });
  });

  test('counts an event whose row cannot be laid out as failed, and goes on', () => {
    const output = Object.assign(new Memory(), { columns: 80 });
    const exporter = new ConsoleExporter({ output, format: 'pretty', color: false });
    const columns = vi.spyOn(output, 'columns', 'get').mockImplementation(() => {
      throw new Error('no terminal');
    });
    exporter.exportEvent(event('agent_start', { span_id: 'a' }));
    columns.mockReturnValue(40);
    exporter.exportEvent(event('agent_start', { span_id: 'b' }));
    expect(output.text).toBe('┌ agent #2\n');
    expect(exporter.stats()).toEqual({
      accepted: 2,
      dropped: 0,
      delivered: 1,
      failed: 1,
      pending: 0,
      error: 'no terminal',
    });
  });

  test('counts a call whose row cannot be laid out after its wait as failed', () => {
    vi.useFakeTimers();
    const output = Object.assign(new Memory(), { columns: 80 });
    const exporter = new ConsoleExporter({ output, format: 'pretty', color: false });
    exporter.exportEvent(event('llm_call', { span_id: 'c', response: 'Buy.', input_tokens: 1 }));
    expect(exporter.stats()).toMatchObject({ accepted: 1, pending: 1 });
    vi.spyOn(output, 'columns', 'get').mockImplementation(() => {
      throw new Error('no terminal');
    });
    vi.advanceTimersByTime(300);
    expect(exporter.stats()).toEqual({
      accepted: 1,
      dropped: 0,
      delivered: 0,
      failed: 1,
      pending: 0,
      error: 'no terminal',
    });
  });

  test('counts what is no event as failed', () => {
    for (const format of ['line', 'pretty'] as const) {
      const exporter = new ConsoleExporter({ output: new Memory(), format });
      exporter.exportEvent(null as never);
      expect(exporter.stats()).toMatchObject({ accepted: 1, failed: 1, pending: 0 });
    }
  });

  test('waits for an output that writes asynchronously, whether it takes or refuses', async () => {
    const answers: { resolve: () => void; reject: (error: unknown) => void }[] = [];
    const output = {
      write: () => new Promise<void>((resolve, reject) => void answers.push({ resolve, reject })),
    };
    const exporter = new ConsoleExporter({ output, format: 'line' });
    for (const event_type of ['a', 'b', 'c']) exporter.exportEvent(event(event_type, {}));
    expect(exporter.stats()).toMatchObject({ accepted: 3, pending: 3 });
    const flushed = exporter.flush();
    answers[0]?.resolve();
    answers[1]?.reject(undefined);
    answers[2]?.reject(new Error('full'));
    await flushed;
    expect(exporter.stats()).toEqual({
      accepted: 3,
      dropped: 0,
      delivered: 1,
      failed: 2,
      pending: 0,
      error: 'full',
    });
  });

  test('does not wait for what came after the flush', async () => {
    const callbacks: (() => void)[] = [];
    const output = new Writable({
      write: (_chunk, _encoding, callback) => void callbacks.push(callback),
    });
    const exporter = new ConsoleExporter({ output, format: 'line' });
    exporter.exportEvent(event('before', {}));
    const flushed = exporter.flush({ timeoutMs: 2 ** 31 - 1 });
    exporter.exportEvent(event('after', {}));
    callbacks[0]?.();
    await flushed;
    expect(exporter.stats()).toMatchObject({ delivered: 1, pending: 1 });
  });

  test('drops, and counts, what a reader has no room for, until it reads again', () => {
    const reads: (() => void)[] = [];
    const output = new Writable({
      write: (_chunk, _encoding, callback) => void reads.push(callback),
    });
    const exporter = new ConsoleExporter({ output, format: 'line' });
    const big = event('llm_response', { response: 'x'.repeat(4 * 1024 * 1024) });
    for (let i = 0; i < 20; i++) exporter.exportEvent(big);
    expect(exporter.stats()).toEqual({
      accepted: 8,
      dropped: 12,
      delivered: 0,
      failed: 0,
      pending: 8,
      error: 'the output is too slow',
    });
    for (let i = 0; i < 8; i++) reads[i]?.();
    exporter.exportEvent(big);
    expect(exporter.stats()).toMatchObject({ accepted: 9, dropped: 12, delivered: 8, pending: 1 });
  });

  test('drops, and counts, what comes when the stream is closed', async () => {
    const output = new Writable({ write: (_chunk, _encoding, callback) => callback() });
    const exporter = new ConsoleExporter({ output, format: 'line' });
    await new Promise<void>((resolve) => output.end(resolve));
    exporter.exportEvent(event('agent_end', {}));
    expect(exporter.stats()).toMatchObject({
      accepted: 0,
      dropped: 1,
      error: 'the output is closed',
    });
  });

  test('swallows the error of its own write, with a listener for just that one', async () => {
    const output = new Writable({
      write: (_chunk, _encoding, callback) => void setImmediate(callback, new Error('disk full')),
    });
    const closed = new Promise((resolve) => output.once('close', resolve));
    const exporter = new ConsoleExporter({ output, format: 'line' });
    for (const event_type of ['a', 'b', 'c']) exporter.exportEvent(event(event_type, {}));
    expect(output.listenerCount('error')).toBe(0);
    await exporter.flush();
    expect(exporter.stats()).toMatchObject({ failed: 3, error: 'disk full' });
    await closed;
    expect(output.listenerCount('error')).toBe(0);
  });

  test('says why something is pending after a flush, until it has arrived', async () => {
    const callbacks: (() => void)[] = [];
    const output = new Writable({
      write: (_chunk, _encoding, callback) => void callbacks.push(callback),
    });
    const exporter = new ConsoleExporter({ output, format: 'line' });
    exporter.exportEvent(event('agent_end', {}));
    await exporter.flush({ timeoutMs: 0 });
    expect(exporter.stats()).toMatchObject({
      pending: 1,
      error: 'the output is too slow',
    });
    callbacks[0]?.();
    expect(exporter.stats()).toEqual({
      accepted: 1,
      dropped: 0,
      delivered: 1,
      failed: 0,
      pending: 0,
    });
  });

  test('waits for as long as asked, however long that is', async () => {
    const callbacks: (() => void)[] = [];
    const output = new Writable({
      write: (_chunk, _encoding, callback) => void callbacks.push(callback),
    });
    const exporter = new ConsoleExporter({ output, format: 'line' });
    exporter.exportEvent(event('agent_end', {}));
    vi.useFakeTimers();
    const flushed = exporter.flush({ timeoutMs: Infinity });
    vi.advanceTimersByTime(86_400_000);
    expect(exporter.stats()).toEqual({
      accepted: 1,
      dropped: 0,
      delivered: 0,
      failed: 0,
      pending: 1,
    });
    callbacks[0]?.();
    await flushed;
    expect(exporter.stats()).toMatchObject({ delivered: 1, pending: 0 });
  });

  test('prints nothing that a terminal obeys, and no line that is too wide, whatever an event holds', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        const text = printed(events, { columns: 60, color: false });
        expect(text.replaceAll('\n', '')).not.toMatch(
          /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u,
        );
        expect(text.split('\n').filter((line) => stringWidth(line) > 60)).toEqual([]);
      }),
    );
  });
});

const units = fc.oneof(
  fc.integer({ min: 0x20, max: 0xffff }),
  fc.constantFrom(0x0a, 0x1b, 0x85, 0x9b, 0x0301, 0x0e33, 0x200d, 0x202e, 0xd83d, 0xdc69, 0xfe0f),
);
const text = fc.array(units).map((codes) => String.fromCharCode(...codes));
const value = fc.oneof(text, fc.anything());

/** Few ids, so that spans nest, end, repeat and go missing. */
const anyEvent: fc.Arbitrary<TraceEvent> = fc.record({
  timestamp: fc.integer({ min: 0, max: 1e6 }),
  event_type: fc.constantFrom(...EVENT_TYPES, 'odd'),
  agent_name: text,
  pattern_type: text,
  payload: fc.record(
    {
      trace_id: fc.constantFrom('t1', 't2'),
      span_id: fc.constantFrom('a', 'b', 'c', 'd'),
      parent_span_id: fc.constantFrom('a', 'b', 'c'),
      ...Object.fromEntries(
        ['input', 'output', 'model', 'tool_name', 'arguments', 'result', 'response', 'message']
          .concat(['error_type', 'selected_model', 'difficulty', 'input_tokens', 'cost_usd'])
          .map((key) => [key, value]),
      ),
    },
    { requiredKeys: [] },
  ),
});

function event(event_type: string, payload: TraceEvent['payload']): TraceEvent {
  return createTraceEvent({ event_type, payload });
}

/** What a tree of the events looks like, with all of them ended. */
function printed(events: readonly TraceEvent[], options: ConsoleExporterOptions): string {
  const output = (options.output ?? new Memory()) as Memory;
  const exporter = new ConsoleExporter({ format: 'pretty', ...options, output });
  for (const one of events) exporter.exportEvent(one);
  void exporter.shutdown();
  return output.text;
}

function subjectOf(format: 'line' | 'pretty'): ExporterSubject {
  const output = new Memory();
  const exporter = new ConsoleExporter({ output, format, columns: 120 });
  return {
    exporter: format === 'line' ? exporter : named(exporter),
    arrivedSpanIds: () =>
      Array.from(
        output.text.matchAll(format === 'line' ? /span_id=(\S+)/g : /[0-9a-f]{16}/g),
        ([whole, id]) => id ?? whole,
      ),
    refuse: () =>
      void (output.write = () => {
        throw new Error('refused');
      }),
    recover: () => void (output.write = (chunk) => (output.text += chunk)),
    hang: () => void (output.write = () => new Promise(() => {})),
  };
}

function streamSubject(): ExporterSubject {
  let arrived = '';
  let hangs = false;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      if (hangs) return;
      arrived += chunk.toString();
      setImmediate(callback);
    },
  });
  return {
    exporter: new ConsoleExporter({ output, format: 'line' }),
    arrivedSpanIds: () => Array.from(arrived.matchAll(/ span_id=(\S+)/g), ([, id]) => String(id)),
    hang: () => void (hangs = true),
  };
}

/** A tree shows names, not ids: gives each span its id as its name. */
function named(exporter: TraceExporter): TraceExporter {
  return {
    name: exporter.name,
    exportEvent: (one) => exporter.exportEvent(renamed(one)),
    flush: (options) => exporter.flush(options),
    shutdown: (options) => exporter.shutdown(options),
    stats: () => exporter.stats(),
    [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose](),
  };
}

function renamed(one: TraceEvent): TraceEvent {
  let id: unknown;
  try {
    id = one.payload['span_id'];
  } catch {
    // a hostile payload
  }
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) return one;
  const payload = { ...one.payload, model: id, pattern_type: id };
  return { ...one, agent_name: id, pattern_type: id, payload };
}
