// What secrets look like in text. Every pattern takes linear time on any text: it starts at a literal, and
// what follows either cannot fail or cannot hold another start. text-rules.linear.test.ts sees to it.
import { KEYS } from './keys.ts';
import { SECRET_NAME, TOKEN_NAME } from './names.ts';

/** What stands where a secret stood. The name is that of the rule that found it. */
export function marker(name: string): string {
  return `[REDACTED ${name}]`;
}

/** One shape of secrets. */
export interface TextRule {
  /** Global. */
  readonly pattern: RegExp;
  readonly replacement: string | ((match: string) => string);
}

/** Rules that are tried in turn, once one of the hints is found: most texts have none. */
export interface RuleGroup {
  readonly hints: readonly RegExp[];
  readonly rules: readonly TextRule[];
}

/** What the pattern's group `kept` catches stays. */
export function rule(name: string, pattern: RegExp): TextRule {
  const kept = pattern.source.includes('(?<kept>') ? '$<kept>' : '';
  return { pattern, replacement: kept + marker(name) };
}

/** What a rule has found already. */
const MARKER = '\\[REDACTED \\w+\\]';

/** At the start of a word, after an escape (`\n`) or a percent-encoded character too. */
export const START = '(?:(?<![A-Za-z0-9])|(?<=\\\\[bfnrt]|\\\\u[0-9a-f]{4}|%[0-9A-Fa-f]{2}))';

const KEY_PATTERNS = Object.entries(KEYS).map(
  ([name, source]) => [name, new RegExp(`^(?:${source})`)] as const,
);

const KEY: TextRule = {
  pattern: new RegExp(`${START}(?:${Object.values(KEYS).join('|')})`, 'g'),
  replacement: (match) =>
    marker(KEY_PATTERNS.find(([, pattern]) => pattern.test(match))?.[0] ?? 'key'),
};

const PRIVATE_KEY = rule(
  'private_key',
  // without its end, all that follows is taken for it
  /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*(?:-----END [A-Z0-9 ]{0,40}-----)?/g,
);

const URL_PASSWORD = rule(
  'url_password',
  new RegExp(
    `(?<kept>://[^\\s:/@"'\`]*:)(?!${MARKER}@|\\$?\\{|<)(?:${MARKER}|[^\\s/?#"'\`])+(?=@)`,
    'g',
  ),
);

/** An unescaped `/`, `?` or `#`; what follows a host has them too, so not after a port. */
const RAW_URL_PASSWORD = rule(
  'url_password',
  new RegExp(
    `(?<kept>://(?<!(?:https?|wss?)://)[^\\s:/@"'\`]*:)(?!${MARKER}@|\\$?\\{|<|\\d{1,5}[/?#])(?:(?!://)[^\\s"'\`])+(?=@)`,
    'g',
  ),
);

const URL_TOKEN = rule('url_password', /(?<kept>https?:\/\/)(?=[\w.~%+-]*?\d)[\w.~%+-]{16,}(?=@)/g);

const SLACK_WEBHOOK = rule(
  'slack_webhook',
  /(?<kept>hooks\.slack\.com\/)(?:services|workflows)\/[\w/]{20,}/g,
);

const SIGNED_URL = rule(
  'signed_url',
  /(?<kept>[?&](?:sig|x-(?:amz|goog)-(?:signature|credential|security-token))=)[\w%+/=.-]{8,}/gi,
);

const BEARER = rule(
  'bearer_token',
  // prose goes on with a word: "bearer authentication"
  /\b(?<kept>(?:[Bb]earer|BEARER)\s+)(?=[\w.~+/-]*?(?:\d|[a-z][A-Z]))[\w.~+/-]{8,}={0,2}/g,
);

const BASE64 = '[A-Za-z0-9+/]';

const BASIC = rule(
  'basic_auth',
  new RegExp(
    '\\b(?<kept>(?:[Bb]asic|BASIC)\\s+)' +
      // the Base64 of a colon, in the three places it can have among four characters
      `(?=(?:${BASE64}{4})*?(?:O[g-v]|${BASE64}(?:[DTjz][o-r]|${BASE64}[AEIMQUYcgkosw048]6)))` +
      // no words: "Basic Options", "basic Overview"
      `(?=${BASE64}*?(?:[0-9=]|[a-z][A-Z]))` +
      `(?:${BASE64}{4})*(?:${BASE64}{2}==|${BASE64}{3}=)?(?!${BASE64})`,
    'g',
  ),
);

/** A quote, escaped where JSON stands inside of JSON. */
const QUOTE = '\\\\*["\'`]';

const SCHEME = '(?:bearer|basic|token|digest|api-?key|negotiate|aws4-hmac-sha256)[ \\t]+';

const AUTHORIZATION = rule(
  'named_secret',
  new RegExp(
    `(?<kept>authorization(?:${QUOTE})?[ \\t]*[:=][ \\t]*(?:${QUOTE})?${SCHEME})` +
      `(?!${MARKER}(?![^\\s"'\`\\\\])|[$<{%])[^\\r\\n"'\`\\\\]+`,
    'gi',
  ),
);

const COOKIE = rule('named_secret', /(?<kept>cookie:[ \t]*)(?=[\w.-]+=)[^\r\n"'`\\]+/gi);

/** Where a value may open: with the letters and the three quotes of Python too. */
const QUOTES = `[rbfu]{0,2}(?:"""|'''|${QUOTE})`;
const OPEN = `(?:${QUOTES})?`;
/** A value without quotes, and the rest of it up to the brackets that close around it. */
const VALUE = `(?:${MARKER}|[^\\s"'\`,;&<>(){}[\\]\\\\])`;
const REST = `(?:(?:${MARKER}|[^\\s"'\`,;&<>\\\\])*[^\\s"'\`,;&<>(){}[\\]\\\\])?`;
/** A value that a rule has found whole. */
const HIDDEN = `(?:${QUOTES}(?:${SCHEME})?${MARKER}(?:${QUOTE}|$)|(?:${SCHEME})?${MARKER}(?!${VALUE}))`;
/** Also those of `["name"] =`, `name: str =`, and `**name:**` of Markdown. */
const SIGN = '(?:=>|:=|={1,3}|:(?:\\*\\*|[ \\t]*(?:str|string)[ \\t]*=)?|>|%3[AD])';
const SEPARATOR =
  `(?:(?:${QUOTE}\\]?|\\*\\*)?[ \\t]*${SIGN}[ \\t]*|` +
  // `name="…" value=`, `--name value`
  `${QUOTE}[,\\s]{1,20}(?:${QUOTE})?value(?:${QUOTE})?[ \\t]*[:=][ \\t]*|` +
  `[ \\t](?<=--[\\w-]+[ \\t])[ \\t]{0,8}(?!-))(?!${HIDDEN})`;
/** What it is judged by ends where another name's value may begin, so that nothing is judged twice. */
const PART = '[^\\s"\'`,;&<>(){}[\\]\\\\:=]';

const NO_CODE = '(?!\\s*(?:[,+]\\s|[;)\\]}](?:[\\s;,)]|$)))';

const NAMED_SECRET = rule(
  'named_secret',
  new RegExp(
    `(?<kept>(?:${SECRET_NAME}(?:_?\\d{1,3})?${SEPARATOR}|` +
      // a model's tokens are short, have spaces, or a probability; counts are numbers
      `${TOKEN_NAME}${SEPARATOR}(?=${OPEN}(?!\\d+\\b|[^"\\\\]{1,64}",[ ]?"logprob")[^\\s"'\`\\\\]{8}))${OPEN})(?:` +
      [
        // in quotes, whatever it is; unless the quote ends a string of code
        `(?<=\\\\["'])${NO_CODE}(?:[^"'\\\\]|\\\\+[^"'\\\\])+`,
        `(?<=[^\\\\]")${NO_CODE}(?:[^"\\\\\\n]|\\\\.)+`,
        `(?<=[^\\\\]')${NO_CODE}(?:[^'\\\\\\n]|\\\\.)+`,
        '(?<=`)(?!(?:\\w+ )?\\$\\{)[^`\\\\]+',
        // in braces, as in a connection string of ODBC
        '(?<=;[ \\t]*(?:pwd|password)[ \\t]*=)\\{[^{}\\r\\n]+\\}',
        // right after the sign, as in KEY=value: whatever is no variable and no code
        `(?<=[=>]|%3D)(?!(?:true|false|null|none|undefined)\\b|[\\w.]*(?:[(,)]|\\[(?!REDACTED ))|[$*%.])${VALUE}{3,}${REST}`,
        // anywhere else: what has a digit, as in "password: hunter2"
        `(?<![\\\\"'\`])(?!(?:[\\w.$-]*(?:\\(|\\[(?!REDACTED )))|[$*%.])(?=${PART}*?(?:[:=](?!/)${PART}*?)?\\d)${VALUE}{6,}${REST}`,
      ].join('|') +
      ')',
    'gi',
  ),
);

/** At the end of a value of the environment, beside what may follow it in a text. */
const END = '(?![^\\s"\'`,;&)\\]}<>\\\\])';

/** `DB_PASSWORD=value`, in capitals and without a blank: shells and dotenv take all up to the next one. */
const ENVIRONMENT = rule(
  'named_secret',
  new RegExp(
    `(?<kept>(?:${SECRET_NAME.toUpperCase()}(?:_?\\d{1,3})?=|` +
      `${TOKEN_NAME.toUpperCase()}=(?=(?!\\d+\\b)\\S{8}))` +
      '(?<=(?<![^\\s"\'`>])[A-Z0-9_]+=))' +
      // no variable, mask, placeholder or code
      `(?!\\$(?:[({]|env:|(?:[A-Z_][A-Z0-9_]*|[A-Za-z_]+|\\d)${END})|%(?:\\w+%|[sd]${END}|\\()|` +
      `\\*\\*|\\.[./]|["'=<({,;&)\\]}>]|\\[(?!REDACTED )|` +
      `(?:true|True|false|False|null|none|None|undefined)${END}|` +
      `[A-Za-z_][\\w.]*(?:\\(|\\[(?!REDACTED )|[,)]+(?:\\s|$)))` +
      // closing signs belong to it where it goes on after them
      `(?:${MARKER}|[^\\s"'\`,;&)[\\]}<>\\\\]|\\[(?!REDACTED )|[,;&)\\]}>]+(?=[^\\s"'\`,;&)\\]}<>\\\\])|<(?!/)|["'](?=\\w)|\\\\(?![nrt"'\`\\\\])){3,}`,
    'g',
  ),
);

// Where a regular expression begins with a few rare characters and then looks back, it is several times
// as fast as one that begins with words.
const ENDS =
  '(?:word|wd|pass|phrase|code|confirm|confirmation|repeat|otp|secret|key|signature|string|ential|zation|cookie|token)[s_\\d]*';
const NAME_HINTS: readonly RegExp[] = [
  new RegExp(`[:=>](?<=${ENDS}["'\`\\\\\\]* \\t]*[:=>])`, 'i'),
  new RegExp(`%3[AD](?<=${ENDS}%3[AD])`, 'i'),
  /value(?<=["'`][,\s]{1,20}["'`\\]{0,3}value)/i,
  new RegExp(`--(?<![\\w-]--)[\\w-]*${ENDS}[ \\t]`, 'i'),
];

/** In this order, so that a secret gets the more telling name. */
export const RULE_GROUPS: readonly RuleGroup[] = [
  { hints: [/-----BEGIN /], rules: [PRIVATE_KEY] },
  {
    hints: [
      /[-_](?<=(?:sk|pk-lf|GOCSPX|xai|hf|org|pplx|r8|nvapi|fw|lsv2|tvly|gh[pousr]|pat|gl[a-z]{2,5}|xox[a-z]|xapp|live|test|whsec|npm|pypi|key|shp[a-z]{2}|v1|[op]at|api|ntn)[-_])/,
      /(?:eyJ|A(?:Iza|[KSBC][IC]A)|SK|SG\.)[\w-]{8}/,
      /(?:dapi|ya29\.|hv[sb]\.)[\w-]{8}/,
    ],
    rules: [KEY],
  },
  {
    hints: [/:\/\/[^\s:/@"'`]*[:@]/],
    rules: [URL_PASSWORD, RAW_URL_PASSWORD, URL_TOKEN],
  },
  { hints: [/hooks\.slack\.com/], rules: [SLACK_WEBHOOK] },
  { hints: [/\b(?:bearer|basic)\s/i], rules: [BEARER, BASIC] },
  { hints: [/[?&](?:sig|x-)/i], rules: [SIGNED_URL] },
  {
    hints: NAME_HINTS,
    rules: [AUTHORIZATION, COOKIE, ENVIRONMENT, NAMED_SECRET],
  },
];

export const EMAILS: RuleGroup = {
  hints: [/@/],
  rules: [rule('email', /(?<![\w.+%-])[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,}/g)],
};

/** Anything shorter is no secret anyone could use. */
const MIN_CHARACTERS = 6;

/** The text without what the rules find in it. */
export function applyRules(groups: readonly RuleGroup[], text: string): string {
  if (text.length < MIN_CHARACTERS) return text;
  for (const { hints, rules } of groups)
    if (hints.some((hint) => hint.test(text)))
      for (const textRule of rules) text = applyRule(textRule, text);
  return text;
}

export function applyRule({ pattern, replacement }: TextRule, text: string): string {
  // one overload per type of replacement
  return typeof replacement === 'string'
    ? text.replace(pattern, replacement)
    : text.replace(pattern, replacement);
}
