import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { messageOf, TraceError } from '@pyagent-trace/core';
import { codeOf, refuseSpecial } from '../regular-file.ts';

/** Enough to see what a file is. */
const HEAD_BYTES = 64 * 1024;

/**
 * Checks that a path is one to record to: nobody's trace or notes are to be written over, or into.
 *
 * @param place whose mode it is, for the error
 * @returns whether there is something to replay
 * @throws {TraceError} `invalid_option`, if there is something else than a recording; `read_failed`, also where
 * there is no regular file
 */
export function inspectTarget(path: string, mode: string, place = 'createReplayer'): boolean {
  const head = readHead(path);
  if (head.length === 0) return false;
  const refuse = (what: string): TraceError =>
    new TraceError(
      'invalid_option',
      `${place}: mode "${mode}" writes recordings, and ${path} holds ${what}`,
    );
  if (/^(?:1f8b|28b52ffd|5[\da-f]2a4d18)/.test(head.toString('hex', 0, 4)))
    throw refuse('a packed file');
  const [line = ''] = head.toString().trimStart().split('\n');
  if (
    line.includes('"messages_in"') &&
    !/"payload"\s*:/.test(line.slice(0, line.indexOf('"messages_in"')))
  )
    return true;
  throw refuse(line.includes('"payload"') ? 'a trace' : 'something else');
}

function readHead(path: string): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  try {
    // a pipe would be waited for, and a link never be written to
    refuseSpecial(path);
    const fd = openSync(path, 'r');
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, HEAD_BYTES, 0));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return Buffer.alloc(0);
    throw unreadable(path, cause);
  }
}

/**
 * Checks that there is something to replay.
 *
 * @throws {TraceError} `read_failed`; where the file is missing, with what makes one
 */
export function requireRecording(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    const hint =
      codeOf(cause) === 'ENOENT'
        ? '; mode "record" or "auto" records one, but "auto" not where CI is set'
        : '';
    throw unreadable(path, cause, hint);
  }
}

function unreadable(path: string, cause: unknown, hint = ''): TraceError {
  const problem = messageOf(cause).replace(/, \w+ '.*'$/s, '');
  return new TraceError('read_failed', `${path}: ${problem}${hint}`, { cause });
}
