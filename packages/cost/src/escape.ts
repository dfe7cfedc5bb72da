// What a terminal would obey instead of print: C0 with ESC, DEL and C1; the two line separators that
// some viewers break at; marks that reorder the text around them; halves of a surrogate pair.
const OBEYED = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;

/** Shows control characters as JavaScript escapes: ESC as `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
