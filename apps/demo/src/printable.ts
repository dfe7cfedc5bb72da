/** A model may write escape sequences: they must not reach the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}+/gu, ' ');
}
