import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundedJson,
  cut,
  instructionsJson,
  MAX_ATTRIBUTE_BYTES,
  messagesJson,
} from './content.ts';

const NO_LIMIT = 1_000_000;

function messages(value: unknown, maxChars = NO_LIMIT, role = 'user'): unknown {
  const json = messagesJson(value, role, maxChars);
  return json === undefined ? undefined : JSON.parse(json);
}

const text = (content: string): { type: string; content: string } => ({ type: 'text', content });

describe('messagesJson', () => {
  test.each<[what: string, given: unknown, expected: unknown]>([
    ['a text', 'Buy?', [{ role: 'user', parts: [text('Buy?')] }]],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['an empty text', '', undefined],
    ['no messages', [], undefined],
    ['any data', { ticker: 'NVDA' }, [{ role: 'user', parts: [text('{"ticker":"NVDA"}')] }]],
    ['a number', 7, [{ role: 'user', parts: [text('7')] }]],
    ['a list of texts', ['a', 'b'], [{ role: 'user', parts: [text('a'), text('b')] }]],
    [
      'OpenAI’s messages',
      [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: 'https://x/y.png' } },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'see', arguments: '{"x":1}' } },
            { id: 'c2', type: 'function', function: { name: 'see', arguments: '{"x":' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'a cat' },
      ],
      [
        { role: 'system', parts: [text('Be brief.')] },
        {
          role: 'user',
          parts: [
            text('What is it?'),
            { type: 'uri', modality: 'image', uri: 'https://x/y.png' },
            { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
          ],
          name: 'ann',
        },
        {
          role: 'assistant',
          parts: [
            { type: 'tool_call', id: 'c1', name: 'see', arguments: { x: 1 } },
            { type: 'tool_call', id: 'c2', name: 'see', arguments: '{"x":' },
          ],
        },
        { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'a cat' }] },
      ],
    ],
    [
      'Anthropic’s messages',
      [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 't1', name: 'see', input: { x: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'cat' }] },
            {
              type: 'image',
              source: { type: 'base64', media_type: 'image/png', data: 'AAAA' },
            },
            { type: 'document', source: { type: 'url', url: 'https://x/y.pdf' } },
            { type: 'image', source: { type: 'file', file_id: 'f1' } },
          ],
        },
      ],
      [
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', content: 'hm' },
            text('I look.'),
            { type: 'tool_call', id: 't1', name: 'see', arguments: { x: 1 } },
          ],
        },
        {
          role: 'user',
          parts: [
            {
              type: 'tool_call_response',
              id: 't1',
              response: [{ type: 'text', text: 'cat' }],
            },
            { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
            { type: 'uri', modality: 'document', uri: 'https://x/y.pdf' },
            { type: 'image', source: { type: 'file', file_id: 'f1' } },
          ],
        },
      ],
    ],
    [
      'Gemini’s contents',
      [{ role: 'model', parts: [{ text: 'Hi' }, { functionCall: { name: 'see' } }] }],
      [{ role: 'model', parts: [text('Hi'), text('{"functionCall":{"name":"see"}}')] }],
    ],
    [
      'an answer with choices',
      {
        choices: [
          { message: { role: 'assistant', reasoning_content: 'hm', content: 'A' } },
          { message: { role: 'assistant', content: 'B' } },
          null,
        ],
      },
      [
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'hm' }, text('A')] },
        { role: 'assistant', parts: [text('B')] },
      ],
    ],
    [
      'messages that are converted already',
      [{ role: 'user', parts: [text('Hi')] }],
      [{ role: 'user', parts: [text('Hi')] }],
    ],
    [
      'parts of types that nobody knows',
      [{ role: 'user', content: [{ type: 'video', id: 1 }, 7] }],
      [{ role: 'user', parts: [{ type: 'video', id: 1 }, text('7')] }],
    ],
  ])('%s', (_, given, expected) => {
    expect(messages(given)).toEqual(expected);
  });

  test('cuts each text, never a character or the JSON', () => {
    expect(messages([{ role: 'user', content: 'ab😀cd' }], 3)).toEqual([
      { role: 'user', parts: [text('ab[Truncated: 4 more characters]')] },
    ]);
  });

  test('keeps the newest messages that fit, and says how many it left out', () => {
    const given = Array.from({ length: 40 }, (_, nth) => ({
      role: 'user',
      content: `${nth} ${'é'.repeat(8_000)}`,
    }));
    const json = messagesJson(given, 'user', NO_LIMIT) ?? '';
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(MAX_ATTRIBUTE_BYTES);
    const kept = JSON.parse(json) as { role: string; parts: { content: string }[] }[];
    expect(kept[0]).toEqual({ role: 'system', parts: [text('[Truncated: 24 earlier messages]')] });
    expect(kept.slice(1).map(({ parts }) => parts[0]?.content.split(' ')[0])).toEqual(
      Array.from({ length: 16 }, (_, nth) => `${nth + 24}`),
    );
  });

  test('the note about what is left out has its room too', () => {
    for (let length = 130_900; length < 131_072; length++) {
      const content = 'x'.repeat(length);
      const given = [{ content: 'x'.repeat(1_000) }, { content }, { content }];
      const json = messagesJson(given, 'user', NO_LIMIT);
      expect(Buffer.byteLength(json ?? '')).toBeLessThanOrEqual(MAX_ATTRIBUTE_BYTES);
    }
    const longest = { role: 'user', content: 'x'.repeat(MAX_ATTRIBUTE_BYTES - 454) };
    expect(messages([longest, longest])).toEqual([
      { role: 'system', parts: [text('[Truncated: 1 earlier messages]')] },
      { role: 'user', parts: [text(longest.content)] },
    ]);
    expect(messages([{ role: 'user', content: `${longest.content}x` }])).toEqual([
      { role: 'user', parts: [text('[Truncated: 261745 bytes of JSON]')] },
    ]);
  });

  test('a message that alone is too long is named, not kept', () => {
    const given = [{ role: 'user', content: 'x'.repeat(300_000) }];
    expect(messages(given)).toEqual([
      { role: 'user', parts: [text('[Truncated: 300054 bytes of JSON]')] },
    ]);
  });

  test('arguments that a model nested without end cost their depth alone', () => {
    const args = `${'['.repeat(10_000)}1${']'.repeat(10_000)}`;
    const tool_calls = [{ id: 'c1', function: { name: 'see', arguments: args } }];
    const json = messagesJson([{ role: 'assistant', tool_calls }], 'user', NO_LIMIT);
    expect(JSON.parse(json as string)).toMatchObject([
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'see' }] },
    ]);
    expect(json).toContain('[[[[[[[["[Truncated');
  });

  test('whatever it is given is JSON within the bound', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5 }),
        fc.integer({ min: 1, max: 40 }),
        (value, maxChars) => {
          const wide = [value, value, { role: 'user', content: value }];
          for (const given of [value, wide, { choices: wide }]) {
            const json = messagesJson(given, 'user', maxChars);
            if (json === undefined) continue;
            expect(Buffer.byteLength(json)).toBeLessThanOrEqual(MAX_ATTRIBUTE_BYTES);
            expect(Array.isArray(JSON.parse(json))).toBe(true);
          }
        },
      ),
    );
  });
});

function instructions(value: unknown): unknown {
  return JSON.parse(instructionsJson(value, NO_LIMIT) ?? 'null');
}

describe('instructionsJson', () => {
  test('is a list of parts', () => {
    expect(instructions('Be brief.')).toEqual([text('Be brief.')]);
    expect(instructions([{ type: 'text', text: 'Be brief.', cache_control: {} }])).toEqual([
      text('Be brief.'),
    ]);
    expect(instructions(undefined)).toBeNull();
    expect(instructions('x'.repeat(300_000))).toEqual([text('[Truncated: 300030 bytes of JSON]')]);
  });
});

describe('boundedJson', () => {
  test('is JSON also where there is no room for the value', () => {
    const long = Array.from({ length: 300_000 }, () => 1);
    const json = boundedJson(long);
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(MAX_ATTRIBUTE_BYTES);
    expect(JSON.parse(json)).toEqual({
      '[Truncated]': expect.stringMatching(/^\[1,1,.*\[Truncated: 583617 more characters\]$/),
    });
    expect(boundedJson({ a: 'abcd' }, 3)).toBe('{"a":"abc[Truncated: 1 more characters]"}');
  });
});

describe('cut', () => {
  test('keeps what fits', () => {
    expect(cut('abc', 3)).toBe('abc');
    expect(cut('😀', 1)).toBe('[Truncated: 2 more characters]');
  });
});
