// What keys of secrets are called: `api_key`, `X-Api-Key`, `apiKey`, `DB_PASSWORD`, `Set-Cookie`.

const GAP = '[-_. ]?';

/** Ends of names. A bare `pwd` is the working directory. */
const SECRET = [
  'pass(?:word|wd|phrase|code)',
  '(?<=[-_;]|user|admin|db)pwd',
  'secret',
  `(?:api|access|private|account|signing|encryption|master|auth|secret|subscription)${GAP}key`,
  `shared${GAP}access${GAP}(?:key|signature)`,
  `connection${GAP}string`,
  'credential',
  'authorization',
  'cookie',
].join('|');

/** Not the counts (`input_tokens`), nor what tokenizers and paginated lists call a token. */
const TOKEN = `(?<!(?:eos|bos|pad|unk|sep|cls|mask|stop|next|page|sync|continuation)${GAP})token`;

/** As sources of regular expressions without case: a name that ends here is one of a secret. */
export const SECRET_NAME = `(?:${SECRET})s?`;
export const TOKEN_NAME = TOKEN;

const QUALIFIED = `(?:${GAP}(?:\\d{1,3}|value|hash|pem|base64))?$`;
const SECRET_KEY = new RegExp(`${SECRET_NAME}${QUALIFIED}`, 'i');
const TOKEN_KEY = new RegExp(`${TOKEN_NAME}${QUALIFIED}`, 'i');

/** A longer key is a text. */
const MAX_NAME_CHARACTERS = 128;

/** What the name of a key says of its value. */
export type NameKind = 'plain' | 'secret' | 'token';

export function kindOfName(key: string): NameKind {
  if (key.length > MAX_NAME_CHARACTERS) return 'plain';
  if (SECRET_KEY.test(key)) return 'secret';
  return TOKEN_KEY.test(key) ? 'token' : 'plain';
}
