import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LineFile } from './line-file.ts';

/** A disk that takes `room` bytes, in one short write, and then fails with `code`. */
const disk = vi.hoisted(() => ({ room: Infinity, code: 'ENOSPC' }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const writeSync = (fd: number, data: Uint8Array | string, offset = 0): number => {
    const bytes = Buffer.from(data as Uint8Array);
    const length = Math.min(disk.room, bytes.length - offset);
    if (length === 0) throw Object.assign(new Error(`${disk.code}: write`), { code: disk.code });
    disk.room -= length;
    return fs.writeSync(fd, bytes, offset, length);
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
      expect(() => file.append(LINES)).toThrow('ENOSPC');
      expect(read()).toEqual(LINES.subarray(0, room).toString('latin1'));
      disk.room = Infinity;
      file.append(LINES);
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
      expect(() => file.append(LINES)).toThrow('EIO');
      renameSync(path, old);
      disk.room = Infinity;
      file.append(LINES);
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
    file.append(LINES);
    file.append(LINES);
    file.close();

    expect(openFiles()).toBe(before);
    expect(read()).toBe(`{"whole":1}\n{"half\n${LINES.toString('latin1').repeat(2)}`);
  });

  test('leaves no file open when it cannot start on a fresh line', () => {
    writeFileSync(path, '{"half');
    disk.room = 0;
    disk.code = 'ENOSPC';
    const before = openFiles();
    expect(() => file.append(LINES)).toThrow('ENOSPC');
    expect(openFiles()).toBe(before);
    disk.room = Infinity;
    file.append(LINES);

    expect(read()).toBe(`{"half\n${LINES.toString('latin1')}`);
  });

  test('can be closed twice, and opens again', () => {
    file.append(LINES);
    file.close();
    file.close();
    file.append(LINES);

    expect(read()).toBe(LINES.toString('latin1').repeat(2));
  });

  test.skipIf(process.platform === 'win32')('does not follow a link', () => {
    const target = join(folder, 'target');
    symlinkSync(target, path);

    expect(() => file.append(LINES)).toThrow('ELOOP');
    expect(existsSync(target)).toBe(false);
  });

  test.skipIf(process.platform === 'win32')(
    'does not wait for the reader of a named pipe, at the start or when the pipe is full',
    () => {
      execFileSync('mkfifo', [path]);
      expect(() => file.append(LINES)).toThrow('ENXIO');

      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const lines = Buffer.from(`{"long":"${'x'.repeat(200_000)}"}\n`);
      const parts: Buffer[] = [];
      const codes: unknown[] = [];
      do {
        codes.push(tryToAppend(lines));
        const part = Buffer.alloc(lines.length);
        parts.push(part.subarray(0, readSync(reader, part)));
      } while (codes.at(-1) !== 'done');
      closeSync(reader);

      expect(new Set(codes)).toEqual(new Set(['EAGAIN', 'done']));
      expect(Buffer.concat(parts).equals(lines)).toBe(true);
    },
  );
});

/** How many files the process has open; 0 where that cannot be seen. */
function openFiles(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

function tryToAppend(lines: Buffer): unknown {
  try {
    file.append(lines);
    return 'done';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

function read(): string {
  return existsSync(path) ? readFileSync(path, 'latin1') : '';
}
