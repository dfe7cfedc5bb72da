import { writeSync } from 'node:fs';
import { messageOf } from '@pyagent-trace/core';
import {
  closeQuietly,
  codeOf,
  endsWith,
  isAt,
  openRegularFile,
  type RegularFile,
} from './regular-file.ts';

/** The file is in order and has no room now; any other error may mean that it is not ours any more. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EAGAIN']);
const LOOK_INTERVAL_MS = 1_000;
/** What is kept for a disk that refuses. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

export interface RecordingFileOptions {
  /** Replaces what is there, with the first line or when it is closed. */
  readonly anew?: boolean;
}

/** Counted as `append` was told to. */
export interface RecordingFileStats {
  readonly written: number;
  /** Wait for a disk that refuses. */
  readonly pending: number;
  /** Given up: more than 8 MiB waited, or the file was closed. */
  readonly lost: number;
  /** Why the newest loss or delay came about. */
  readonly error?: string;
}

interface Line {
  readonly bytes: Buffer;
  readonly count: number;
}

/**
 * A file that lines are appended to, by this process and others: each with one write, before `append`
 * returns, so that a kill loses no line that was appended. Opened by the first one, with its directories,
 * and again when it was renamed or deleted. Nothing here throws; what the disk refuses is tried again with
 * every line that follows.
 */
export class RecordingFile {
  readonly #path: string;
  #anew: boolean;
  #file: RegularFile | undefined;
  /** Whether the file ends where our last whole line does, as far as we know. */
  #endIsKnown = false;
  #lookedMs = 0;
  /** How many bytes of the line under way are in the file. */
  #written = 0;
  readonly #backlog: Line[] = [];
  #backlogBytes = 0;
  readonly #counts = { written: 0, pending: 0, lost: 0 };
  #error: unknown;
  #closed = false;

  constructor(path: string, { anew = false }: RecordingFileOptions = {}) {
    this.#path = path;
    this.#anew = anew;
  }

  /**
   * @param line without its line feed
   * @param count what the line counts for in `stats()`
   */
  append(line: string, count = 1): void {
    const bytes = Buffer.from(`${line}\n`);
    // a line that is longer is tried all the same, when it is the only one
    const hasRoom =
      this.#backlog.length === 0 || this.#backlogBytes + bytes.length <= MAX_BACKLOG_BYTES;
    if (this.#closed || !hasRoom) {
      this.#error ??= new Error('a line came after the file was closed');
      this.#counts.lost += count;
      // the disk may have room again, and then for the next one too
      this.retry();
      return;
    }
    this.#backlog.push({ bytes, count });
    this.#backlogBytes += bytes.length;
    this.#counts.pending += count;
    this.retry();
  }

  /** Writes what waits. */
  retry(): void {
    try {
      for (let line = this.#backlog[0]; line !== undefined; line = this.#backlog[0]) {
        this.#write(line.bytes);
        this.#backlog.shift();
        this.#backlogBytes -= line.bytes.length;
        this.#counts.written += line.count;
        this.#counts.pending -= line.count;
        if (this.#counts.lost === 0) this.#error = undefined;
      }
    } catch (error) {
      this.#error = error;
    }
  }

  /** Tries once more, and gives up what the disk still refuses. */
  close(): void {
    if (this.#closed) return;
    this.retry();
    if (this.#anew) this.#openEmpty();
    this.#closed = true;
    this.#counts.lost += this.#counts.pending;
    this.#counts.pending = 0;
    this.#backlog.length = 0;
    this.#backlogBytes = 0;
    this.#letGo();
  }

  stats(): RecordingFileStats {
    const error = this.#error;
    return { ...this.#counts, ...(error !== undefined && { error: messageOf(error) }) };
  }

  #write(bytes: Buffer): void {
    try {
      const { fd } = this.#current();
      while (this.#written < bytes.length) {
        if (!this.#endIsKnown) this.#findEnd(fd, bytes);
        this.#endIsKnown = false;
        const taken = writeSync(fd, bytes, this.#written);
        if (taken === 0) throw new Error('EIO: nothing was written, write');
        this.#written += taken;
        // a disk with little room left takes a part and says so
        this.#endIsKnown = this.#written === bytes.length;
      }
      this.#written = 0;
    } catch (error) {
      if (!NO_ROOM.has(codeOf(error))) this.#letGo();
      throw error;
    }
  }

  #current(): RegularFile {
    const nowMs = performance.now();
    if (this.#file !== undefined && nowMs - this.#lookedMs >= LOOK_INTERVAL_MS) {
      this.#lookedMs = nowMs;
      if (!isAt(this.#path, this.#file)) this.#letGo();
    }
    if (this.#file === undefined) {
      this.#file = openRegularFile(this.#path, this.#anew);
      this.#anew = false;
      this.#lookedMs = nowMs;
      this.#endIsKnown = false;
    }
    return this.#file;
  }

  #openEmpty(): void {
    try {
      this.#current();
    } catch (error) {
      this.#error = error;
    }
  }

  #letGo(): void {
    if (this.#file !== undefined) closeQuietly(this.#file.fd);
    this.#file = undefined;
  }

  /**
   * What is at the end may be half a line: of a process that was killed, which must not spoil the next
   * one; or our own, to go on with, unless another process has written since, or the file is another.
   */
  #findEnd(fd: number, line: Buffer): void {
    if (this.#written > 0 && endsWith(fd, line.subarray(0, this.#written))) return;
    this.#written = 0;
    if (!endsWith(fd, line.subarray(0, 0))) writeSync(fd, '\n');
  }
}
