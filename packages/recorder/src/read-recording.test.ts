import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { TraceError } from '@pyagent-trace/core';
import type { TraceReadError, TraceSource } from '@pyagent-trace/core/read';
import { describe, expect, test } from 'vitest';
import { readRecording } from './read-recording.ts';
import type { RecordEntry } from './record-entry.ts';

const PYTHON = fileURLToPath(
  new URL('../../../spec/fixtures/python-recording.jsonl', import.meta.url),
);

const ENTRY = {
  timestamp: 1735689600,
  event_type: 'llm_call',
  agent_name: 'bull',
  messages_in: [{ role: 'user', content: 'Buy?', name: '' }],
  response: 'Buy.',
  metadata: { model: 'gpt-4o' },
};

const LINE = JSON.stringify(ENTRY);

async function read(
  source: TraceSource,
): Promise<{ entries: RecordEntry[]; errors: string[]; stats: object }> {
  const entries: RecordEntry[] = [];
  const errors: string[] = [];
  const onError = ({ reason, message, byteOffset }: TraceReadError): unknown =>
    errors.push(`${message} (${reason}, byte ${byteOffset})`);
  const reader = readRecording(source, { onError });
  for await (const entry of reader) entries.push(entry);
  return { entries, errors, stats: reader.stats() };
}

function lineWith(changes: object): string {
  return JSON.stringify({ ...ENTRY, ...changes });
}

describe('readRecording', () => {
  test("reads what Python's Recorder wrote, without a loss", async () => {
    const lines = readFileSync(PYTHON, 'utf8').trimEnd().split('\n');

    const { entries, errors } = await read(PYTHON);

    expect(errors).toEqual([]);
    expect(entries).toEqual(lines.map((line) => JSON.parse(line) as unknown));
    expect(Object.keys(entries[1] as object)).toEqual(Object.keys(ENTRY));
  });

  test('takes CRLF, a byte order mark, empty lines, NaN, gzip and half a line at the end', async () => {
    const text = `\ufeff${LINE}\r\n\n${LINE.replace('"gpt-4o"', 'NaN')}\n${LINE.slice(0, 40)}`;

    const { entries, errors, stats } = await read([gzipSync(text)]);

    expect(entries).toEqual([ENTRY, { ...ENTRY, metadata: { model: null } }]);
    expect(errors).toEqual([
      `stream:4: half a line of 40 bytes at the end (torn, byte ${Buffer.byteLength(text) - 40})`,
    ]);
    expect(stats).toEqual({
      lines: 3,
      events: 2,
      errors: 1,
      nonFinite: 1,
      unknownKeys: 0,
      tornTail: true,
    });
  });

  test('gives a message without a name an empty one, and a missing answer as an empty text', async () => {
    const messages_in = [
      { role: 'user', content: 'Buy?' },
      { role: 'assistant', name: null, tool_calls: [1] },
    ];

    const { entries } = await read([lineWith({ messages_in, response: null })]);

    expect(entries).toEqual([
      {
        ...ENTRY,
        messages_in: [
          { role: 'user', content: 'Buy?', name: '' },
          { role: 'assistant', name: '', tool_calls: [1] },
        ],
        response: '',
      },
    ]);
  });

  test('takes the type message and types it does not know', async () => {
    const { entries } = await read([
      `${lineWith({ event_type: 'message' })}\n${lineWith({ event_type: 'vendor.future' })}\n`,
    ]);

    expect(entries.map(({ event_type }) => event_type)).toEqual(['message', 'vendor.future']);
  });

  test.each([
    [{ timestamp: 1735689600000 }, 'expected Unix seconds, got milliseconds'],
    [{ timestamp: '2025-01-01' }, 'expected Unix seconds, got a string'],
    [{ event_type: '' }, 'event_type: expected a name, got an empty string'],
    [{ agent_name: undefined }, 'agent_name: expected a string, got nothing'],
    [{ messages_in: 'Buy?' }, 'messages_in: expected an array, got a string'],
    [{ messages_in: ['Buy?'] }, 'messages_in.0: expected an object, got a string'],
    [{ messages_in: [{ content: 'x' }] }, 'messages_in.0.role: expected a string, got nothing'],
    [{ messages_in: [{ role: 'user', name: 7 }] }, 'messages_in.0.name: expected a string, got 7'],
    [{ response: { text: 'x' } }, 'response: expected a string, got an object'],
    [{ metadata: [] }, 'metadata: expected an object, got an array'],
    [{ payload: {} }, 'an event of a trace, not an entry of a recording'],
  ])('names the line that has %j', async (changes, problem) => {
    const { entries, errors } = await read([`${LINE}\n${lineWith(changes)}\n${LINE}\n`]);

    expect(entries).toHaveLength(2);
    expect(errors).toEqual([`stream:2: ${problem} (invalid_entry, byte ${LINE.length + 1})`]);
    await expect(async () => {
      for await (const _ of readRecording([`${LINE}\n${lineWith(changes)}\n`]));
    }).rejects.toThrow(`stream:2: ${problem}`);
  });

  test('says of a file of trace events that it is none of its own', async () => {
    const event =
      '{"timestamp":1,"event_type":"llm_call","agent_name":"","pattern_type":"","payload":{}}';

    const { errors } = await read([`${event}\n`]);

    expect(errors).toEqual([
      'stream:1: an event of a trace, not an entry of a recording (invalid_entry, byte 0)',
    ]);
  });

  test('reports a seventh key and leaves it out', async () => {
    const { entries, errors } = await read([lineWith({ version: 2 })]);

    expect(entries).toEqual([ENTRY]);
    expect(errors).toEqual(['stream:1: version: unknown key, left out (unknown_key, byte 0)']);
  });

  test('keeps __proto__ as data', async () => {
    const metadata = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}') as object;
    const messages_in = [JSON.parse('{"role":"user","__proto__":{"isAdmin":true}}') as object];
    const line = lineWith({ agent_name: '__proto__', metadata, messages_in });

    const { entries } = await read([line]);

    expect(JSON.stringify(entries[0])).toBe(
      line.replace('"role":"user","__proto__"', '"role":"user","name":"","__proto__"'),
    );
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  test('refuses what is no source, and a file that is not there, by name', async () => {
    expect(() => readRecording(7 as never)).toThrow(
      new TraceError(
        'invalid_option',
        'readRecording: expected a path, a file URL or an iterable of chunks',
      ),
    );
    await expect(read('missing.jsonl')).rejects.toMatchObject({
      code: 'read_failed',
      message: expect.stringContaining('missing.jsonl: ENOENT') as string,
    });
  });
});
