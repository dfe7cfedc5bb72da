import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { type EventSink, TraceError } from '@pyagent-trace/core';
import { objectWith } from '@pyagent-trace/core/schema';
import * as z from 'zod';

export interface RecorderOptions {
  /**
   * Where `start`, `recordLlmCall` and `end` emit the events that they stand for.
   *
   * @default none are emitted
   */
  readonly bus?: EventSink;
  /**
   * A path or `file:` URL: each entry is appended to this file before the call that records it returns,
   * and nothing is kept in memory. One that is relative is resolved here and now.
   *
   * @default entries are kept in memory, for `entries` and `save`
   */
  readonly path?: string | URL;
}

export const OptionsSchema = z.strictObject({
  bus: objectWith<EventSink>('emit').optional(),
  path: z.custom<string | URL>().optional(),
});

/**
 * @param place whose path it is, for the error
 * @throws {TraceError} `invalid_option`
 */
export function toPath(path: string | URL, place: string): string {
  let cause: unknown;
  try {
    const file = path instanceof URL ? fileURLToPath(path) : path;
    if (file !== '' && !file.includes('\0')) return resolve(file);
  } catch (error) {
    cause = error; // no string, a URL of something that is no file, or a working directory that is gone
  }
  const value = path instanceof URL ? path.href : inspect(path, { depth: 0 });
  throw new TraceError('invalid_option', `${place}: expected a path or file: URL, got ${value}`, {
    cause,
  });
}
