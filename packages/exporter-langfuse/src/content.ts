import { toPlainData } from '@pyagent-trace/core';
import { cutToBytes } from './cut.ts';
import { replaceMedia } from './media.ts';

/** Changes a value before it leaves the process. Gets plain data; what it returns is sent instead. */
export type Mask = (value: unknown) => unknown;

/**
 * Of one observation's input, output and metadata together. The `langfuse` package replaces the largest of
 * them whole when an observation has more than 1,000,000 bytes, the rest of it included.
 */
const MAX_CONTENT_BYTES = 900_000;
const MAX_STATUS_MESSAGE_BYTES = 10_000;

const MASK_FAILED = '[masking failed]';

/** A value as JSON text. */
export type Json = string;

/** What people and models said, ready to be sent: JSON texts, with their sum in bytes. */
export interface Content {
  readonly input?: Json;
  readonly output?: Json;
  readonly metadata: Readonly<Record<string, Json>>;
  readonly bytes: number;
}

/** Plain data. */
export interface RawContent {
  readonly input?: unknown;
  readonly output?: unknown;
  /** Those of value `undefined` are left out. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Makes content fit to be sent: files out, masked, cut. */
export class ContentFilter {
  /** How often the mask threw, or returned a promise. */
  maskFailures = 0;
  readonly #mask: Mask | undefined;

  constructor(mask?: Mask) {
    this.#mask = mask;
  }

  content({ input, output, metadata }: RawContent): Content {
    const clean = {
      input: this.#clean(input),
      output: this.#clean(output),
      metadata: this.#cleanFields(metadata),
    };
    const content = encode(clean);
    if (content.bytes <= MAX_CONTENT_BYTES) return content;
    return encode(cutToBytes(clean, MAX_CONTENT_BYTES) as RawContent);
  }

  statusMessage(message: unknown): string | undefined {
    const clean = this.#clean(message);
    if (clean === undefined || clean === null) return undefined;
    const text = typeof clean === 'string' ? clean : JSON.stringify(clean);
    return cutToBytes(text, MAX_STATUS_MESSAGE_BYTES) as string;
  }

  #cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    // no prototype: a key may be called __proto__
    const result = Object.create(null) as Record<string, unknown>;
    for (const [name, value] of Object.entries(fields)) result[name] = this.#clean(value, name);
    return result;
  }

  #clean(value: unknown, key?: string): unknown {
    if (value === undefined) return undefined;
    const clean = replaceMedia(value, key);
    if (this.#mask === undefined) return clean;
    try {
      const masked = this.#mask(clean) as PromiseLike<unknown> | null | undefined;
      // a promise would be sent as {}, or fail unseen
      if (typeof masked?.then !== 'function') return replaceMedia(toPlainData(masked), key);
      masked.then(undefined, () => {});
    } catch {
      // below
    }
    this.maskFailures += 1;
    return MASK_FAILED;
  }
}

function encode({ input, output, metadata }: RawContent): Content {
  let bytes = 0;
  const toJson = (value: unknown): Json => {
    const text = JSON.stringify(value);
    bytes += Buffer.byteLength(text);
    return text;
  };
  const texts = Object.create(null) as Record<string, Json>;
  for (const [name, value] of Object.entries(metadata)) {
    if (value === undefined) continue;
    bytes += Buffer.byteLength(name);
    texts[name] = toJson(value);
  }
  const io = {
    ...(input !== undefined && { input: toJson(input) }),
    ...(output !== undefined && { output: toJson(output) }),
  };
  return { ...io, metadata: texts, bytes };
}
