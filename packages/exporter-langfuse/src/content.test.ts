import { describe, expect, test } from 'vitest';
import { ContentFilter } from './content.ts';

describe('ContentFilter', () => {
  test('gives JSON texts, and their bytes', () => {
    const content = new ContentFilter().content({
      input: [{ role: 'user', content: 'Grüße' }],
      output: 'up',
      metadata: { rounds: 2, absent: undefined },
    });
    expect(content).toEqual({
      input: '[{"role":"user","content":"Grüße"}]',
      output: '"up"',
      metadata: { rounds: '2' },
      bytes: 37 + 4 + 'rounds'.length + 1,
    });
  });

  test('masks input, output, each metadata value and the status message', () => {
    const seen: unknown[] = [];
    const filter = new ContentFilter((value) => {
      seen.push(value);
      return JSON.parse(JSON.stringify(value).replaceAll('secret', '***'));
    });
    const content = filter.content({
      input: { key: 'secret' },
      output: 'a secret',
      metadata: { note: ['secret'], rounds: 1 },
    });
    expect(content).toMatchObject({
      input: '{"key":"***"}',
      output: '"a ***"',
      metadata: { note: '["***"]', rounds: '1' },
    });
    expect(filter.statusMessage('no secret')).toBe('no ***');
    expect(seen).toEqual([{ key: 'secret' }, 'a secret', ['secret'], 1, 'no secret']);
    expect(filter.maskFailures).toBe(0);
  });

  test.for<[name: string, mask: (value: unknown) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['returns a promise', async (value) => value],
    ['returns a promise that rejects', () => Promise.reject(new Error('broken'))],
  ])('sends a marker, and counts it, where the mask %s', ([, mask]) => {
    const filter = new ContentFilter(mask);
    expect(filter.content({ input: 'secret', metadata: { note: 'secret' } })).toMatchObject({
      input: '"[masking failed]"',
      metadata: { note: '"[masking failed]"' },
    });
    expect(filter.maskFailures).toBe(2);
  });

  test('leaves out what the mask makes undefined', () => {
    const { bytes: _, ...content } = new ContentFilter(() => undefined).content({
      input: 'secret',
      metadata: { note: 'secret' },
    });
    expect(content).toEqual({ metadata: {} });
  });

  test('makes plain data without files of what the mask returns', () => {
    const filter = new ContentFilter(() => new Map([['url', 'data:image/png;base64,AAAA']]));
    expect(filter.content({ input: 'x', metadata: {} }).input).toBe(
      '{"url":"[file: image/png, 26 characters]"}',
    );
  });

  test('does not show the mask what files hold', () => {
    const seen: unknown[] = [];
    const filter = new ContentFilter((value) => seen.push(value));
    filter.content({ input: 'data:image/png;base64,AAAA', metadata: {} });
    expect(seen).toEqual(['[file: image/png, 26 characters]']);
  });

  test('cuts all of it together to 900,000 bytes', () => {
    const { input, output, metadata, bytes } = new ContentFilter().content({
      input: [{ role: 'user', content: 'ü'.repeat(2_000_000) }],
      output: 'short',
      metadata: { note: 'x'.repeat(2_000_000), rounds: 1 },
    });
    expect(bytes).toBeLessThanOrEqual(900_000);
    expect(bytes).toBeGreaterThan(890_000);
    expect(input).toMatch(
      /^\[\{"role":"user","content":"ü+\[Truncated: \d+ more characters\]"\}\]$/,
    );
    expect(output).toBe('"short"');
    expect(metadata['note']).toMatch(/^"x+\[Truncated: \d+ more characters\]"$/);
    expect(metadata['rounds']).toBe('1');
  });

  test('cuts a status message to 10,000 bytes', () => {
    const message = new ContentFilter().statusMessage('x'.repeat(1e6));
    expect(Buffer.byteLength(message ?? '')).toBeLessThan(10_000);
    expect(new ContentFilter().statusMessage({ code: 7 })).toBe('{"code":7}');
    expect(new ContentFilter().statusMessage(undefined)).toBeUndefined();
  });
});
