import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { fit, fitPreview, type Preview, previewOf } from './text.ts';

const FAMILY = '👩‍👩‍👧';

describe('previewOf', () => {
  test('says nothing of what is absent or empty', () => {
    expect([undefined, null, ''].map(previewOf)).toEqual([undefined, undefined, undefined]);
  });

  test('keeps what a line can show, and the length of the whole', () => {
    expect(previewOf('\n'.repeat(3))).toEqual({ text: '\\n\\n\\n', length: 3 });
    expect(previewOf('x'.repeat(1e6))).toEqual({ text: 'x'.repeat(1_000), length: 1e6 });
  });

  test('shows data as JSON', () => {
    expect(previewOf({ verdict: 'BUY', at: new Date(0) })).toEqual({
      text: '{"verdict":"BUY","at":"1970-01-01T00:00:00.000Z"}',
      length: 49,
    });
  });
});

describe('fitPreview', () => {
  test('shows a text that has room as it is', () => {
    expect(fitPreview(preview('BUY.'), 4)).toBe('BUY.');
  });

  test('says the length of a text of which most is missing', () => {
    expect(fitPreview(preview('word '.repeat(247)), 40)).toBe(
      'word word word word wo… 1,235 characters',
    );
  });

  test('just cuts a text of which little is missing', () => {
    expect(fitPreview(preview('The bear’s case rests on one quarter.'), 30)).toBe(
      'The bear’s case rests on one…',
    );
  });

  test('gives way when there is next to no room', () => {
    expect(fitPreview(preview('The bear’s case rests on one quarter.'), 9)).toBe('');
  });
});

describe('fit', () => {
  test.for<[string, number, string]>([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['研究者は結論', 12, '研究者は結論'],
    ['研究者は結論', 8, '研究者…'],
    [`${FAMILY}${FAMILY}${FAMILY}`, 5, `${FAMILY}${FAMILY}…`],
    ['e\u0301e\u0301e\u0301', 3, 'e\u0301e\u0301e\u0301'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['two words', 5, 'two…'],
  ])('cuts %j to %i columns, never within a character', ([text, columns, fitted]) => {
    expect(fit(text, columns)).toBe(fitted);
    expect(stringWidth(fitted)).toBeLessThanOrEqual(columns);
  });
});

function preview(text: string): Preview {
  return { text, length: text.length };
}
