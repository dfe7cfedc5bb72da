import { promises, readdirSync, renameSync, type Stats } from 'node:fs';
import { join, parse, type ParsedPath } from 'node:path';
import { messageOf } from '@pyagent-trace/core';
import { compressFile } from './compress.ts';
import type { Rotate } from './options.ts';

/** What follows `run-` in the name of a closed file: when it was closed, the extension, what became of it. */
const REST = /^(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z)(.*?)((?:\.gz|\.zst)?(?:\.tmp)?)$/;
const RETRY_INTERVAL_MS = 1_000;

export interface RotationStats {
  /** Files closed and renamed. */
  readonly closed: number;
  /** Files removed for `maxFiles`, earlier processes' among them. */
  readonly removed: number;
  /** How often a file could not be renamed, compressed or removed. Each is tried again later. */
  readonly failed: number;
  /** Of the newest failure. */
  readonly error?: string;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

interface ClosedFile {
  readonly path: string;
  /** When it was closed: ISO 8601 with hyphens for the colons, which Windows refuses in a name. */
  readonly stamp: string;
  /** Empty, `.gz`, `.gz.tmp`, … */
  readonly suffix: string;
}

/** Puts a file that is large or old enough aside, and compresses and removes what was put aside. */
export class Rotation {
  /** Counted so far. */
  readonly stats: Writable<RotationStats> = { closed: 0, removed: 0, failed: 0 };
  readonly #path: string;
  readonly #parts: ParsedPath;
  readonly #rotate: Rotate;
  #period = 0;
  #retryAtMs = 0;
  #tidying = false;
  #tidyAgain = false;

  constructor(path: string, rotate: Rotate) {
    this.#path = path;
    this.#parts = parse(path);
    this.#rotate = rotate;
  }

  /** The file was opened: new, or with what an earlier process wrote. Never throws. */
  opened({ size, mtimeMs }: Stats): void {
    this.#period = this.#periodOf(size > 0 ? mtimeMs : Date.now());
    this.#tidyAgain = true;
    if (!this.#tidying) void this.#tidy();
  }

  /** Whether a file of so many bytes has to make way for so many more. */
  isDue(bytes: number, moreBytes: number): boolean {
    if (bytes === 0 || performance.now() < this.#retryAtMs) return false;
    return bytes + moreBytes > this.#rotate.maxBytes || this.#periodOf(Date.now()) > this.#period;
  }

  /** Renames the file, which has to be closed. Never throws. */
  rotate(): void {
    const { dir, name, ext } = this.#parts;
    try {
      // later than all that are there, though the clock may have been set back
      const atMs = Math.max(Date.now(), toMs(this.#closedFiles().at(-1)?.stamp) + 1);
      renameSync(this.#path, join(dir, `${name}-${toStamp(atMs)}${ext}`));
      this.stats.closed += 1;
    } catch (error) {
      this.#retryAtMs = performance.now() + RETRY_INTERVAL_MS;
      this.#fail(error);
    }
  }

  #periodOf(ms: number): number {
    return Math.floor(ms / this.#rotate.everyMs);
  }

  #fail(error: unknown): void {
    this.stats.failed += 1;
    this.stats.error = messageOf(error);
  }

  /** Oldest first. */
  #closedFiles(): ClosedFile[] {
    const { dir, name, ext } = this.#parts;
    return readdirSync(dir)
      .toSorted()
      .flatMap((entry) => {
        if (!entry.startsWith(`${name}-`)) return [];
        const [, stamp = '', extension, suffix = ''] =
          REST.exec(entry.slice(name.length + 1)) ?? [];
        return extension === ext ? [{ path: join(dir, entry), stamp, suffix }] : [];
      });
  }

  /** One at a time; what is closed meanwhile is looked at afterwards. */
  async #tidy(): Promise<void> {
    this.#tidying = true;
    while (this.#tidyAgain) {
      this.#tidyAgain = false;
      const files = (await this.#attempt(() => this.#closedFiles())) ?? [];
      const stamps = [...new Set(files.map(({ stamp }) => stamp))];
      const surplus = new Set(stamps.slice(0, -this.#rotate.maxFiles));
      for (const file of files)
        await this.#attempt(() => this.#tidyFile(file, surplus.has(file.stamp)));
    }
    this.#tidying = false;
  }

  async #tidyFile({ path, suffix }: ClosedFile, surplus: boolean): Promise<void> {
    const { compress } = this.#rotate;
    // half of a compressed file, from a process that ended meanwhile; the whole one is still there
    if (suffix.endsWith('.tmp')) await promises.rm(path, { force: true });
    else if (surplus) {
      await promises.rm(path);
      this.stats.removed += 1;
    } else if (suffix === '' && compress !== undefined) await compressFile(path, compress);
  }

  async #attempt<Result>(action: () => Result | Promise<Result>): Promise<Result | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }
}

function toStamp(ms: number): string {
  return new Date(ms).toISOString().replaceAll(':', '-');
}

function toMs(stamp = ''): number {
  return Date.parse(stamp.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:')) || 0;
}
