import { fdatasync, fdatasyncSync } from 'node:fs';
import { closeQuietly } from './regular-file.ts';

const SYNC_INTERVAL_MS = 1_000;

/**
 * Asks the disk to keep what was written: in the background, within a second of the first write that is
 * not yet safe, one request at a time.
 */
export class Syncer {
  readonly #settle: (lines: number, error: Error | null) => void;
  /** Lines since the last sync, by file descriptor. A file that was rotated away may be among them. */
  readonly #dirty = new Map<number, number>();
  readonly #closing = new Set<number>();
  #syncing: number | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param settle hears of the lines that are safe, or, with an error, may not be */
  constructor(settle: (lines: number, error: Error | null) => void) {
    this.#settle = settle;
  }

  wrote(fd: number, lines: number): void {
    this.#dirty.set(fd, lines + (this.#dirty.get(fd) ?? 0));
    this.#arm();
  }

  /** Resolves when what was written before the call is settled. Never rejects. */
  async sync(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#dirty.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#run();
    await this.#running;
  }

  /** For the exit: stops the process until the disk has answered. */
  syncNow(): void {
    for (const [fd, lines] of this.#dirty) {
      this.#dirty.delete(fd);
      try {
        fdatasyncSync(fd);
        this.#settle(lines, null);
      } catch (error) {
        this.#settle(lines, error as Error);
      }
    }
  }

  /** Closes a file once it is synced: a number that is closed meanwhile may become another file's. */
  close(fd: number): void {
    if (this.#syncing !== fd && !this.#dirty.has(fd)) {
      closeQuietly(fd);
      return;
    }
    this.#closing.add(fd);
    void this.sync();
  }

  #arm(): void {
    if (this.#running !== undefined) return; // its end arms again
    this.#timer ??= setTimeout(() => void this.sync(), SYNC_INTERVAL_MS).unref();
  }

  async #run(): Promise<void> {
    // not those that come meanwhile, or it might never end
    const dirty = [...this.#dirty];
    for (const [fd, lines] of dirty) {
      this.#dirty.delete(fd);
      this.#syncing = fd;
      const error = await new Promise<Error | null>((resolve) => fdatasync(fd, resolve));
      this.#syncing = undefined;
      this.#settle(lines, error);
      if (this.#closing.has(fd) && !this.#dirty.has(fd)) {
        this.#closing.delete(fd);
        closeQuietly(fd);
      }
    }
    this.#running = undefined;
    if (this.#dirty.size > 0) this.#arm();
  }
}
