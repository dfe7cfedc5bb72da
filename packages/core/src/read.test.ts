import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TraceEventBus } from './bus.ts';
import { TraceError } from './errors.ts';
import { isCheckedEvent, type TraceEvent } from './event.ts';
import {
  type ReadOptions,
  type ReadStats,
  readTraceEvents,
  type TraceReadError,
  type TraceSource,
} from './read.ts';

const VECTORS = new URL('../../../../shared/vectors/events.jsonl', import.meta.url);

const START = '{"timestamp":1,"event_type":"pattern_start","agent_name":"","pattern_type":"debate"';
const CALL = '{"timestamp":2,"event_type":"llm_call","agent_name":"bull","pattern_type":"debate"';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string | Buffer, name = 'run.jsonl'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Outcome {
  readonly events: TraceEvent[];
  readonly errors: TraceReadError[];
  readonly stats: ReadStats;
}

async function readAll(source: TraceSource, options: ReadOptions = {}): Promise<Outcome> {
  const errors: TraceReadError[] = [];
  const events: TraceEvent[] = [];
  const reader = readTraceEvents(source, { onError: (error) => errors.push(error), ...options });
  for await (const event of reader) events.push(event);
  return { events, errors, stats: reader.stats() };
}

/** What an error says, without the folder of the test. */
function plain({ message, code, reason, source, line, byteOffset }: TraceReadError): object {
  return { message: short(message), code, reason, source: short(source), line, byteOffset };
}

function short(text: string): string {
  return text.replace(`${folder}/`, '');
}

/** Two levels are the event and its payload; brackets in a text nest nothing. */
function nested(levels: number): string {
  const [open, close] = ['['.repeat(levels - 2), ']'.repeat(levels - 2)];
  return `${CALL},"payload":{"text":"${'['.repeat(300)}","a":${open}${close}}}\n`;
}

function* broken(): Generator<string> {
  yield `${START}}\n`;
  throw new Error('connection reset');
}

const payloads = ({ events }: Outcome): unknown[] => events.map(({ payload }) => payload);

describe('readTraceEvents', () => {
  test.skipIf(!existsSync(VECTORS))(
    'reads what Python wrote as JSON.parse does (skipped without ../shared)',
    async () => {
      const lines = readFileSync(VECTORS, 'utf8').trimEnd().split('\n');

      const { events, errors, stats } = await readAll(VECTORS);

      expect(events).toEqual(lines.map((line): unknown => JSON.parse(line)));
      expect({ errors, stats }).toEqual({
        errors: [],
        stats: { lines: 60, events: 60, errors: 0, nonFinite: 0, unknownKeys: 0, tornTail: false },
      });
    },
  );

  test('takes a path, a file URL, and chunks of bytes or text from sync and async iterables', async () => {
    const text = `${CALL},"payload":{"response":"Gänge 😀"}}\n`;
    const path = fileOf(text);
    const bytes = Buffer.from(text);
    async function* stream(): AsyncGenerator<Uint8Array | string> {
      yield text.slice(0, 10);
      yield new Uint8Array(bytes.subarray(10));
    }

    const sources: TraceSource[] = [path, pathToFileURL(path), [bytes], text.split(''), stream()];
    for (const source of sources)
      expect(payloads(await readAll(source))).toEqual([{ response: 'Gänge 😀' }]);
  });

  test('fills in defaults and hands out frozen events that a bus takes as they are', async () => {
    const [event] = (await readAll(['{"timestamp":0,"event_type":"custom"}'])).events;

    expect(event).toEqual({
      timestamp: 0,
      event_type: 'custom',
      agent_name: '',
      pattern_type: '',
      payload: {},
    });
    expect(event !== undefined && isCheckedEvent(event) && Object.isFrozen(event)).toBe(true);
    const bus = new TraceEventBus();
    if (event !== undefined) bus.emit(event);
    expect(bus.stats().accepted).toBe(1);
  });

  test('takes CRLF, a byte order mark, empty lines and a last line without a line feed', async () => {
    const text = `\ufeff${START},"payload":{}}\r\n\r\n \n${CALL},"payload":{"a":1}}`;

    const { events, errors, stats } = await readAll([text]);

    expect(events.map(({ timestamp }) => timestamp)).toEqual([1, 2]);
    expect(errors).toEqual([]);
    expect(stats).toMatchObject({ lines: 2, events: 2, tornTail: false });
  });

  test('a byte order mark elsewhere is no JSON', async () => {
    const { errors } = await readAll([`${START}}\n\ufeff${START}}\n`]);

    expect(errors.map(({ line, reason }) => ({ line, reason }))).toEqual([
      { line: 2, reason: 'not_json' },
    ]);
  });

  test('U+2028 and U+2029 in a text end no line', async () => {
    const outcome = await readAll([`${CALL},"payload":{"response":"a\u2028b\u2029c"}}\n`]);

    expect(payloads(outcome)).toEqual([{ response: 'a\u2028b\u2029c' }]);
  });

  test("reads Python's NaN and Infinity as null, counted, and leaves the words in texts alone", async () => {
    const payload =
      '{"cost_usd": NaN, "a": [Infinity, -Infinity], "response": "NaN \\\\\\" Infinity \\\\", "NaN": -1}';
    const outcome = await readAll([`${CALL},"payload":${payload}}\n`]);

    expect(payloads(outcome)).toEqual([
      { cost_usd: null, a: [null, null], response: 'NaN \\" Infinity \\', NaN: -1 },
    ]);
    expect(outcome.errors).toEqual([]);
    expect(outcome.stats.nonFinite).toBe(3);
  });

  test('a NaN timestamp is no time', async () => {
    const { errors } = await readAll(['{"timestamp":NaN,"event_type":"x"}\n']);

    expect(errors.map(plain)).toEqual([
      {
        message: 'stream:1: expected Unix seconds, got null',
        code: 'invalid_line',
        reason: 'invalid_event',
        source: 'stream',
        line: 1,
        byteOffset: 0,
      },
    ]);
  });

  test('of a key that stands twice the last one wins', async () => {
    const outcome = await readAll([`${START},"payload":{"a":1,"a":2},"timestamp":5}\n`]);

    expect(outcome.events).toMatchObject([{ timestamp: 5, payload: { a: 2 } }]);
  });

  test('__proto__ and constructor are keys like any other', async () => {
    const [event] = (
      await readAll([`${START},"payload":{"__proto__":{"isAdmin":true},"constructor":1}}\n`])
    ).events;

    expect(Object.entries(event?.payload ?? {})).toEqual([
      ['__proto__', { isAdmin: true }],
      ['constructor', 1],
    ]);
    expect({}).not.toHaveProperty('isAdmin');
  });

  test('a sixth key is reported and left out, and the event is read', async () => {
    const line = `${START},"payload":{"new":1},"colour":"red","__proto__":2}\n`;

    const { events, errors, stats } = await readAll([line, line]);

    expect(events[0]).toEqual({
      timestamp: 1,
      event_type: 'pattern_start',
      agent_name: '',
      pattern_type: 'debate',
      payload: { new: 1 },
    });
    expect(errors.map(plain)[1]).toEqual({
      message: 'stream:2: colour, __proto__: unknown key, left out',
      code: 'invalid_line',
      reason: 'unknown_key',
      source: 'stream',
      line: 2,
      byteOffset: line.length,
    });
    expect(stats).toMatchObject({ lines: 2, events: 2, errors: 0, unknownKeys: 4 });
  });

  test('keys from the file are shown in messages as a terminal can take them, and a few of many', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `"k${i}":1`).join();

    const { errors } = await readAll([
      `${START},"\\u001b[2J\\nrun.jsonl:9: \\u009b2J":1}\n`,
      `${START},"${'k'.repeat(1_000)}":1}\n`,
      `${START},${many}}\n`,
    ]);

    expect(errors.map(({ message }) => message)).toEqual([
      'stream:1: "\\u001b[2J\\nrun.jsonl:9: \\u009b2J": unknown key, left out',
      `stream:2: "${'k'.repeat(60)}…": unknown key, left out`,
      'stream:3: k0, k1, k2, k3, k4 and 995 more: unknown key, left out',
    ]);
  });

  test('broken lines are reported with file, line and byte, and the others are read', async () => {
    const lines = [
      `${START},"payload":{}}`,
      `${CALL},"payl`,
      '{"timestamp":1735689600250,"event_type":"x","payload":{"text":"é"}}',
      `${CALL},"payload":{"input_tokens":"many"}}`,
      '[1]',
      `${START},"payload":{"last":true}}`,
      '',
    ];
    const offset = (index: number): number =>
      Buffer.byteLength(lines.slice(0, index).join('\n')) + 1;

    const { events, errors, stats } = await readAll(fileOf(lines.join('\n')));

    expect(events.map(({ payload }) => payload)).toEqual([{}, { last: true }]);
    const common = { code: 'invalid_line', source: 'run.jsonl' };
    expect(errors.map(plain)).toEqual([
      {
        ...common,
        message: 'run.jsonl:2: half a line of 88 bytes',
        reason: 'half',
        line: 2,
        byteOffset: offset(1),
      },
      {
        ...common,
        message: 'run.jsonl:3: expected Unix seconds, got milliseconds',
        reason: 'invalid_event',
        line: 3,
        byteOffset: offset(2),
      },
      {
        ...common,
        message: 'run.jsonl:4: payload.input_tokens: expected a whole number, got a string',
        reason: 'invalid_event',
        line: 4,
        byteOffset: offset(3),
      },
      {
        ...common,
        message: 'run.jsonl:5: expected an object, got an array',
        reason: 'invalid_event',
        line: 5,
        byteOffset: offset(4),
      },
    ]);
    expect(stats).toEqual({
      lines: 6,
      events: 2,
      errors: 4,
      nonFinite: 0,
      unknownKeys: 0,
      tornTail: false,
    });
  });

  test('half a last line is reported, also when it ends within a character', async () => {
    const whole = `${START},"payload":{}}\n`;
    const torn = Buffer.from(`${CALL},"payload":{"response":"é`);

    for (const tail of [torn, torn.subarray(0, -1)]) {
      const { events, errors, stats } = await readAll(
        fileOf(Buffer.concat([Buffer.from(whole), tail])),
      );

      expect(events).toHaveLength(1);
      expect(errors.map(plain)).toEqual([
        {
          message: `run.jsonl:2: half a line of ${tail.length} bytes at the end`,
          code: 'invalid_line',
          reason: 'torn',
          source: 'run.jsonl',
          line: 2,
          byteOffset: whole.length,
        },
      ]);
      expect(stats).toMatchObject({ lines: 2, events: 1, errors: 1, tornTail: true });
    }
  });

  test('half a line is one further up too, where another process went on with the file', async () => {
    const torn = `${CALL},"payload":{"response":"é`;
    const { events, errors, stats } = await readAll(
      fileOf(`${torn}\n${START},"payload":{}}\n${torn}}\n`),
    );

    expect(events).toHaveLength(1);
    expect(errors.map(({ reason, message }) => [reason, short(message)])).toEqual([
      ['half', `run.jsonl:1: half a line of ${Buffer.byteLength(torn)} bytes`],
      ['not_json', 'run.jsonl:3: not JSON'],
    ]);
    expect(stats).toMatchObject({ errors: 2, tornTail: false });
    await expect(readAll([`${torn}\n`], { onError: undefined })).rejects.toThrow(
      'stream:1: half a line',
    );
  });

  test('a line that is not UTF-8 is reported; U+FFFD itself is a character', async () => {
    const good = Buffer.from(`${CALL},"payload":{"response":"\ufffd"}}\n`);
    const bad = Buffer.from(`${CALL},"payload":{"response":"x"}}\n`, 'latin1');
    bad[bad.indexOf('"x"') + 1] = 0xff;

    const outcome = await readAll([good, bad, good]);

    expect(payloads(outcome)).toEqual([{ response: '\ufffd' }, { response: '\ufffd' }]);
    expect(outcome.errors.map(({ reason, line }) => ({ reason, line }))).toEqual([
      { reason: 'not_utf8', line: 2 },
    ]);
  });

  test('a line nested deeper than 200 levels is reported, one of 200 is read', async () => {
    const { events, errors } = await readAll([nested(200), nested(201), nested(1_000_000)]);

    expect(events).toHaveLength(1);
    expect(errors.map(({ message, reason }) => ({ message, reason }))).toEqual([
      { message: 'stream:2: nested deeper than 200 levels', reason: 'too_deep' },
      { message: 'stream:3: nested deeper than 200 levels', reason: 'too_deep' },
    ]);
  });

  test('a line longer than 64 MiB is reported, and the next one is read', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, 'x');
    function* chunks(): Generator<Uint8Array | string> {
      for (let i = 0; i <= 64; i++) yield mebibyte;
      yield `\n${START},"payload":{}}\n`;
    }

    const { events, errors } = await readAll(chunks());

    expect(events).toHaveLength(1);
    expect(errors.map(plain)).toEqual([
      {
        message: 'stream:1: longer than 67108864 bytes',
        code: 'invalid_line',
        reason: 'too_long',
        source: 'stream',
        line: 1,
        byteOffset: 0,
      },
    ]);
  });

  test('reads a hostile megabyte of quotes and backslashes', async () => {
    for (const part of ['"', '\\', '\\"', '"\\', 'NaN"']) {
      const line = `{"NaN":${part.repeat(2 ** 20 / part.length)}\n`;

      expect((await readAll([line])).errors.map(({ reason }) => reason)).toEqual(['half']);
    }
  });

  test('gives the same wherever the chunks are cut', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`\ufeff${START},"payload":{"response":"é\u2028😀"}}\r\n\n`),
      Buffer.from(`${CALL},"payload":{"cost_usd":NaN,"x":"\\"NaN"}}\n`),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from(`${CALL},"sixth":1}\n`),
      Buffer.from(`${CALL},"payl`),
    ]);
    const expected = await readAll([bytes]);
    const same = async (chunks: Buffer[]): Promise<void> => {
      const { events, errors, stats } = await readAll(chunks);
      expect({ events, stats }).toEqual({ events: expected.events, stats: expected.stats });
      expect(errors.map(plain)).toEqual(expected.errors.map(plain));
    };

    for (let i = 0; i <= bytes.length; i++) await same([bytes.subarray(0, i), bytes.subarray(i)]);
    await same(Array.from(bytes, (byte) => Buffer.of(byte)));
    expect(expected.stats).toEqual({
      lines: 5,
      events: 3,
      errors: 2,
      nonFinite: 1,
      unknownKeys: 1,
      tornTail: true,
    });
  });

  test('a source may fill the same buffer again', async () => {
    const text = `${CALL},"payload":{"response":"one"}}\n${CALL},"payload":{"response":"two"}}\n`;
    function* chunks(): Generator<Uint8Array> {
      const buffer = Buffer.alloc(7);
      for (let i = 0; i < text.length; i += 7)
        yield buffer.subarray(0, buffer.write(text.slice(i, i + 7)));
    }

    expect(payloads(await readAll(chunks()))).toEqual([{ response: 'one' }, { response: 'two' }]);
  });

  test('without onError, throws at the first line that gives no event', async () => {
    const reader = readTraceEvents([
      `${START},"payload":{}}\n{"timestamp":1735689600250,"event_type":"x"}\n${START}}\n`,
    ]);
    const events: TraceEvent[] = [];

    await expect(async () => {
      for await (const event of reader) events.push(event);
    }).rejects.toThrow('stream:2: expected Unix seconds, got milliseconds');
    expect(events).toHaveLength(1);
  });

  test('without onError, a sixth key and half a last line are counted and not thrown', async () => {
    const { events, stats } = await readAll([`${START},"sixth":1}\n${CALL},"pay`], {
      onError: undefined,
    });

    expect(events).toHaveLength(1);
    expect(stats).toMatchObject({ lines: 2, errors: 1, unknownKeys: 1, tornTail: true });
  });

  test.each<[string, string | Buffer, string]>([
    ['a zip archive', Buffer.from('504b0304ff00', 'hex'), 'not UTF-8'],
    ['a text', '\n \nonce upon a time', 'not JSON'],
    ['lines that end with CR alone', `${START}}\r${CALL}}\r`, 'not JSON'],
  ])('%s without a line feed is no torn line, and is thrown', async (_, text, problem) => {
    await expect(readAll([text], { onError: undefined })).rejects.toThrow(problem);
    expect((await readAll([text])).stats).toMatchObject({ errors: 1, tornTail: false });
  });

  test('a file that was cut off in its first line has a torn line', async () => {
    for (const text of [`\ufeff ${CALL},"pay`, `{`, `${CALL},"payload":{"response":"x\r`])
      expect((await readAll([text])).stats).toMatchObject({ errors: 1, tornTail: true });
  });

  test('what onError throws ends the reading', async () => {
    const seen: number[] = [];
    const onError = ({ line }: TraceReadError): never => {
      seen.push(line);
      throw new Error('enough');
    };

    await expect(readAll(['{}\n{}\n'], { onError })).rejects.toThrow('enough');
    expect(seen).toEqual([1]);
  });

  test('what an asynchronous onError rejects with ends the reading, at the latest after the chunk', async () => {
    const bad = '{}\n';
    for (const chunks of [[bad, bad], ['{}']]) {
      const seen: number[] = [];
      const onError = async ({ line }: TraceReadError): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(line);
        throw new Error('enough');
      };

      await expect(readAll(chunks, { onError })).rejects.toThrow('enough');
      expect(seen).toEqual([1]);
    }
    const { errors } = await readAll([bad], { onError: async () => {} });
    expect(errors).toEqual([]);
  });

  test('events are handed out before what onError rejects with', async () => {
    const reader = readTraceEvents([`{}\n${START}}\n`], {
      onError: () => Promise.reject(new Error('enough')),
    });
    const events: TraceEvent[] = [];

    await expect(async () => {
      for await (const event of reader) {
        await new Promise((resolve) => setImmediate(resolve)); // time enough for an unhandled rejection
        events.push(event);
      }
    }).rejects.toThrow('enough');
    expect(events).toHaveLength(1);
  });

  test('a reader that is iterated a second time throws', async () => {
    const reader = readTraceEvents([`${START}}\n`]);
    for await (const _ of reader) break;

    expect(() => reader[Symbol.asyncIterator]()).toThrow(
      new TraceError('read_failed', 'stream: the reader can be iterated once'),
    );
  });

  test.each([
    ['missing.jsonl', 'ENOENT', 'ENOENT: no such file or directory, open'],
    ['.', 'EISDIR', 'EISDIR: illegal operation on a directory, read'],
  ])(
    'what cannot be opened or read (%s) is a read_failed that names its path once',
    async (name, code, problem) => {
      const path = join(folder, name);

      const error: unknown = await readAll(path).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({
        name: 'TraceError',
        code: 'read_failed',
        message: `${path}: ${problem}`,
        cause: { code },
      });
    },
  );

  test('a source that fails, or yields something else, is a read_failed', async () => {
    for (const [source, message] of [
      [broken(), 'stream: connection reset'],
      [[7] as unknown as string[], 'stream: expected chunks of bytes or text, got 7'],
    ] as const)
      await expect(readAll(source)).rejects.toMatchObject({ code: 'read_failed', message });
  });

  test.each([
    [7, {}, 'readTraceEvents: expected a path, a file URL or an iterable of chunks'],
    [new URL('https://127.0.0.1/'), {}, 'readTraceEvents: expected a file URL, got https:'],
    [
      new URL('file:///a%2Fb'),
      {},
      'readTraceEvents: expected the file URL of a path: File URL path must not include encoded / characters',
    ],
    ['x', { onError: 1 }, 'readTraceEvents: onError: expected a function, got 1'],
    ['x', { signal: {} }, 'readTraceEvents: signal: expected an AbortSignal, got an object'],
    ['x', { strict: true }, 'readTraceEvents: unknown option "strict"; known are onError, signal'],
  ])('%s with %j is refused at once', (source, options, message) => {
    expect(() => readTraceEvents(source as string, options as ReadOptions)).toThrow(
      new TraceError('invalid_option', message),
    );
  });

  test('an aborted signal ends the reading with its reason', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const reader = readTraceEvents([`${START}}\n${START}}\n`], { signal: controller.signal });
    let events = 0;

    await expect(async () => {
      for await (const { timestamp } of reader) {
        events += timestamp;
        controller.abort(reason);
      }
    }).rejects.toBe(reason);
    expect(events).toBe(1);
    await expect(readAll('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('a signal ends the wait for a chunk that never comes', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    async function* stuck(): AsyncGenerator<string> {
      yield `${START}}\n`;
      controller.abort(reason);
      await new Promise(() => {});
    }

    await expect(readAll(stuck(), { signal: controller.signal })).rejects.toBe(reason);
  });

  test.each([[['{}\n', `${START}}\n`]], [['{}']]])(
    'a signal ends the wait for what onError promised and never keeps: %j',
    async (chunks) => {
      const controller = new AbortController();
      const reason = new Error('stop');
      const onError = (): Promise<void> => {
        setImmediate(() => controller.abort(reason));
        return new Promise(() => {});
      };

      const reading = readAll(chunks, { onError, signal: controller.signal });
      await expect(reading).rejects.toBe(reason);
    },
  );

  test.each([undefined, new AbortController().signal])(
    'a break closes the source (signal %s)',
    async (signal) => {
      let closed = false;
      async function* source(): AsyncGenerator<string> {
        try {
          for (;;) yield `${START}}\n`;
        } finally {
          await new Promise((resolve) => setImmediate(resolve));
          closed = true;
        }
      }

      const events: TraceEvent[] = [];
      for await (const event of readTraceEvents(source(), { signal })) {
        events.push(event);
        break;
      }

      expect(closed).toBe(true);
    },
  );
});
