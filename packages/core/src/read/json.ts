// JSON as Python writes it. A scanner by hand, linear in the text: a regular expression for tokens
// outside of strings is quadratic on a string that does not end (48 kB took 0.7 s).

/**
 * More levels are refused before JSON.parse, which takes 3 GB for 32 million of them (a line of
 * 64 MiB); and what comes after it recurses.
 */
export const MAX_DEPTH = 200;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The index of the quote that ends the string which starts at `open`, or -1. */
function endOfString(text: string, open: number): number {
  let end = text.indexOf('"', open + 1);
  while (end !== -1) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 1) return end; // an even number of backslashes: none escapes the quote
    end = text.indexOf('"', end + 1);
  }
  return -1;
}

/** Whether there are enough brackets, in strings or not. Spares nearly every line the slow look. */
function hasManyBrackets(text: string): boolean {
  let count = 0;
  for (let i = text.indexOf('{'); i !== -1; i = text.indexOf('{', i + 1))
    if (++count > MAX_DEPTH) return true;
  for (let i = text.indexOf('['); i !== -1; i = text.indexOf('[', i + 1))
    if (++count > MAX_DEPTH) return true;
  return false;
}

/** Whether objects and arrays are nested deeper than `MAX_DEPTH`. */
export function isTooDeep(text: string): boolean {
  // so few characters cannot open that many and close them: no JSON, as JSON.parse will say
  if (text.length <= 2 * MAX_DEPTH || !hasManyBrackets(text)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        if (i === -1) return false; // no JSON, as JSON.parse will say
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth += 1;
        if (depth > MAX_DEPTH) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth -= 1;
        break;
      default:
    }
  }
  return false;
}

const NON_FINITE = /-?Infinity|NaN/g;

/** The text with `NaN`, `Infinity` and `-Infinity` outside of strings as `null`, and how many there were. */
export function nullNonFinite(text: string): { readonly text: string; readonly count: number } {
  let result = '';
  let count = 0;
  let start = 0;
  while (start < text.length) {
    const quote = text.indexOf('"', start);
    const outside = text.slice(start, quote === -1 ? text.length : quote);
    result += outside.replace(NON_FINITE, () => {
      count += 1;
      return 'null';
    });
    if (quote === -1) break;
    const end = endOfString(text, quote);
    const after = end === -1 ? text.length : end + 1;
    result += text.slice(quote, after);
    start = after;
  }
  return { text: result, count };
}
