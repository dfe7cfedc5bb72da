// gzip and zstd, known by their first bytes: no line of JSON begins with them, and a file's name may lie.
import { createGunzip, createZstdDecompress } from 'node:zlib';

type Engine = ReturnType<typeof createGunzip | typeof createZstdDecompress>;

interface Format {
  readonly name: string;
  /** The first bytes, in hexadecimal digits. */
  readonly start: RegExp;
  readonly createEngine: () => Engine;
  /**
   * The first and the last bytes of an archive that holds nothing, in hexadecimal digits. For an engine that does
   * not notice where an archive is cut off.
   */
  readonly empty?: RegExp;
  /** Zeros may follow an archive, to fill a block of a tape or a disk. */
  readonly hasPadding: boolean;
}

/** An engine makes no more than this before it is read, whatever a few bytes unpack to. */
const OPTIONS = { chunkSize: 64 * 1024 };

const FORMATS: readonly Format[] = [
  {
    name: 'gzip',
    start: /^1f8b/,
    createEngine: () => createGunzip(OPTIONS),
    hasPadding: true,
  },
  {
    name: 'zstd',
    // or a frame that is to be skipped, with which pzstd begins
    start: /^(?:28b52ffd|5[0-9a-f]2a4d18)/,
    createEngine: () => createZstdDecompress(OPTIONS),
    // that frame, or a last block of no bytes and their checksum; Node 22 takes any end for the end
    empty: /^5|010000(?:99e9d851)?$/,
    hasPadding: false,
  },
];
const START_BYTES = 4;
const END_BYTES = 7;

/**
 * What an archive holds, or the chunks as they are if they are none. Archives that were put one after
 * the other are one archive.
 *
 * @param onCutOff hears of an archive that ends before its end, after what could be read of it
 * @throws {Error} where the archive is corrupt
 */
export async function* unpack(
  chunks: AsyncIterable<Buffer>,
  onCutOff: () => void,
): AsyncGenerator<Buffer, void, void> {
  let archive: Archive | undefined;
  let isFirst = true;
  try {
    for await (const chunk of withHead(chunks)) {
      if (isFirst) {
        const head = chunk.toString('hex', 0, START_BYTES);
        const format = FORMATS.find(({ start }) => start.test(head));
        archive = format && new Archive(format, head, onCutOff);
        isFirst = false;
      }
      if (archive === undefined) yield chunk;
      else yield* archive.unpack(chunk);
    }
    if (archive !== undefined) yield* archive.end();
  } finally {
    archive?.close();
  }
}

/** The same bytes; the first chunk is long enough to know a format by, unless there is no more. */
async function* withHead(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < START_BYTES) continue;
    yield head;
    head = undefined;
  }
  if (head !== undefined) yield head;
}

class Archive {
  readonly #format: Format;
  /** The first bytes, in hexadecimal digits. */
  readonly #head: string;
  readonly #onCutOff: () => void;
  #engine: Engine | undefined;
  /** Where in the archive the engine began. */
  #offset = 0;
  /** Bytes that the engine was given. */
  #fed = 0;
  #isEmpty = true;
  /** The last bytes. */
  #tail = Buffer.alloc(0);
  #wake = (): void => {};

  constructor(format: Format, head: string, onCutOff: () => void) {
    this.#format = format;
    this.#head = head;
    this.#onCutOff = onCutOff;
  }

  /** What a chunk unpacks to. Has taken all of the chunk when it ends. */
  async *unpack(chunk: Buffer): AsyncGenerator<Buffer, void, void> {
    let rest = chunk;
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-END_BYTES)]).subarray(-END_BYTES);
    for (;;) {
      if (this.#engine === undefined) rest = this.#skipPadding(rest);
      if (rest.length === 0) return;
      const engine = (this.#engine ??= this.#open());
      this.#fed += rest.length;
      engine.write(rest, () => this.#wake());
      yield* this.#output(engine, () => engine.writableLength === 0);
      const unread = this.#fed - engine.bytesWritten;
      rest = rest.subarray(rest.length - unread);
      // an engine that leaves something has come to the end of what was packed at once
      if (unread > 0) this.close();
    }
  }

  /** What is left when there are no more chunks. */
  async *end(): AsyncGenerator<Buffer, void, void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    engine.end();
    yield* this.#output(engine, () => engine.readableEnded);
    const ends = this.#head + this.#tail.toString('hex');
    if (this.#isEmpty && this.#format.empty?.test(ends) === false) this.#onCutOff();
  }

  close(): void {
    this.#offset += this.#engine?.bytesWritten ?? 0;
    this.#fed = 0;
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  #open(): Engine {
    const engine = this.#format.createEngine();
    const wake = (): void => this.#wake();
    return engine.on('readable', wake).on('end', wake).on('error', wake);
  }

  async *#output(engine: Engine, isDone: () => boolean): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const output = engine.read() as Buffer | null;
      if (output !== null) {
        this.#isEmpty = false;
        yield output;
        continue;
      }
      if (engine.errored !== null) {
        if (!isCutOff(engine.errored)) throw this.#corrupt(engine, engine.errored);
        this.#onCutOff();
        return;
      }
      if (isDone()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #corrupt({ bytesWritten }: Engine, cause: Error): Error {
    const { name } = this.#format;
    const offset = this.#offset + bytesWritten;
    return new Error(`corrupt ${name} archive near byte ${offset}: ${cause.message}`, { cause });
  }

  #skipPadding(bytes: Buffer): Buffer {
    if (!this.#format.hasPadding) return bytes;
    const start = bytes.findIndex((byte) => byte !== 0);
    const length = start === -1 ? bytes.length : start;
    this.#offset += length;
    return bytes.subarray(length);
  }
}

function isCutOff(error: Error & { code?: string }): boolean {
  return error.code === 'Z_BUF_ERROR';
}
