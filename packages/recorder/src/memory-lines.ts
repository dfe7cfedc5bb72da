import type { RecordingFileStats } from './recording-file.ts';

/** Characters that are kept; about as many bytes, and twice as many of texts beyond Latin-1. */
const MAX_CHARACTERS = 128 * 1024 * 1024;

/** Lines in memory, in the place of a file. Text takes less room than objects, and nobody can change it. */
export class MemoryLines {
  readonly lines: string[] = [];
  #characters = 0;
  #written = 0;
  #lost = 0;

  append(line: string, count: number): void {
    if (this.#characters + line.length > MAX_CHARACTERS) {
      this.#lost += count;
      return;
    }
    this.#characters += line.length;
    this.lines.push(line);
    this.#written += count;
  }

  retry(): void {}

  close(): void {}

  stats(): RecordingFileStats {
    const problem = {
      error: `${MAX_CHARACTERS} characters are in memory; a path has room for more`,
    };
    return { written: this.#written, pending: 0, lost: this.#lost, ...(this.#lost > 0 && problem) };
  }
}
