import { describe, expect, test } from 'vitest';
import { replaceMedia } from './media.ts';

const PNG = `data:image/png;base64,${'iVBORw0KGgo'.repeat(20)}`;
const WORD = '[file: image/png, 242 characters]';
const BASE64 = 'UklGRiQAAABXQVZF'.repeat(10);

describe('replaceMedia', () => {
  test('returns what holds no file as it is', () => {
    const value = {
      text: 'the data: in a table',
      list: [1, null, { data: 'a,b,c', format: 'csv' }, { data: 'abc', mimeType: 'text/plain' }],
    };
    expect(replaceMedia(value)).toBe(value);
  });

  test.for<[name: string, value: unknown, expected: unknown]>([
    ['a data URI', PNG, WORD],
    ['one within a text', `![chart](${PNG}) and ${PNG}`, `![chart](${WORD}) and ${WORD}`],
    ['one in other letters', PNG.replace('data:', 'DATA:'), WORD],
    [
      'one with parameters',
      `data:text/plain;charset=utf-8;base64,${'QUJD'.repeat(3)}`,
      '[file: text/plain, 49 characters]',
    ],
    ['one that is not base64', 'data:text/html,<b>hi</b>', '[file: 24 characters]'],
    [
      'OpenAI image parts',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: PNG } }] }],
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: WORD } }] }],
    ],
    [
      'OpenAI audio',
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
      { type: 'input_audio', input_audio: { file: '[file: 4 characters]', format: 'wav' } },
    ],
    [
      'an audio answer',
      { audio: { id: 'a1', data: 'AAAA', transcript: 'Hello' } },
      { audio: { id: 'a1', file: '[file: 4 characters]', transcript: 'Hello' } },
    ],
    [
      'audio that is none',
      { audio: { data: [1] }, input_audio: null },
      { audio: { file: '[file: object]' } },
    ],
    [
      'Anthropic images',
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: BASE64 } },
      {
        type: 'image',
        source: { type: 'base64', media_type: 'image/png', file: '[file: 160 characters]' },
      },
    ],
    [
      'Google files',
      { inlineData: { mimeType: 'image/png', data: BASE64 } },
      { inlineData: { mimeType: 'image/png', file: '[file: 160 characters]' } },
    ],
  ])('replaces %s', ([, value, expected]) => {
    expect(replaceMedia(value)).toEqual(expected);
  });

  test('does not change what it was given', () => {
    const value = { url: PNG };
    replaceMedia(value);
    expect(value).toEqual({ url: PNG });
  });

  test('keeps a key called __proto__ a key', () => {
    const value: unknown = JSON.parse(`{"__proto__":{"admin":true},"url":"${PNG}"}`);
    expect(JSON.stringify(replaceMedia(value))).toBe(
      `{"__proto__":{"admin":true},"url":"${WORD}"}`,
    );
  });

  test.for([
    'data:'.repeat(200_000),
    `data:${'a'.repeat(1_000_000)}`,
    `data:a/b${';a'.repeat(500_000)}`,
    `data:a/b;base64,${'A'.repeat(1_000_000)}`,
  ])('takes a long hostile text in no time', (text) => {
    expect(String(replaceMedia(text)).length).toBeLessThanOrEqual(text.length);
  });
});
