import { isObject } from '../event.ts';
import { define } from '../plain.ts';
import { isTooDeep } from '../read/json.ts';
import { kindOfName, type NameKind, SECRET_NAME, TOKEN_NAME } from './names.ts';
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
const NAMES = new RegExp(`${SECRET_NAME}|${TOKEN_NAME}`, 'i');

const ONE_MARKER = /^\[REDACTED \w+\]$/;
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
    if (!JSON_START.test(cleaned) || !NAMES.test(cleaned) || isTooDeep(cleaned)) return cleaned;
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
    let copy: unknown[] | undefined;
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      const next = this.redact(item);
      if (!Object.is(next, item)) (copy ??= [...items])[i] = next;
    }
    return copy ?? items;
  }

  #entries(values: Values): Values {
    const keys = Object.keys(values);
    let copy: Record<string, unknown> | undefined;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const item = values[key];
      const { kind, text } = this.#nameOf(key);
      const next = this.#entry(isValue(key) ? this.#kindOfLabel(values) : kind, item, values);
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
    if (kind === 'plain' || isData(kind, item, values)) return this.redact(item);
    if (typeof item === 'string') {
      const cleaned = this.#clean(item);
      return cleaned === '' || ONE_MARKER.test(cleaned) ? cleaned : marker('named_secret');
    }
    if (typeof item === 'number') return kind === 'token' ? item : marker('named_secret');
    if (typeof item !== 'object' || item === null || Object.keys(item).length === 0) return item;
    return marker('named_secret');
  }

  /** `{ name: 'x-api-key', value: … }`: how lists of headers, cookies and variables are written. */
  #kindOfLabel({ name, key, Name, Key }: Values): NameKind {
    const label = name ?? key ?? Name ?? Key;
    return typeof label === 'string' ? this.#nameOf(label).kind : 'plain';
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

function isValue(key: string): boolean {
  return key === 'value' || key === 'Value';
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
