import { redact } from '@pyagent-trace/core/processors';
import { isSecretHeader } from './headers.ts';

/** A shorter value is a word that stands elsewhere too. */
const MIN_SECRET_CHARACTERS = 8;
const MIN_COOKIE_CHARACTERS = 16;
const MARKER = '[REDACTED request_secret]';

/** Parameters of a URL that `redact` does not take for secrets, and which are: Google's, Azure's. */
const SECRET_PARAMETERS = /^(?:key|sig|signature|code)$/i;

const URL_PARAMETER = /([?&](?:key|sig|signature|code)=)[^&#\s"']+/gi;

const redactor = redact();

type Pair = readonly [name: string, value: string];

/** Takes secrets out of what is written: what `redact` finds, and what this request identifies itself by. */
export class Censor {
  readonly #secrets: readonly string[];

  constructor(headers: Headers, parameters: URLSearchParams) {
    const pairs = [
      ...[...headers].filter(([name, value]) => isSecretPair(isSecretHeader, [name, value])),
      ...[...parameters].filter((pair) => isSecretPair(isSecretParameter, pair)),
    ];
    const values = new Set(pairs.flatMap(secretsOf));
    // the longest first: one may hold another
    this.#secrets = [...values].toSorted((a, b) => b.length - a.length);
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
    for (const secret of this.#secrets) cleaned = cleaned.replaceAll(secret, MARKER);
    return cleaned;
  }
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
    return longOnes(cookies, MIN_COOKIE_CHARACTERS);
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
