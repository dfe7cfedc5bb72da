// A file of lines, and what a file system can do to it.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { renameSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arrived, Behaviour, Destination } from './destination.ts';

const SLOW_DISK_MS = 5;
/** What a process may write into one file, in units of 512 bytes, as a shell takes it: 32 KiB. */
const FULL_BLOCKS = 64;
const SMALL_DISK = '64k';
const LARGE_DISK = '64m';
const LINE_FEED = 10;

export class FileDestination implements Destination {
  readonly #folder = mkdtempSync(join(tmpdir(), 'gauntlet-'));
  readonly address: string = join(this.#folder, 'run.jsonl');
  prefix: readonly string[] | undefined;
  slowDiskMs = 0;
  #moved = 0;
  #mounted = false;

  behave(behaviour: Behaviour): void {
    if (this.#mounted) mount(this.#folder, `remount,size=${LARGE_DISK}`);
    else this.#clear();
    switch (behaviour) {
      case 'full for now':
        mount(this.#folder, `size=${SMALL_DISK}`);
        this.#mounted = true;
        break;
      case 'down':
        mkdirSync(this.address);
        break;
      case 'refuses':
        symlinkSync('elsewhere.jsonl', this.address);
        break;
      case 'hangs':
        execFileSync('mkfifo', [this.address]); // nobody reads it: to open it takes for ever
        break;
      case 'slow':
        this.slowDiskMs = SLOW_DISK_MS;
        break;
      case 'full':
        this.prefix = ['sh', '-c', `ulimit -f ${FULL_BLOCKS}; exec "$0" "$@"`];
        break;
      default:
    }
  }

  async arrived(): Promise<Arrived> {
    let events = 0;
    for (const entry of readdirSync(this.#folder, { withFileTypes: true }))
      if (entry.isFile()) events += await lineFeedsIn(join(this.#folder, entry.name));
    return { events, twice: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#mounted) execFileSync('umount', [this.#folder]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What is in the way goes; a file that has been written is moved, as a log rotation moves it. */
  #clear(): void {
    if (!existsSync(this.address)) return;
    try {
      rmdirSync(this.address);
    } catch {
      this.#moved += 1;
      renameSync(this.address, join(this.#folder, `moved-${this.#moved}.jsonl`));
    }
  }
}

/** A disk in memory, in the place of a folder. */
function mount(folder: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
}

/** Whether this process has the right to. */
export function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'gauntlet-'));
  try {
    mount(folder, `size=${SMALL_DISK}`);
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function lineFeedsIn(path: string): Promise<number> {
  let count = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>)
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1))
      count += 1;
  return count;
}
