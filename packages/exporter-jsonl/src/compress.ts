import { createReadStream, createWriteStream, promises } from 'node:fs';
import { pipeline } from 'node:stream/promises';

const CHUNK_BYTES = 256 * 1024;
const PAUSE_MS = 1;

/**
 * Replaces a file by a compressed one, which has its name with `.gz` or `.zst` at the end. At every
 * moment one of the two is there whole.
 *
 * Does not keep the process alive: if nothing else does, it ends between two chunks and leaves a file
 * that ends in `.tmp`, to be written anew.
 */
export async function compressFile(path: string, format: 'gzip' | 'zstd'): Promise<void> {
  const zlib = await import('node:zlib'); // takes milliseconds to load, which few need
  const [suffix, packer] =
    format === 'gzip' ? ['.gz', zlib.createGzip()] : ['.zst', zlib.createZstdCompress()];
  const target = path + suffix;
  const temporary = `${target}.tmp`;
  try {
    await promises.rm(temporary, { force: true });
    await pipeline(
      createReadStream(path, { highWaterMark: CHUNK_BYTES }),
      paced,
      packer,
      // synced before it takes the name: after a power cut it must not be the only one, and empty
      createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }),
    );
    await promises.rename(temporary, target);
    await promises.rm(path);
  } catch (error) {
    await promises.rm(temporary, { force: true });
    throw error;
  }
}

async function* paced(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    await new Promise((resume) => setTimeout(resume, PAUSE_MS).unref());
  }
}
