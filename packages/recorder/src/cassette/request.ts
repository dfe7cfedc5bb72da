import { createHash } from 'node:crypto';
import { Censor } from './censor.ts';
import { askingHeaders } from './headers.ts';

export type FetchInput = Parameters<typeof globalThis.fetch>[0];
export type FetchInit = NonNullable<Parameters<typeof globalThis.fetch>[1]>;

type Field = NonNullable<ReturnType<FormData['get']>>;

/** What is asked, without secrets: as it is written and compared. */
export interface Question {
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** JSON as data, forms as their fields, other texts as they are; of other bytes the digest. */
  readonly body?: unknown;
}

export interface AskedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  /** `undefined` where there is none. */
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  /** To hand on: what can be read but once has been read, and stands here as bytes. */
  readonly init: FetchInit | undefined;
}

/**
 * Reads all of a request, and leaves it as it is for the one who sends it.
 *
 * @throws {TypeError} where `fetch` would reject with it
 */
export async function readRequest(
  input: FetchInput,
  init: FetchInit | undefined,
): Promise<AskedRequest> {
  const own = isReadOnce(init?.body) ? { ...init, body: await readAll(init.body) } : init;
  const given = input instanceof Request ? input : undefined;
  // without the signal, of which every Request makes one of its own
  const request = new Request(given?.clone() ?? input, { ...own, signal: null });
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
  return {
    url: request.url,
    method: request.method,
    headers: request.headers,
    body,
    signal: init?.signal ?? given?.signal,
    init: own,
  };
}

function isReadOnce(body: unknown): body is AsyncIterable<Uint8Array> {
  return (
    typeof body === 'object' &&
    body !== null &&
    Symbol.asyncIterator in body &&
    !(body instanceof Blob)
  );
}

function readAll(body: AsyncIterable<Uint8Array>): Promise<ArrayBuffer> {
  return new Response(body).arrayBuffer();
}

export function censorOf({ url, headers }: AskedRequest): Censor {
  return Censor.of(headers, new URL(url).searchParams);
}

export async function toQuestion(request: AskedRequest, censor: Censor): Promise<Question> {
  const { origin, pathname, searchParams } = new URL(request.url);
  const query = [...searchParams].map((pair) => censor.parameter(pair));
  const headers = censor.data(askingHeaders(request.headers)) as Record<string, string>;
  const body = await readBody(request, censor);
  return {
    method: request.method,
    origin,
    path: censor.text(pathname),
    ...(query.length > 0 && { query: byName(query) }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(body !== undefined && { body }),
  };
}

function byName(pairs: readonly (readonly [string, unknown])[]): Record<string, never> {
  const names = new Map<string, unknown[]>();
  for (const [name, value] of pairs) names.set(name, [...(names.get(name) ?? []), value]);
  const entries = [...names].map(([name, values]) => [
    name,
    values.length > 1 ? values : values[0],
  ]);
  return Object.fromEntries(entries) as Record<string, never>;
}

async function readBody({ body, headers }: AskedRequest, censor: Censor): Promise<unknown> {
  if (body === undefined) return undefined;
  const type = headers.get('content-type') ?? '';
  if (/^multipart\/form-data|^application\/x-www-form-urlencoded/i.test(type))
    return readForm(body, type, censor);
  const text = textOf(body);
  try {
    return text === undefined ? digest(body) : readText(censor.text(text));
  } catch {
    return digest(body); // too deep: what cannot be looked through, or read again, is not written
  }
}

function readText(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  return withoutBlobs(value);
}

async function readForm(body: Uint8Array, type: string, censor: Censor): Promise<unknown> {
  let fields: [string, Field][];
  try {
    fields = [...(await new Response(body, { headers: { 'content-type': type } }).formData())];
  } catch {
    return digest(body); // says that it is a form, and is none
  }
  const pairs = fields.map(async ([name, value]) => {
    if (typeof value === 'string') return censor.parameter([name, value]);
    const bytes = new Uint8Array(await value.arrayBuffer());
    const file = { file: value.name, type: value.type, ...digest(bytes) };
    return [censor.text(name), censor.data(file)] as const;
  });
  return byName(await Promise.all(pairs));
}

/** `undefined` for what is no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Pictures and files come again with every turn of a conversation, and nobody reads them in a diff. */
const MIN_BLOB_CHARACTERS = 16_384;
const BLOB = /^(?:data:[^,]{0,200},)?[\w+/-]+=*$/;

/** A line is read up to 200 levels; the cassette's own are among them. */
const MAX_DEPTH = 150;

/** @throws where it is too deep for a line */
function withoutBlobs(value: unknown, depth = 0): unknown {
  if (typeof value === 'string')
    return value.length >= MIN_BLOB_CHARACTERS && BLOB.test(value)
      ? digest(Buffer.from(value))
      : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw new RangeError(`deeper than ${MAX_DEPTH} levels`);
  const holder = value as Record<string, unknown>;
  for (const [key, item] of Object.entries(holder)) {
    const next = withoutBlobs(item, depth + 1);
    // only what was changed: an assignment to __proto__ would set the prototype
    if (next !== item && key !== '__proto__') holder[key] = next;
  }
  return value;
}

function digest(bytes: Uint8Array): { bytes: number; sha256: string } {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
