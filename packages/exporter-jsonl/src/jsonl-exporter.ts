import {
  encodeTraceEvent,
  type ExporterStats,
  type FlushOptions,
  messageOf,
  toDelayMs,
  type TraceEvent,
  type TraceExporter,
} from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import { cancelAtExit, pauseAtExit, runAtExit } from './exit-hook.ts';
import { Gap } from './gap.ts';
import { LineFile } from './line-file.ts';
import { type JsonlExporterOptions, OptionsSchema, toPath } from './options.ts';
import { codeOf } from './regular-file.ts';
import { Rotation, type RotationStats } from './rotation.ts';
import { Syncer } from './syncer.ts';

export interface JsonlExporterStats extends ExporterStats {
  /** Of the closed files; only with `rotate`. */
  readonly rotation?: RotationStats;
}

/** Measured per line of 318 bytes: 0.22 µs at 64 KiB, 0.34 at 16 KiB, 0.36 at 256 KiB. */
const BATCH_CHARACTERS = 64 * 1024;
/** Of a UTF-16 code unit in UTF-8. */
const MAX_BYTES_PER_CHARACTER = 3;
/** What is kept for a disk that refuses: about 25,000 events of 330 bytes. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;
const FIRST_RETRY_MS = 10;
const MAX_RETRY_MS = 1_000;
const FLUSH_TIMEOUT_MS = 5_000;

/** Whole lines on their way to the disk. */
interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
}

/**
 * Appends each event to a file as one line of JSON, the format Python's `pyagent-trace` reads and writes.
 *
 * Nothing has to be called for the file to be complete: a normal end, `process.exit()` and an uncaught
 * exception lose nothing. While the disk refuses, up to 8 MiB are kept and tried again; what is dropped
 * above that is counted, and said in the file by a `trace_gap` event once there is room.
 *
 * @example
 * ```ts
 * const exporter = new JsonlExporter('traces/run-001.jsonl');
 * bus.attach(exporter);
 * ```
 */
export class JsonlExporter implements TraceExporter {
  readonly name = 'jsonl';
  readonly #file: LineFile;
  readonly #rotation: Rotation | undefined;
  readonly #syncer: Syncer | undefined;
  #everyLine: boolean;
  /** Lines since the last batch. */
  #text = '';
  #lines = 0;
  #ticking = false;
  /** Left over from a write that failed, oldest first. */
  readonly #backlog: Batch[] = [];
  /** With the lines that came since. */
  #backlogBytes = 0;
  readonly #gap = new Gap();
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #accepted = 0;
  #dropped = 0;
  #delivered = 0;
  #failed = 0;
  #error: unknown;
  #syncError: unknown;
  #closed: Promise<void> | undefined;

  /**
   * Touches no file: it is opened, and its directories are made, with the first event.
   *
   * @param path a path or `file:` URL; one that is relative is resolved here and now
   * @throws {TraceError} `invalid_option`
   */
  constructor(path: string | URL, options: JsonlExporterOptions = {}) {
    const file = toPath(path);
    const { durability, rotate } = parseOptions(OptionsSchema, options, 'JsonlExporter');
    this.#everyLine = durability === 'line';
    if (durability === 'fsync') this.#syncer = new Syncer(this.#settle);
    if (rotate !== undefined) this.#rotation = new Rotation(file, rotate);
    this.#file = new LineFile(file, { rotation: this.#rotation, syncer: this.#syncer });
  }

  readonly exportEvent = (event: TraceEvent): void => {
    if (this.#closed !== undefined) {
      this.#dropped += 1;
      this.#error ??= new Error('an event came after shutdown');
      return;
    }
    const line = `${encodeTraceEvent(event)}\n`;
    const refused = this.#backlog.length > 0;
    if (refused) {
      const bytes = this.#backlogBytes + Buffer.byteLength(line);
      if (bytes > MAX_BACKLOG_BYTES) {
        this.#dropped += 1;
        this.#gap.count(codeOf(this.#error) ?? 'unknown');
        return;
      }
      this.#backlogBytes = bytes;
    }
    if (this.#accepted === 0) runAtExit(this.#atExit);
    this.#accepted += 1;
    this.#lines += 1;
    this.#text += line;
    const full = this.#text.length >= BATCH_CHARACTERS;
    if (refused) {
      if (full) this.#seal(); // the next attempt is the timer's
    } else if (full || this.#everyLine) this.#write();
    else if (!this.#ticking) {
      this.#ticking = true;
      // an immediate would come too late, or never: unref'd, it waits for something else to wake the loop
      queueMicrotask(this.#tick);
    }
  };

  /** Resolves when nothing is pending or the timeout, by default 5,000 ms, has passed. */
  async flush({ timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {}): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    this.#write();
    for (let waitMs = FIRST_RETRY_MS; this.#backlog.length > 0; waitMs *= 2) {
      const leftMs = deadlineMs - performance.now();
      if (!(leftMs > 0)) return; // NaN ends it too
      await within(Math.min(waitMs, MAX_RETRY_MS, leftMs));
      this.#write();
    }
    if (this.#syncer !== undefined)
      await within(deadlineMs - performance.now(), this.#syncer.sync());
  }

  /** Flushes, closes the file and gives up, as `failed`, what it has not taken by then. */
  shutdown(options?: FlushOptions): Promise<void> {
    return (this.#closed ??= this.#close(options));
  }

  stats(): JsonlExporterStats {
    const error = this.#error ?? this.#syncError;
    return {
      accepted: this.#accepted,
      dropped: this.#dropped,
      delivered: this.#delivered,
      failed: this.#failed,
      pending: this.#accepted - this.#delivered - this.#failed,
      ...(error !== undefined && { error: messageOf(error) }),
      ...(this.#rotation !== undefined && { rotation: { ...this.#rotation.stats } }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  readonly #tick = (): void => {
    this.#ticking = false;
    this.#write();
  };

  readonly #atExit = (): void => {
    this.#everyLine = true; // no microtask runs any more, but other exit listeners may emit
    this.#write();
    while (codeOf(this.#error) === 'EAGAIN' && pauseAtExit()) this.#write();
    this.#syncer?.syncNow();
    const { pending, error } = this.stats();
    // nobody reads a receipt any more
    if (pending > 0) console.error(`JsonlExporter: events lost at exit: ${pending} (${error})`);
  };

  /** Puts the lines since the last batch into the backlog. */
  #seal(): void {
    if (this.#text === '') return;
    this.#backlog.push({ bytes: Buffer.from(this.#text), lines: this.#lines });
    this.#text = '';
    this.#lines = 0;
  }

  /** Writes all there is. An error leaves the rest for later. */
  #write(): void {
    if (this.#text === '' && this.#backlog.length === 0) return;
    try {
      for (let batch = this.#backlog[0]; batch !== undefined; batch = this.#backlog[0]) {
        this.#append(batch.bytes, batch.lines);
        this.#backlog.shift();
      }
      this.#text += this.#gap.take();
      if (this.#text !== '') this.#append(toBytes(this.#text), this.#lines);
      this.#text = '';
      this.#lines = 0;
      this.#error = undefined;
      this.#retryMs = FIRST_RETRY_MS;
    } catch (error) {
      this.#seal();
      this.#backlogBytes = this.#backlog.reduce((sum, { bytes }) => sum + bytes.length, 0);
      this.#error = error;
      this.#retry ??= setTimeout(this.#again, this.#retryMs).unref();
    }
  }

  #append(bytes: Buffer, lines: number): void {
    this.#file.append(bytes, lines);
    if (this.#syncer === undefined) this.#delivered += lines;
  }

  /** The disk was asked to sync. After an error nobody knows what of the lines it has. */
  readonly #settle = (lines: number, error: Error | null): void => {
    if (this.stats().pending === 0) return; // shutdown gave them up
    if (error === null) this.#delivered += lines;
    else this.#failed += lines;
    this.#syncError = error ?? undefined;
  };

  readonly #again = (): void => {
    this.#retry = undefined;
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    this.#write();
  };

  async #close(options?: FlushOptions): Promise<void> {
    await this.flush(options);
    clearTimeout(this.#retry);
    this.#failed = this.#accepted - this.#delivered;
    this.#backlog.length = 0;
    this.#file.close();
    cancelAtExit(this.#atExit);
  }
}

/** Waits for a time, in milliseconds, or a shorter one, until a promise resolves. */
async function within(ms: number, promise?: Promise<void>): Promise<void> {
  if (!(ms > 0)) return;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, toDelayMs(ms));
  });
  await Promise.race([timeout, promise ?? timeout]);
  clearTimeout(timer);
}

let scratch: Buffer | undefined;

/** The bytes of a text, until the next call: a buffer of its own for each doubles the cost. */
function toBytes(text: string): Buffer {
  scratch ??= Buffer.allocUnsafeSlow(4 * BATCH_CHARACTERS);
  if (text.length * MAX_BYTES_PER_CHARACTER > scratch.length) return Buffer.from(text);
  return scratch.subarray(0, scratch.write(text));
}
