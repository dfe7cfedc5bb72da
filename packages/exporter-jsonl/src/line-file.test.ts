import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LineFile } from './line-file.ts';

/** A disk that takes `room` bytes, in one short write, and then fails with `code`. */
const disk = vi.hoisted(() => ({
  room: Infinity,
  code: 'ENOSPC',
  stalled: false,
  /** Happens after the next short write. */
  between: undefined as (() => void) | undefined,
}));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const writeSync = (fd: number, data: Uint8Array | string, offset = 0): number => {
    if (disk.stalled) return 0;
    const bytes = Buffer.from(data as Uint8Array);
    const length = Math.min(disk.room, bytes.length - offset);
    if (length === 0) throw Object.assign(new Error(`${disk.code}: write`), { code: disk.code });
    disk.room -= length;
    const taken = fs.writeSync(fd, bytes, offset, length);
    if (length < bytes.length - offset) {
      disk.between?.();
      disk.between = undefined;
    }
    return taken;
  };
  return { ...fs, writeSync };
});

const LINES = Buffer.from('{"a":"€"}\n{"b":2}\n{"c":3}\n');

let folder: string;
let path: string;
let file: LineFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'line-file-'));
  path = join(folder, 'run.jsonl');
  file = new LineFile(path);
  disk.room = Infinity;
});

afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('LineFile', () => {
  test('goes on where a full disk cut it off, at whatever byte', () => {
    for (let room = 0; room < LINES.length; room++) {
      disk.room = room;
      disk.code = 'ENOSPC';
      expect(() => file.append(LINES, 3)).toThrow('ENOSPC');
      expect(read()).toEqual(LINES.subarray(0, room).toString('latin1'));
      disk.room = Infinity;
      file.append(LINES, 3);
      expect(read()).toEqual(LINES.toString('latin1'));
      file.close();
      rmSync(path);
    }
  });

  test('writes a line whole into a new file when it lost the old one within it', () => {
    const old = join(folder, 'old.jsonl');
    for (let room = 1; room < LINES.length; room++) {
      disk.room = room;
      disk.code = 'EIO';
      expect(() => file.append(LINES, 3)).toThrow('EIO');
      renameSync(path, old);
      disk.room = Infinity;
      file.append(LINES, 3);
      const cut = readFileSync(old, 'latin1');
      const whole = cut.slice(0, cut.lastIndexOf('\n') + 1);
      expect(whole + read()).toEqual(LINES.toString('latin1'));
      file.close();
      rmSync(path);
    }
  });

  test('starts on a fresh line after half a line', () => {
    writeFileSync(path, '{"whole":1}\n{"half');
    const before = openFiles();
    file.append(LINES, 3);
    file.append(LINES, 3);
    file.close();

    expect(openFiles()).toBe(before);
    expect(read()).toBe(`{"whole":1}\n{"half\n${LINES.toString('latin1').repeat(2)}`);
  });

  test('leaves no file open when it cannot start on a fresh line', () => {
    writeFileSync(path, '{"half');
    disk.room = 0;
    disk.code = 'EIO';
    const before = openFiles();
    expect(() => file.append(LINES, 3)).toThrow('EIO');
    expect(openFiles()).toBe(before);
    disk.room = Infinity;
    file.append(LINES, 3);

    expect(read()).toBe(`{"half\n${LINES.toString('latin1')}`);
  });

  test('can be closed twice, and opens again', () => {
    file.append(LINES, 3);
    file.close();
    file.close();
    file.append(LINES, 3);

    expect(read()).toBe(LINES.toString('latin1').repeat(2));
  });

  test('goes on with its half line only where the file ends with it', () => {
    disk.room = 13; // the first line and the bracket of the second
    disk.code = 'ENOSPC';
    expect(() => file.append(LINES, 3)).toThrow('ENOSPC');
    disk.room = Infinity;
    appendFileSync(path, '{"theirs":1}\n');
    file.append(LINES, 3);

    const [first, ...rest] = LINES.toString('latin1').split(/(?<=\n)/);
    expect(read()).toBe(`${first}{{"theirs":1}\n${rest.join('')}`);
  });

  test('does not take the end of another half line for its own', () => {
    disk.room = 1;
    disk.code = 'EIO';
    expect(() => file.append(LINES, 3)).toThrow('EIO');
    writeFileSync(path, '{"theirs":{');
    disk.room = Infinity;
    file.append(LINES, 3);

    expect(read()).toBe(`{"theirs":{\n${LINES.toString('latin1')}`);
  });

  test('starts on a fresh line when somebody else left half a line while there was no room', () => {
    file.append(LINES, 3);
    disk.room = 0;
    disk.code = 'ENOSPC';
    expect(() => file.append(LINES, 3)).toThrow('ENOSPC');
    appendFileSync(path, '{"half');
    disk.room = Infinity;
    file.append(LINES, 3);

    const lines = LINES.toString('latin1');
    expect(read()).toBe(`${lines}{"half\n${lines}`);
  });

  test('keeps a full file open: to open it again may need a right or a number it no longer has', () => {
    file.append(LINES, 3);
    disk.room = 4;
    disk.code = 'ENOSPC';
    expect(() => file.append(LINES, 3)).toThrow('ENOSPC');
    const moved = join(folder, 'moved.jsonl');
    renameSync(path, moved);
    mkdirSync(path);
    disk.room = Infinity;
    file.append(LINES, 3);

    expect(readFileSync(moved, 'latin1')).toBe(LINES.toString('latin1').repeat(2));
  });

  test('looks again where its half line ends before it goes on', () => {
    file.append(LINES, 3);
    disk.room = 5;
    disk.between = () => {
      disk.room = Infinity;
      appendFileSync(path, '{"theirs":1}\n');
    };
    file.append(LINES, 3);

    const lines = LINES.toString('latin1');
    expect(read()).toBe(`${lines}${lines.slice(0, 5)}{"theirs":1}\n${lines}`);
  });

  test('does not wait for a disk that takes nothing and gives no error', () => {
    file.append(LINES, 3);
    disk.stalled = true;

    expect(() => file.append(LINES, 3)).toThrow('EIO: nothing was written');
    disk.stalled = false;
    file.append(LINES, 3);
    expect(read()).toBe(LINES.toString('latin1').repeat(2));
  });
});

/** How many files the process has open; 0 where that cannot be seen. */
function openFiles(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

function read(): string {
  return existsSync(path) ? readFileSync(path, 'latin1') : '';
}
