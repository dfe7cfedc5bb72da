import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';

const LINE_FEED = 10;
/**
 * O_APPEND lets several processes write one file without a lock. O_NOFOLLOW refuses a link that somebody
 * else put there. O_NONBLOCK keeps a named pipe, should one take the file's place in the last moment, from
 * stopping the process.
 */
const FLAGS =
  constants.O_RDWR |
  constants.O_CREAT |
  constants.O_APPEND |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;
/** Recordings hold prompts and answers: for the owner alone. */
export const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export interface RegularFile {
  readonly fd: number;
  /** As the file was opened. */
  readonly stats: Stats;
}

/**
 * Opens a file to append to, and makes it and its directories where they are missing.
 *
 * @param anew puts an empty file in the place of the one that is there, at once
 * @throws the error of the file system, or one like it if there is something else than a regular file
 */
export function openRegularFile(path: string, anew = false): RegularFile {
  makeDirectories(dirname(path));
  refuseSpecial(path);
  if (!anew) return open(path, FLAGS);
  const temporary = temporaryPath(path);
  const file = open(temporary, FLAGS | constants.O_EXCL);
  try {
    renameSync(temporary, path);
    return file;
  } catch (error) {
    closeQuietly(file.fd);
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Beside a file, under a name that nobody else takes. */
export function temporaryPath(path: string): string {
  return `${path}.${process.pid}-${Math.random().toString(36).slice(2, 10)}.tmp`;
}

/** One by one: Node's recursive mkdir does not return where the system refuses it, as below /proc. */
export function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(dirname(path));
  try {
    mkdirSync(path, DIRECTORY_MODE);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error; // another process was quicker
  }
}

/** Before it is opened or replaced: to open a device can be to use it. */
export function refuseSpecial(path: string): void {
  refuse(lstatSync(path, { throwIfNoEntry: false }), path);
}

/** Whether what a file says last is whole lines, or nothing, and then `part`. */
export function endsWith(fd: number, part: Buffer): boolean {
  const { size } = fstatSync(fd);
  // one byte more than the part: the line feed before it
  const tail = Buffer.alloc(Math.min(size, part.length + 1));
  if (tail.length > 0) readSync(fd, tail, 0, tail.length, size - tail.length);
  const before = tail.length - part.length;
  return (
    (before === 0 || (before === 1 && tail[0] === LINE_FEED)) && tail.subarray(before).equals(part)
  );
}

/** Whether the path still leads to the file. Also when that cannot be seen. */
export function isAt(path: string, { stats }: RegularFile): boolean {
  try {
    const { dev, ino } = lstatSync(path);
    return dev === stats.dev && ino === stats.ino;
  } catch (error) {
    return !/^ENO(?:ENT|TDIR)$/.test(codeOf(error) ?? '');
  }
}

/** To be told "bad file descriptor" or that the disk is gone changes nothing: it is not ours to keep. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // see above
  }
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function open(path: string, flags: number): RegularFile {
  const fd = openSync(path, flags, FILE_MODE);
  try {
    const stats = fstatSync(fd);
    refuse(stats, path);
    return { fd, stats };
  } catch (error) {
    closeQuietly(fd);
    throw error;
  }
}

function refuse(stats: Stats | undefined, path: string): void {
  if (stats === undefined || stats.isFile()) return;
  const [code, kind] = stats.isDirectory()
    ? ['EISDIR', 'a directory']
    : stats.isSymbolicLink()
      ? ['ELOOP', 'a symbolic link']
      : ['ENOTSUP', 'a pipe, socket or device'];
  throw Object.assign(new Error(`${code}: expected a regular file, got ${kind}, open '${path}'`), {
    code,
  });
}
