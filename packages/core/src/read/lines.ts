// Bytes in, lines out. By hand: node:readline also ends a line at U+2028, which JSON leaves raw in a
// string, and dies of a line longer than a string may be.
import { isUtf8 } from 'node:buffer';

/** A longer line is reported and skipped, so that one line cannot take all memory. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LINE_FEED = 10;
const EMPTY: Buffer = Buffer.alloc(0);

export interface Line {
  /** Without the line feed; U+FFFD stands for what is not UTF-8. Empty when it is too long. */
  readonly text: string;
  readonly problem: 'too_long' | 'not_utf8' | undefined;
  /** From 1. */
  readonly number: number;
  /** Of the first byte, from 0. */
  readonly byteOffset: number;
  /** Without the line feed. */
  readonly byteLength: number;
  /** A line feed ended it. */
  readonly terminated: boolean;
}

/**
 * Cuts bytes at line feeds. Is itself the line that was found last, which spares an object per line.
 * Keeps the beginning of one line at most.
 */
export class LineSplitter implements Line {
  text = '';
  problem: Line['problem'];
  number = 0;
  byteOffset = 0;
  byteLength = 0;
  terminated = false;
  readonly #maxLineBytes: number;
  #bytes = EMPTY;
  #start = 0;
  /** The beginning of the next line, from earlier bytes; nothing when it is too long. */
  #parts: Buffer[] = [];
  #length = 0;

  constructor(maxLineBytes: number = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** To be called when `nextLine` found no more, with bytes that stay as they are until it does again. */
  push(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#start = 0;
  }

  /** Goes to the next line that a line feed ends. */
  nextLine(): boolean {
    const bytes = this.#bytes;
    const start = this.#start;
    const end = bytes.indexOf(LINE_FEED, start);
    if (end === -1) {
      this.#keep(bytes.subarray(start));
      this.#bytes = EMPTY;
      return false;
    }
    this.#start = end + 1;
    if (this.#length === 0) {
      this.#goTo(bytes, start, end, true);
    } else {
      this.#keep(bytes.subarray(start, end));
      this.#goToKept(true);
    }
    return true;
  }

  /** Goes to what follows the last line feed, which is empty where nothing does. */
  lastLine(): void {
    this.#goToKept(false);
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    // copied: the source may fill the same buffer again
    if (this.#length <= this.#maxLineBytes) this.#parts.push(Buffer.from(part));
    else this.#parts = [];
  }

  #goToKept(terminated: boolean): void {
    const bytes = Buffer.concat(this.#parts);
    this.#goTo(bytes, 0, this.#length, terminated);
    this.#parts = [];
    this.#length = 0;
  }

  #goTo(bytes: Buffer, start: number, end: number, terminated: boolean): void {
    this.number += 1;
    this.byteOffset += this.byteLength + (this.terminated ? 1 : 0);
    this.byteLength = end - start;
    this.terminated = terminated;
    this.problem = undefined;
    this.text = '';
    if (this.byteLength > this.#maxLineBytes) {
      this.problem = 'too_long';
      return;
    }
    this.text = bytes.toString('utf8', start, end);
    // what stands for broken bytes, and may stand for itself
    if (this.text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end)))
      this.problem = 'not_utf8';
  }
}
