import { isObject } from '../event.ts';
import { define } from '../plain.ts';
import { isTooDeep } from '../read/json.ts';
import { HAS_NAMES, kindOfName, type NameKind } from './names.ts';
import { marker } from './text-rules.ts';

type Values = Readonly<Record<string, unknown>>;

/** What is known of the name of a key. */
interface Name {
  readonly kind: NameKind;
  /** The name without the secrets in it. */
  readonly text: string;
}

/** Payloads have the same keys again and again: looked at once, they take no time. */
const MAX_NAMES = 1_000;
const MAX_NAME_CHARACTERS = 128;

const JSON_START = /^\s*[[{"]/;
/** Among the tokens of a text, one that may be a secret: no word, no blank, none of a model's own. */
const TOKEN = /^(?!<)(?=\S*?(?:\d|[a-z][A-Z]))\S{8,}$/;

const ONE_MARKER = /^\[REDACTED \w+\]$/;
const FLAG = /^(?:true|false|yes|no|none|ok|pass(?:ed)?|fail(?:ed)?)$/i;
/** A tool's argument may be called `password`: its description is no secret. */
const SCHEMA_TYPES: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'object',
  'array',
]);
const SCHEMA_KEYS = ['$ref', 'anyOf', 'oneOf', 'allOf'];

/** Goes through plain data, and copies of it what holds a secret. */
export class TreeRedactor {
  readonly #clean: (text: string) => string;
  readonly #names = new Map<string, Name>();

  /** @param clean gives back the same text when there is nothing to hide in it */
  constructor(clean: (text: string) => string) {
    this.#clean = clean;
  }

  /** The same value, when there is nothing to hide in it. */
  redact(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object' || value === null) return value;
    return Array.isArray(value) ? this.#items(value) : this.#entries(value as Values);
  }

  /** A short text that comes often, such as a key or the name of an agent, without its secrets. */
  name(text: string): string {
    return this.#nameOf(text).text;
  }

  /** The arguments of a tool are a text that is JSON: their names say more than the text's rules see. */
  #text(text: string): string {
    const cleaned = this.#clean(text);
    if (!JSON_START.test(cleaned) || !HAS_NAMES.test(cleaned) || isTooDeep(cleaned)) return cleaned;
    let value: unknown;
    try {
      value = JSON.parse(cleaned);
    } catch {
      return cleaned;
    }
    const next = this.redact(value);
    return Object.is(next, value) ? cleaned : JSON.stringify(next);
  }

  #items(items: readonly unknown[]): readonly unknown[] {
    // how the entries of Headers and of a Map are written
    if (items.length > 0 && items.every(isPair))
      return mapped(items, (pair) => this.#pairs(pair as readonly unknown[]));
    return mapped(items, (item) => this.redact(item));
  }

  /** A list of names and values in turn. */
  #pairs(items: readonly unknown[]): readonly unknown[] {
    return mapped(items, (item, i) => {
      const name = items[i - 1];
      if (i % 2 === 0 || typeof name !== 'string') return this.redact(item);
      return this.#entry(this.#nameOf(name).kind, item, {});
    });
  }

  #entries(values: Values): Values {
    const keys = Object.keys(values);
    let copy: Record<string, unknown> | undefined;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const item = values[key];
      const { kind, text } = this.#nameOf(key);
      const next = this.#entry(kind === 'value' ? this.#kindOfLabel(values) : kind, item, values);
      if (copy === undefined) {
        if (Object.is(next, item) && text === key) continue;
        copy = {};
        for (const before of keys.slice(0, i)) define(copy, before, values[before]);
      }
      define(copy, Object.hasOwn(copy, text) ? `${text} ${i}` : text, next);
    }
    return copy ?? values;
  }

  #entry(kind: NameKind, item: unknown, values: Values): unknown {
    switch (kind) {
      case 'secret':
      case 'token':
        return isData(kind, item, values) ? this.redact(item) : this.#secret(kind, item);
      case 'text':
      case 'tokens':
        return Array.isArray(item)
          ? mapped(item, (one) => this.#ambiguous(kind, one))
          : this.#ambiguous(kind, item);
      case 'pairs':
        return Array.isArray(item) ? this.#pairs(item) : this.redact(item);
      default:
        return this.redact(item);
    }
  }

  #ambiguous(kind: NameKind, item: unknown): unknown {
    const isSecret =
      typeof item === 'string' && (kind === 'tokens' ? TOKEN.test(item) : !FLAG.test(item));
    return isSecret ? this.#secret(kind, item) : this.redact(item);
  }

  #secret(kind: NameKind, item: unknown): unknown {
    if (typeof item === 'string') {
      const cleaned = this.#clean(item);
      return cleaned === '' || ONE_MARKER.test(cleaned) ? cleaned : marker('named_secret');
    }
    if (typeof item === 'number') return kind === 'token' ? item : marker('named_secret');
    if (typeof item !== 'object' || item === null || Object.keys(item).length === 0) return item;
    return marker('named_secret');
  }

  /** `{ name: 'x-api-key', value: … }`: how lists of headers, cookies and variables are written. */
  #kindOfLabel(values: Values): NameKind {
    for (const [key, label] of Object.entries(values)) {
      if (typeof label !== 'string' || this.#nameOf(key).kind !== 'label') continue;
      const { kind } = this.#nameOf(label);
      if (kind !== 'plain') return kind;
    }
    return 'plain';
  }

  #nameOf(key: string): Name {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name: Name = { kind: kindOfName(key), text: this.#clean(key) };
    if (key.length <= MAX_NAME_CHARACTERS) {
      if (this.#names.size >= MAX_NAMES) this.#names.clear();
      this.#names.set(key, name);
    }
    return name;
  }
}

/** The same items, when none of them changes. */
function mapped(
  items: readonly unknown[],
  change: (item: unknown, index: number) => unknown,
): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const next = change(items[i], i);
    if (!Object.is(next, items[i])) (copy ??= [...items])[i] = next;
  }
  return copy ?? items;
}

function isPair(item: unknown): item is readonly unknown[] {
  return Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
}

/** What is called like a secret and is none: the description of an argument, a token of a model's answer. */
function isData(kind: NameKind, item: unknown, values: Values): boolean {
  if (kind === 'token' && Object.hasOwn(values, 'logprob')) return true;
  if (!isObject(item)) return false;
  if (kind === 'token' && Object.hasOwn(item, 'logprob')) return true;
  if (Object.hasOwn(item, 'value')) return false; // of a type, and no schema
  const types: unknown[] = [item['type']].flat();
  return (
    types.some((type) => SCHEMA_TYPES.has(type)) ||
    SCHEMA_KEYS.some((key) => Object.hasOwn(item, key))
  );
}
