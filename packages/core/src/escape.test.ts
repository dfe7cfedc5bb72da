import { describe, expect, test } from 'vitest';
import { escapeControls } from './escape.ts';

describe('escapeControls', () => {
  test('shows line feed, carriage return and tab by their short names', () => {
    expect(escapeControls('a\nb\r\nc\td')).toBe('a\\nb\\r\\nc\\td');
  });

  test('shows every other character that a terminal obeys by its number', () => {
    const obeyed = [0x00, 0x07, 0x1b, 0x7f, 0x80, 0x9b, 0x061c, 0x200e, 0x200f, 0x2028, 0x2029]
      .concat([0x202a, 0x202b, 0x202c, 0x202d, 0x202e], [0x2066, 0x2067, 0x2068, 0x2069])
      .concat([0xd83d, 0xdc00]);
    expect(obeyed.map((code) => escapeControls(String.fromCharCode(code)))).toEqual(
      obeyed.map((code) => `\\u${code.toString(16).padStart(4, '0')}`),
    );
  });

  test('shows what cannot be seen by its number', () => {
    expect(escapeControls('a\u00adb\u200bc\u2060d\ufeff')).toBe('a\\u00adb\\u200bc\\u2060d\\ufeff');
  });

  test('leaves text, backslashes, combining marks and emoji as they are', () => {
    const text = 'C:\\new 研究者 naïve é 👩‍👩‍👧 "quoted"';
    expect(escapeControls(text)).toBe(text);
  });
});
