// What a terminal would obey instead of print: C0 with ESC, DEL and C1; the two line separators that
// some viewers break at; marks that reorder the text around them; halves of a surrogate pair. And what nobody
// sees, save joiners: scripts and emoji need those.
const OBEYED = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u00ad\u200b\u2028\u2029\u2060\ufeff]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text from a model or a file, fit for a terminal or a message of one line: control characters are shown as
 * JavaScript escapes, a line feed as `\n`, ESC as `\u001b`.
 */
export function escapeControls(text: string): string {
  return text.replace(
    OBEYED,
    (character) =>
      SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
