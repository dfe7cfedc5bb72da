import { writeSync } from 'node:fs';
import {
  closeQuietly,
  codeOf,
  endsWith,
  isAt,
  LINE_FEED,
  openRegularFile,
  type RegularFile,
} from './regular-file.ts';
import type { Rotation } from './rotation.ts';
import type { Syncer } from './syncer.ts';

/** The file is in order and has no room now; any other error may mean that it is not ours any more. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EAGAIN']);
const LOOK_INTERVAL_MS = 1_000;

/** What may be done to a file beside appending to it. */
export interface LineFileParts {
  readonly rotation?: Rotation | undefined;
  readonly syncer?: Syncer | undefined;
}

/**
 * A file that lines are appended to, by this process and others. Opened by the first `append`, with its
 * directories, and again when it was renamed or deleted.
 */
export class LineFile {
  readonly #path: string;
  readonly #rotation: Rotation | undefined;
  readonly #syncer: Syncer | undefined;
  #file: RegularFile | undefined;
  /** Whether the file ends where our last whole line does, as far as we know. */
  #endIsKnown = false;
  #bytes = 0;
  #lookedMs = 0;
  /** How many bytes of the lines under way are in the file. */
  #written = 0;

  constructor(path: string, { rotation, syncer }: LineFileParts = {}) {
    this.#path = path;
    this.#rotation = rotation;
    this.#syncer = syncer;
  }

  /**
   * Writes whole lines. After an error the next call has to be with the same lines, and goes on where
   * this one stopped.
   *
   * @param count how many lines of the app's they are
   * @throws the error of the file system
   */
  append(lines: Buffer, count: number): void {
    try {
      const { fd } = this.#fileFor(lines);
      while (this.#written < lines.length) {
        if (!this.#endIsKnown) this.#findEnd(fd, lines);
        this.#endIsKnown = false;
        const taken = writeSync(fd, lines, this.#written);
        if (taken === 0) throw new Error('EIO: nothing was written, write');
        this.#written += taken;
        // a disk with little room left takes a part and says so
        this.#endIsKnown = this.#written === lines.length;
      }
      this.#written = 0;
      this.#bytes += lines.length;
      this.#syncer?.wrote(fd, count);
    } catch (error) {
      if (this.#file !== undefined) this.#syncer?.wrote(this.#file.fd, 0);
      if (!NO_ROOM.has(codeOf(error))) this.close();
      throw error;
    }
  }

  /** Never throws. The next `append` opens the file again. */
  close(): void {
    const fd = this.#file?.fd;
    this.#file = undefined;
    if (fd === undefined) return;
    if (this.#syncer === undefined) closeQuietly(fd);
    else this.#syncer.close(fd);
  }

  #fileFor(lines: Buffer): RegularFile {
    const nowMs = performance.now();
    if (this.#file !== undefined && nowMs - this.#lookedMs >= LOOK_INTERVAL_MS) {
      this.#lookedMs = nowMs;
      if (!isAt(this.#path, this.#file)) this.close();
    }
    const file = this.#file ?? this.#open();
    // the lines under way belong into one file
    if (this.#written > 0 || this.#rotation?.isDue(this.#bytes, lines.length) !== true) return file;
    this.close();
    this.#rotation.rotate();
    return this.#open();
  }

  #open(): RegularFile {
    const file = openRegularFile(this.#path);
    this.#file = file;
    this.#lookedMs = performance.now();
    this.#endIsKnown = false;
    this.#bytes = file.stats.size;
    this.#rotation?.opened(file.stats);
    return file;
  }

  /**
   * What is at the end may be half a line: of a process that was killed, which must not spoil the first
   * of ours; or our own, to go on with, unless another process has written since, or the file is another.
   */
  #findEnd(fd: number, lines: Buffer): void {
    const start = lines.subarray(0, this.#written).lastIndexOf(LINE_FEED) + 1;
    if (start === this.#written || !endsWith(fd, lines.subarray(start, this.#written))) {
      this.#written = start;
      if (!endsWith(fd, lines.subarray(0, 0))) writeSync(fd, '\n');
    }
  }
}
