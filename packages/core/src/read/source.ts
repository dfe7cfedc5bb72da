import { constants, open as openDescriptor } from 'node:fs';
import { open as openFile, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf, TraceError } from '../errors.ts';
import { describe } from '../event.ts';
import { unpack } from './archive.ts';

/**
 * A path, which may be that of a named pipe, a `file:` URL, or chunks of bytes or text from anywhere: a
 * stream, a generator, an array. Chunks may be cut anywhere.
 */
export type TraceSource =
  | string
  | URL
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

/** Large enough that the work per chunk does not count. */
const CHUNK_BYTES = 256 * 1024;

export interface OpenSource {
  /** For messages. */
  readonly name: string;
  /** Unpacked. What a chunk holds is there until the next one is asked for. */
  readonly chunks: AsyncGenerator<Buffer, void, void>;
  /** Whether it was an archive that ends before its end. */
  readonly isCutOff: () => boolean;
}

/**
 * Opens nothing yet: the file is opened when the first chunk is asked for.
 *
 * @throws {TraceError} `invalid_option`, if it is none of the sources
 */
export function openSource(
  source: TraceSource,
  place: string,
  signal: AbortSignal | undefined,
): OpenSource {
  if (typeof source === 'string') return open(source, pathChunks(source, signal));
  if (source instanceof URL) return openSource(pathOf(source, place), place, signal);
  if (isIterable(source)) return open('stream', toBuffers(source));
  throw new TraceError(
    'invalid_option',
    `${place}: expected a path, a file URL or an iterable of chunks`,
  );
}

function open(name: string, packed: AsyncGenerator<Buffer, void, void>): OpenSource {
  let isCutOff = false;
  const unpacked = unpack(packed, () => {
    isCutOff = true;
  });
  return { name, chunks: naming(name, unpacked), isCutOff: () => isCutOff };
}

function pathOf(url: URL, place: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const problem =
      url.protocol === 'file:'
        ? `expected the file URL of a path: ${messageOf(cause)}`
        : `expected a file URL, got ${url.protocol}`;
    throw new TraceError('invalid_option', `${place}: ${problem}`, { cause });
  }
}

async function* pathChunks(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, void> {
  // what cannot be opened says so when it is
  const stats = await stat(path).catch(() => undefined);
  yield* stats?.isFIFO() === true ? pipeChunks(path, signal) : fileChunks(path);
}

/**
 * Waits as a socket does. `open` and `read` would wait for a writer in a thread of Node's pool, which
 * cannot be interrupted: `process.exit()` waits for it too. The signal closes the socket, which would keep
 * the process alive until a writer comes.
 */
async function* pipeChunks(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, void> {
  const fd = await promisify(openDescriptor)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const options = { fd, readable: true, writable: false, ...(signal !== undefined && { signal }) };
  yield* new Socket(options) as AsyncIterable<Buffer>;
}

/** All in one buffer, since a new one for each chunk waits for the collector outside of the heap. */
async function* fileChunks(path: string): AsyncGenerator<Buffer, void, void> {
  const file = await openFile(path);
  try {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}

async function* toBuffers(
  source: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncGenerator<Buffer, void, void> {
  let held = ''; // half of a surrogate pair that was cut in two: alone it has no bytes
  for await (const chunk of source as AsyncIterable<unknown>) {
    if (typeof chunk === 'string') {
      const text = held + chunk;
      held = /[\ud800-\udbff]$/.exec(text)?.[0] ?? '';
      yield Buffer.from(text.slice(0, text.length - held.length));
    } else if (ArrayBuffer.isView(chunk)) {
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    } else throw new TypeError(`expected chunks of bytes or text, got ${describe(chunk)}`);
  }
  if (held !== '') yield Buffer.from(held);
}

/** What fails names the source, once: Node's own message says `…, open '/path'`. */
async function* naming<T>(
  name: string,
  chunks: AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  try {
    yield* chunks;
  } catch (cause) {
    const message = messageOf(cause).replace(` '${name}'`, '');
    throw new TraceError('read_failed', `${name}: ${message}`, { cause });
  }
}

/**
 * The chunks of an iterator until a signal says stop, also while a chunk is awaited that never comes.
 *
 * @throws the signal's reason
 */
export async function* untilAborted<T>(
  chunks: AsyncGenerator<T, void, void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, void> {
  if (signal === undefined) {
    yield* chunks;
    return;
  }
  try {
    for (;;) {
      const { done, value } = await orAborted(() => chunks.next(), signal);
      if (done === true) return;
      yield value;
    }
  } finally {
    const closed = chunks.return();
    // after an abort the source may be stuck: it is told to close, and not waited for
    if (signal.aborted) closed.catch(() => {});
    else await closed;
  }
}

/** What a function promises, unless a signal says stop before. Without a signal it is just that. */
export function orAborted<T>(begin: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return begin();
  return new Promise((resolve, reject) => {
    signal.throwIfAborted(); // rejects
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    begin()
      .finally(() => signal.removeEventListener('abort', onAbort))
      .then(resolve, reject);
  });
}
