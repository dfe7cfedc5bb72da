import { redact } from '@pyagent-trace/core/processors';
import { isSecretHeader } from './headers.ts';

/** A shorter value is a word that stands elsewhere too. */
const MIN_SECRET_CHARACTERS = 8;
const MIN_COOKIE_CHARACTERS = 16;
/** Of a secret that was cut off. */
const MIN_PART_CHARACTERS = 4;
const MARKER = '[REDACTED request_secret]';

/** Parameters of a URL that `redact` does not take for secrets, and which are: Google's, Azure's. */
const SECRET_PARAMETERS = /^(?:key|code|hmac|(?:[\w-]*[-_])?(?:sig|signature))$/i;

const URL_PARAMETER = /([?&](?:key|code|hmac|(?:[\w-]*[-_])?(?:sig|signature))=)[^&#\s"']+/gi;

/** Of a request: `x-functions-key`. Answers have keys of caches. */
const KEY_HEADER = /-key$/i;

const redactor = redact();

type Pair = readonly [name: string, value: string];

/** Takes secrets out of what is written: what `redact` finds, and what this request identifies itself by. */
export class Censor {
  readonly #secrets: readonly string[];

  private constructor(secrets: Iterable<string>) {
    // the longest first: one may hold another
    this.#secrets = [...new Set(secrets)].toSorted((a, b) => b.length - a.length);
  }

  static of(headers: Headers, parameters: URLSearchParams): Censor {
    return new Censor([
      ...secretHeaders(headers, (name) => isSecretHeader(name) || KEY_HEADER.test(name)),
      ...[...parameters].filter((pair) => isSecretPair(isSecretParameter, pair)).flatMap(secretsOf),
    ]);
  }

  /** Hides what the headers of the answer hold, too. */
  and(headers: Headers): Censor {
    const more = secretHeaders(headers, isSecretHeader);
    return more.length === 0 ? this : new Censor([...this.#secrets, ...more]);
  }

  /** The same text where there is nothing to hide. A text that is JSON stays JSON. */
  text(text: string): string {
    return redactor.data(this.#withoutSecrets(text)) as string;
  }

  /** The same for data, as `JSON.parse` returns it. */
  data(value: unknown): unknown {
    if (this.#secrets.length === 0) return redactor.data(value);
    const json = JSON.stringify(value);
    const cleaned = this.#withoutSecrets(json);
    return redactor.data(cleaned === json ? value : JSON.parse(cleaned));
  }

  /** Of a text that was cut off: it may end with the begin of a secret. */
  end(text: string): string {
    for (const secret of this.#secrets)
      for (let length = secret.length - 1; length >= MIN_PART_CHARACTERS; length--)
        if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length) + MARKER;
    return text;
  }

  /** Of a URL or a form. */
  parameter(pair: Pair): [name: string, value: string] {
    const [name, value] = pair;
    const isSecret = value !== '' && isSecretPair(isSecretParameter, pair);
    return [this.text(name), isSecret ? MARKER : this.text(value)];
  }

  header(pair: Pair): [name: string, value: string] {
    const [name, value] = pair;
    return [name, isSecretPair(isSecretHeader, pair) ? MARKER : this.url(value)];
  }

  /** A text that may be a URL. */
  url(text: string): string {
    return this.text(text.replaceAll(URL_PARAMETER, `$1${MARKER}`));
  }

  #withoutSecrets(text: string): string {
    let cleaned = text;
    for (const secret of this.#secrets)
      cleaned = /^\d+$/.test(secret)
        ? withoutNumber(cleaned, secret)
        : cleaned.replaceAll(secret, MARKER);
    return cleaned;
  }
}

/** A number that is a value of JSON becomes a text. One that is a part of a larger number is none. */
function withoutNumber(text: string, digits: string): string {
  return text
    .replaceAll(new RegExp(`${digits}(?<=[:,[]\\s*${digits})(?=\\s*[,\\]}])`, 'g'), `"${MARKER}"`)
    .replaceAll(new RegExp(`(?<!\\d)${digits}(?!\\d)`, 'g'), MARKER);
}

function secretHeaders(headers: Headers, isSecretName: (name: string) => boolean): string[] {
  return [...headers].filter((pair) => isSecretPair(isSecretName, pair)).flatMap(secretsOf);
}

function isSecretParameter(name: string): boolean {
  return SECRET_PARAMETERS.test(name);
}

/** By its name, or because `redact` finds it by name or form. */
function isSecretPair(isSecretName: (name: string) => boolean, [name, value]: Pair): boolean {
  if (isSecretName(name)) return true;
  const pair = { [name]: value };
  return redactor.data(pair) !== pair;
}

/** What of a value may stand elsewhere: a token without its scheme, a password, each cookie. As it is, and as in JSON. */
function secretsOf([name, value]: Pair): string[] {
  if (/cookie$/i.test(name)) {
    const cookies = value.split(';').map((cookie) => cookie.slice(cookie.indexOf('=') + 1).trim());
    // an answer sets one, with its attributes
    return longOnes(/^set-/i.test(name) ? cookies.slice(0, 1) : cookies, MIN_COOKIE_CHARACTERS);
  }
  const token = /^(?:bearer|basic|token|digest)\s+(.+)$/i.exec(value)?.[1] ?? value;
  const password = /^basic\s/i.test(value) ? passwordOf(token) : '';
  return longOnes([value, token, password], MIN_SECRET_CHARACTERS);
}

function passwordOf(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

function longOnes(values: readonly string[], minCharacters: number): string[] {
  return values.flatMap((value) =>
    value.length < minCharacters
      ? []
      : [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)],
  );
}
