import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, TraceError } from '@pyagent-trace/core';

/** Where a text is: the text itself, or its bytes in the file. */
export type Place = string | { readonly offset: number; readonly length: number };

/** Characters that are held in memory; what comes after them goes to the file. */
const MAX_HELD_CHARACTERS = 64 * 1024 * 1024;
const BUFFER_BYTES = 1024 * 1024;

/**
 * Keeps texts: the first 64 MiB in memory, the rest in a temporary file that only this process can open,
 * and that is gone when the process is. A copy, so that whoever writes the source in the meantime changes
 * no answer, and so that a packed file and a stream are kept as a plain file is.
 */
export class Shelf {
  readonly #maxHeld: number;
  #held = 0;
  #fd: number | undefined;
  #size = 0;
  /** Not written yet. */
  #buffered: Buffer[] = [];
  #bufferedBytes = 0;
  #closed = false;

  constructor(maxHeldCharacters: number = MAX_HELD_CHARACTERS) {
    this.#maxHeld = maxHeldCharacters;
  }

  /** @throws {TraceError} `write_failed`, if the temporary file cannot be written */
  put(text: string): Place {
    if (this.#held + text.length <= this.#maxHeld) {
      this.#held += text.length;
      return text;
    }
    const bytes = Buffer.from(text);
    const place = { offset: this.#size, length: bytes.length };
    this.#size += bytes.length;
    this.#buffered.push(bytes);
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes >= BUFFER_BYTES) this.#write();
    return place;
  }

  /** @throws {TraceError} `read_failed`, if the temporary file cannot be read */
  get(place: Place): string {
    if (typeof place === 'string') return place;
    this.#write();
    const bytes = Buffer.allocUnsafe(place.length);
    try {
      if (this.#fd === undefined) throw new Error('it is closed');
      for (let read = 0; read < bytes.length;) {
        const count = readSync(this.#fd, bytes, read, bytes.length - read, place.offset + read);
        if (count === 0) throw new Error('it is shorter than what was written');
        read += count;
      }
    } catch (cause) {
      throw failed('read_failed', 'read', cause);
    }
    return bytes.toString();
  }

  close(): void {
    this.#closed = true;
    this.#buffered = [];
    this.#bufferedBytes = 0;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #write(): void {
    if (this.#bufferedBytes === 0 || this.#closed) return;
    const bytes = Buffer.concat(this.#buffered);
    const start = this.#size - bytes.length;
    try {
      this.#fd ??= openUnnamed();
      for (let written = 0; written < bytes.length;)
        written += writeSync(this.#fd, bytes, written, bytes.length - written, start + written);
    } catch (cause) {
      throw failed('write_failed', 'written', cause);
    }
    this.#buffered = [];
    this.#bufferedBytes = 0;
  }
}

function openUnnamed(): number {
  const path = join(tmpdir(), `pyagent-trace-${randomUUID()}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

function failed(code: string, verb: string, cause: unknown): TraceError {
  return new TraceError(
    code,
    `createReplayer: a temporary file in ${tmpdir()} cannot be ${verb}: ${messageOf(cause)}`,
    { cause },
  );
}
