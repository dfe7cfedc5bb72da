// The reader of the program's stdout, at the other end of a pipe.
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Arrived, Behaviour, Destination } from './destination.ts';

/** After each chunk, which is 64 KiB at most. */
const SLOW_PAUSE_MS = 10;
const LINE_FEED = 10;
/** A device that has no room for a byte. */
export const FULL_DEVICE = '/dev/full';

export class PipeDestination implements Destination {
  readonly address = '';
  stdout: number | 'pipe' = 'pipe';
  #behaviour: Behaviour = 'well';
  #output: Readable | undefined;
  #lines = 0;

  connect({ stdout }: ChildProcess): void {
    if (stdout === null) return;
    this.#output = stdout;
    stdout.on('error', () => {});
    this.behave(this.#behaviour);
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    if (behaviour === 'full') this.stdout = openSync(FULL_DEVICE, 'w');
    const output = this.#output;
    if (output === undefined) return;
    output.off('data', this.#count);
    output.pause();
    if (behaviour === 'well' || behaviour === 'slow') output.on('data', this.#count).resume();
    if (behaviour === 'down') output.destroy();
  }

  /** The program waits for a reader that hangs, as any does that prints: it goes. */
  release(): void {
    if (this.#behaviour === 'hangs') this.#output?.destroy();
  }

  arrived(): Arrived {
    return { events: this.#lines, twice: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (typeof this.stdout === 'number') closeSync(this.stdout);
  }

  readonly #count = (chunk: Buffer): void => {
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1))
      this.#lines += 1;
    const output = this.#output;
    if (this.#behaviour !== 'slow' || output === undefined) return;
    output.pause();
    setTimeout(() => output.resume(), SLOW_PAUSE_MS);
  };
}
