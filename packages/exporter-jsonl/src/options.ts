import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { TraceError } from '@pyagent-trace/core';
import * as z from 'zod';

export interface JsonlExporterOptions {
  /**
   * When lines are written.
   *
   * - `tick`: once the code that emits gives way (at the end of the microtask run), or at 64 KiB. A
   *   kill (SIGKILL, a signal without handler, abort, out of memory) loses at most the events of the
   *   synchronous run it comes in, never more than 64 KiB.
   * - `line`: before `emit` returns. A kill loses nothing. About 2 µs more per event.
   * - `fsync`: as `tick`, and the disk is asked to sync (fdatasync, in the background) within a second
   *   of a write, before `flush` resolves, and at exit. A power cut loses about the last second. An
   *   event is `delivered` when it is synced, and `failed` when the sync fails.
   *
   * With `tick` and `line` what was written survives the process, not a power cut.
   *
   * @default 'tick'
   */
  readonly durability?: 'fsync' | 'line' | 'tick';
  /** Closes the file from time to time and goes on in a new one. For one writer per file. */
  readonly rotate?: RotateOptions;
}

/** At least one of `maxBytes` and `everyMs`. */
export interface RotateOptions {
  /**
   * How large a file gets, in bytes. A single write, up to 64 KiB of lines and one longer line, is not
   * split: where it is larger than this, so is its file.
   */
  readonly maxBytes?: number;
  /**
   * A new file for each such period, in milliseconds, counted from 1970 in UTC: 3,600,000 begins one on
   * the hour, 86,400,000 at midnight UTC. It begins with the first event of the period.
   */
  readonly everyMs?: number;
  /**
   * How many closed files stay; the oldest are removed.
   *
   * @default all of them
   */
  readonly maxFiles?: number;
  /**
   * Compresses closed files, in the background.
   *
   * @default they stay as they are
   */
  readonly compress?: 'gzip' | 'zstd';
}

const Quantity = z.int().positive().default(Infinity);

export const OptionsSchema = z.strictObject({
  durability: z.enum(['fsync', 'line', 'tick']).default('tick'),
  rotate: z
    .strictObject({
      maxBytes: Quantity,
      everyMs: Quantity,
      maxFiles: Quantity,
      compress: z.enum(['gzip', 'zstd']).optional(),
    })
    .refine(
      ({ maxBytes, everyMs }) => Math.min(maxBytes, everyMs) < Infinity,
      'expected maxBytes, everyMs or both',
    )
    .optional(),
});

/** `rotate`, with its defaults: what is not limited is `Infinity`. */
export type Rotate = NonNullable<z.output<typeof OptionsSchema>['rotate']>;

/** @throws {TraceError} `invalid_option` */
export function toPath(path: string | URL): string {
  let cause: unknown;
  try {
    const file = path instanceof URL ? fileURLToPath(path) : path;
    if (file !== '' && !file.includes('\0')) return resolve(file);
  } catch (error) {
    cause = error; // no string, a URL of something that is no file, or a working directory that is gone
  }
  const value = path instanceof URL ? path.href : inspect(path, { depth: 0 });
  throw new TraceError(
    'invalid_option',
    `JsonlExporter: path: expected a path or file: URL, got ${value}`,
    { cause },
  );
}
