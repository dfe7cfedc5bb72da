import { resolve } from 'node:path';
import { RecordingFile } from '../recording-file.ts';
import { type Exchange, toEntry } from './exchange.ts';

/** What a reader takes. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Those that have a file open, by path: two clients with one cassette begin it anew once. */
const open = new Map<string, { readonly file: RecordingFile; users: number }>();

/** Appends exchanges to a file that all who write it in this process share. */
export class CassetteWriter {
  readonly #path: string;
  readonly #shared: { readonly file: RecordingFile; users: number };
  #isClosed = false;

  /** @param anew what the file has is gone with the first exchange, unless somebody in this process writes it */
  constructor(path: string, anew: boolean) {
    this.#path = resolve(path);
    this.#shared = open.get(this.#path) ?? { file: new RecordingFile(path, { anew }), users: 0 };
    this.#shared.users += 1;
    open.set(this.#path, this.#shared);
  }

  /** Says what went wrong, if the disk has not taken it. */
  write(exchange: Exchange): string | undefined {
    const { file } = this.#shared;
    if (this.#isClosed) return 'the cassette was closed';
    const line = JSON.stringify(toEntry(exchange));
    const bytes = Buffer.byteLength(line);
    // nobody could read it, nor the rest of the file
    if (bytes >= MAX_LINE_BYTES)
      return `a request and answer of ${bytes} bytes as JSON are too large to be recorded`;
    file.append(line);
    return file.stats().error;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#shared.users -= 1;
    if (this.#shared.users > 0) return;
    this.#shared.file.close();
    open.delete(this.#path);
  }
}
