// Bytes in, lines out. By hand: node:readline also ends a line at U+2028, which JSON leaves raw in a
// string, and dies of a line longer than a string may be.

/** A longer line is reported and skipped, so that one line cannot take all memory. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LINE_FEED = 10;

export interface Line {
  /** Without the line feed. Empty when the line is `tooLong`. */
  readonly bytes: Buffer;
  /** From 1. */
  readonly number: number;
  /** Of the first byte, from 0. */
  readonly byteOffset: number;
  readonly tooLong: boolean;
  /** A line feed ended it. */
  readonly terminated: boolean;
}

/** Cuts chunks of bytes at line feeds. Keeps the beginning of one line at most. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #parts: Buffer[] = [];
  /** Bytes of the line so far, whether kept or not. */
  #length = 0;
  #number = 1;
  #byteOffset = 0;

  constructor(maxLineBytes: number = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that end in this chunk. To be read to the end before the next chunk is pushed. */
  *push(chunk: Buffer): Generator<Line, void, void> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) break;
      this.#keep(chunk.subarray(start, end));
      yield this.#take(true);
      start = end + 1;
    }
    // copied: the source may fill the same buffer again
    if (start < chunk.length) this.#keep(Buffer.from(chunk.subarray(start)));
  }

  /** What follows the last line feed. */
  end(): Line | undefined {
    return this.#length > 0 ? this.#take(false) : undefined;
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length <= this.#maxLineBytes) this.#parts.push(part);
    else this.#parts = [];
  }

  #take(terminated: boolean): Line {
    const [first] = this.#parts;
    const line: Line = {
      bytes: this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts),
      number: this.#number,
      byteOffset: this.#byteOffset,
      tooLong: this.#length > this.#maxLineBytes,
      terminated,
    };
    this.#number += 1;
    this.#byteOffset += this.#length + (terminated ? 1 : 0);
    this.#length = 0;
    this.#parts = [];
    return line;
  }
}
