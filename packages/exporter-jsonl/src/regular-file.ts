import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';

export const LINE_FEED = 10;
/**
 * O_APPEND lets several processes write one file without a lock. O_NOFOLLOW refuses a link that
 * somebody else put there. O_NONBLOCK keeps a named pipe, should one take the file's place in the last
 * moment, from stopping the process.
 */
const FLAGS = constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Traces hold prompts and answers: for the owner alone. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export interface RegularFile {
  readonly fd: number;
  /** As the file was opened. */
  readonly stats: Stats;
}

/**
 * Opens a file to append to, and makes it and its directories where they are missing.
 *
 * @throws the error of the file system, or one like it if there is something else than a regular file
 */
export function openRegularFile(path: string): RegularFile {
  makeDirectories(dirname(path));
  // before it is opened: to open a device can be to use it
  refuseSpecial(lstatSync(path, { throwIfNoEntry: false }), path);
  const fd = open(path);
  try {
    const stats = fstatSync(fd);
    refuseSpecial(stats, path);
    return { fd, stats };
  } catch (error) {
    closeQuietly(fd);
    throw error;
  }
}

/** Whether what a file says last is whole lines, or nothing, and then `part`. */
export function endsWith(fd: number, part: Buffer): boolean {
  const { size } = fstatSync(fd);
  // one byte more than the part: the line feed before it
  const tail = Buffer.alloc(Math.min(size, part.length + 1));
  if (tail.length > 0) {
    try {
      readSync(fd, tail, 0, tail.length, size - tail.length);
    } catch {
      return false; // we may write but not read
    }
  }
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

/** One by one: Node's recursive mkdir does not return where the system refuses it, as below /proc. */
function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(dirname(path));
  mkdirSync(path, DIRECTORY_MODE);
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | FLAGS, FILE_MODE);
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error;
    return openSync(path, constants.O_WRONLY | FLAGS, FILE_MODE); // a file one may only write
  }
}

function refuseSpecial(stats: Stats | undefined, path: string): void {
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
