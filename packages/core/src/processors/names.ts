// What keys of secrets are called: `api_key`, `X-Api-Key`, `apiKey`, `DB_PASSWORD`, `Set-Cookie`. The
// sources have no escapes, so that they may be written in capitals.

import { KEYS } from './keys.ts';

const GAP = '[-_. ]?';

/** What a key is for that is no key of a table or of a keyboard: a service, or what it opens. */
const KEY_OF = [
  ...Object.keys(KEYS).flatMap((name) => /^(\w+)_key$/.exec(name)?.[1] ?? []),
  'api|access|private|account|signing|encryption|master|auth|secret|subscription|storage|ssh|hmac|jwt',
  'claude|gemini|azure|mistral|cohere|deepseek|together|hf',
].join('|');

/** Ends of names. A bare `pwd` is the working directory, and a pass may be one of several. */
const SECRET = [
  'pass(?:word|wd|phrase|code)',
  '(?<=[-_;]|user|admin|db)pwd',
  `pass(?<=(?:user|admin|root|login|db|database|mysql|postgres|redis|mongo|smtp|mail|ftp|ssh)${GAP}pass)`,
  'secret',
  `key(?<=(?:${KEY_OF})${GAP}key)`,
  `token(?<=(?:api|access|auth|refresh|bot|personal)${GAP}token)(?!s)`,
  `shared${GAP}access${GAP}(?:key|signature)`,
  `connection${GAP}string`,
  'credential',
  'authorization',
  'cookie',
  'otp(?<=(?:^|[^a-z])t?otp)',
].join('|');

/** Not the counts (`input_tokens`), nor what tokenizers and paginated lists call a token. */
const TOKEN = `(?<!(?:eos|bos|pad|unk|sep|cls|mask|stop|next|page|sync|continuation)${GAP})token`;

/** As sources of regular expressions without case: a name that ends here is one of a secret. */
export const SECRET_NAME = `(?:${SECRET})s?(?:${GAP}(?:confirm(?:ation)?|repeat))?`;
export const TOKEN_NAME = TOKEN;
/** And those that may be the name of another thing. */
const AMBIGUOUS = '(?:(?:^|[-_. "])(?:auth|jwt|bearer|[cx]srf)|(?:^|")pass)';
const TOKENS = `(?:(?:^|")|(?:api|access|auth|refresh)${GAP})tokens`;

const QUALIFIED = `(?:${GAP}(?:\\d{1,3}|value|hash|pem|base64))?$`;
const KINDS: readonly (readonly [NameKind, RegExp])[] = [
  ['secret', new RegExp(SECRET_NAME + QUALIFIED, 'i')],
  ['token', new RegExp(TOKEN_NAME + QUALIFIED, 'i')],
  ['tokens', new RegExp(`${TOKENS}$`, 'i')],
  ['text', new RegExp(`${AMBIGUOUS}$`, 'i')],
  ['value', /value$|^val$/i],
  ['label', /(?:name|key|header)$/i],
  ['pairs', /^raw[-_]?headers$/i],
];

/** Whether a text that is JSON may have a name that says something of a value. */
export const HAS_NAMES: RegExp = new RegExp(
  `${SECRET_NAME}|${TOKEN_NAME}|(?:${TOKENS}|${AMBIGUOUS})\\\\*"`,
  'i',
);

/** A longer key is a text. */
const MAX_NAME_CHARACTERS = 128;

/**
 * What the name of a key says of its value. `token`: no count. `tokens`: those of its texts that are no
 * words. `text`: its texts, while it may have other things. `label` and `value`: one names the other.
 * `pairs`: a list of names and values in turn.
 */
export type NameKind =
  | 'plain'
  | 'secret'
  | 'token'
  | 'tokens'
  | 'text'
  | 'label'
  | 'value'
  | 'pairs';

export function kindOfName(key: string): NameKind {
  if (key.length > MAX_NAME_CHARACTERS) return 'plain';
  return KINDS.find(([, name]) => name.test(key))?.[0] ?? 'plain';
}
