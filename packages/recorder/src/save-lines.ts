import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, TraceError } from '@pyagent-trace/core';
import { FILE_MODE, makeDirectories, refuseSpecial, temporaryPath } from './regular-file.ts';

/** Characters that are written at once. */
const CHUNK_CHARACTERS = 256 * 1024;

/**
 * Puts a file of these lines in the place of the one that is there, at once: at every moment the old one
 * or the new one is there whole, also after a power cut. Makes directories where they are missing.
 *
 * @throws {TraceError} `write_failed`, naming the path
 */
export async function saveLines(path: string, lines: readonly string[]): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    makeDirectories(dirname(path));
    refuseSpecial(path);
    await writeLines(temporary, lines);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new TraceError('write_failed', `${path}: ${messageOf(cause)}`, { cause });
  }
}

async function writeLines(path: string, lines: readonly string[]): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    for (let text = '', i = 0; i < lines.length; i++) {
      text += `${lines[i] as string}\n`;
      if (text.length < CHUNK_CHARACTERS && i < lines.length - 1) continue;
      await file.writeFile(text);
      text = '';
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
