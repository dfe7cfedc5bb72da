import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const LINE_FEED = 10;
/**
 * O_APPEND lets several processes write one file without a lock. O_NOFOLLOW refuses a link that
 * somebody else put there. O_NONBLOCK keeps a named pipe without a reader from stopping the process.
 */
const FLAGS =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;
/** Traces hold prompts and answers: for the owner alone. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** The file is in order and has no room now; any other error may mean that it is not ours any more. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EAGAIN']);

/** A file that lines are appended to. Opened by the first `append`, with its directories. */
export class LineFile {
  readonly #path: string;
  #fd: number | undefined;
  /** How many bytes of the lines under way are in the file. */
  #written = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Writes whole lines. After an error the next call has to be with the same lines, and goes on where
   * this one stopped.
   *
   * @throws the error of the file system
   */
  append(lines: Buffer): void {
    const fd = (this.#fd ??= open(this.#path));
    try {
      // a disk with little room left takes a part and says so
      while (this.#written < lines.length) this.#written += writeSync(fd, lines, this.#written);
    } catch (error) {
      if (!NO_ROOM.has((error as NodeJS.ErrnoException).code)) {
        this.close();
        // the rest of a line is no use in another file
        this.#written = lines.subarray(0, this.#written).lastIndexOf(LINE_FEED) + 1;
      }
      throw error;
    }
    this.#written = 0;
  }

  /** Never throws. The next `append` opens the file again. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      if (fd !== undefined) closeSync(fd);
    } catch {
      // closed by somebody else, or the disk is gone: either way it is not ours to keep
    }
  }
}

function open(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
  const fd = openSync(path, FLAGS, FILE_MODE);
  try {
    // half a line, left by a process that was killed, must not spoil the first of ours
    if (!endsWithLine(path, fd)) writeSync(fd, '\n');
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function endsWithLine(path: string, fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return true;
  try {
    const reader = openSync(path, constants.O_RDONLY);
    try {
      const last = Buffer.alloc(1);
      readSync(reader, last, 0, 1, size - 1);
      return last[0] === LINE_FEED;
    } finally {
      closeSync(reader);
    }
  } catch {
    return false; // we may write but not read; an empty line does no harm
  }
}
