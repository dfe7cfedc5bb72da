// What texts take up in a line of JSON: in UTF-8, with their escapes.

/** Of one UTF-16 code unit: `\u0000`. */
export const MAX_BYTES_PER_CHARACTER = 6;

/** The bytes of a text, without its quotes. */
export function writtenBytes(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += bytesOf(character);
  return bytes;
}

/** The longest start of a text that takes no more than so many bytes. Cut on code points. */
export function startOf(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += bytesOf(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function bytesOf(character: string): number {
  const code = character.codePointAt(0) as number;
  if (code < 0x20) return '\b\t\n\f\r'.includes(character) ? 2 : 6;
  if (character === '"' || character === '\\') return 2;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  if (code > 0xffff) return 4;
  // half of a pair, and the two that end a line for some readers
  return (code >= 0xd800 && code <= 0xdfff) || code === 0x2028 || code === 0x2029 ? 6 : 3;
}
