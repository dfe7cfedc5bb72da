import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RecordingFile } from './recording-file.ts';

/** A disk that takes `room` bytes, in one short write, and then fails. */
const disk = vi.hoisted(() => ({ room: Infinity, code: 'ENOSPC', writes: [] as string[] }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const writeSync = (fd: number, data: Uint8Array | string, offset = 0): number => {
    const bytes = Buffer.from(data as Uint8Array);
    const length = Math.min(disk.room, bytes.length - offset);
    if (length === 0) throw Object.assign(new Error(`${disk.code}: write`), { code: disk.code });
    disk.room -= length;
    disk.writes.push(bytes.toString('utf8', offset, offset + length));
    return fs.writeSync(fd, bytes, offset, length);
  };
  return { ...fs, writeSync };
});

const LINE = '{"a":"€"}';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recording-file-'));
  path = join(folder, 'run.jsonl');
  disk.room = Infinity;
  disk.code = 'ENOSPC';
  disk.writes = [];
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function read(file = path): string {
  return readFileSync(file, 'utf8');
}

describe('RecordingFile', () => {
  test('writes each line at once and whole, and opens nothing before the first one', () => {
    const file = new RecordingFile(join(folder, 'a', 'run.jsonl'));
    expect(existsSync(join(folder, 'a'))).toBe(false);

    file.append(LINE);
    file.append('{"b":2}', 3);

    expect(disk.writes).toEqual([`${LINE}\n`, '{"b":2}\n']);
    expect(file.stats()).toEqual({ written: 4, pending: 0, lost: 0 });
    expect(statSync(join(folder, 'a', 'run.jsonl')).mode & 0o777).toBe(0o600);
    file.close();
  });

  test('starts on a fresh line after half a line', () => {
    writeFileSync(path, '{"whole":1}\n{"half');
    const file = new RecordingFile(path);
    file.append(LINE);
    file.append(LINE);
    file.close();

    expect(read()).toBe(`{"whole":1}\n{"half\n${LINE}\n${LINE}\n`);
  });

  test('goes on where a full disk cut it off, at whatever byte', () => {
    for (let room = 0; room <= Buffer.byteLength(LINE); room++) {
      const file = new RecordingFile(path);
      disk.room = room;
      file.append(LINE);
      file.append('{"b":2}');
      expect(file.stats()).toEqual({ written: 0, pending: 2, lost: 0, error: 'ENOSPC: write' });
      disk.room = Infinity;
      file.append('{"c":3}');

      expect(read()).toBe(`${LINE}\n{"b":2}\n{"c":3}\n`);
      expect(file.stats()).toEqual({ written: 3, pending: 0, lost: 0 });
      file.close();
      rmSync(path);
    }
  });

  test('does not go on with half a line that another process wrote behind', () => {
    const file = new RecordingFile(path);
    disk.room = 3;
    file.append(LINE);
    disk.room = Infinity;
    appendFileSync(path, '\n{"theirs":1}\n');
    file.retry();
    file.close();

    expect(read()).toBe(`{"a\n{"theirs":1}\n${LINE}\n`);
  });

  test('writes a line whole into a new file when it lost the old one within it', () => {
    const file = new RecordingFile(path);
    disk.room = 3;
    disk.code = 'EIO';
    file.append(LINE);
    renameSync(path, `${path}.old`);
    disk.room = Infinity;
    file.retry();
    file.close();

    expect(read()).toBe(`${LINE}\n`);
  });

  test('makes a new file within a second when its own was renamed or deleted', () => {
    vi.useFakeTimers();
    const file = new RecordingFile(path);
    file.append(LINE);
    renameSync(path, `${path}.old`);
    vi.advanceTimersByTime(1_000);
    file.append('{"b":2}');
    file.close();

    expect([read(`${path}.old`), read()]).toEqual([`${LINE}\n`, '{"b":2}\n']);
  });

  test('keeps 8 MiB for a disk that refuses, counts the rest, and says why', () => {
    const file = new RecordingFile(path);
    const line = 'x'.repeat(1024 * 1024);
    disk.room = 0;
    for (let i = 0; i < 10; i++) file.append(line);
    expect(file.stats()).toEqual({ written: 0, pending: 7, lost: 3, error: 'ENOSPC: write' });
    disk.room = Infinity;
    file.retry();

    expect(file.stats()).toEqual({ written: 7, pending: 0, lost: 3, error: 'ENOSPC: write' });
    file.close();
  });

  test('gives up what is pending when it is closed, and what comes later', () => {
    const file = new RecordingFile(path);
    disk.room = 0;
    file.append(LINE);
    file.close();
    disk.room = Infinity;
    file.append(LINE);
    file.close();

    expect(file.stats()).toEqual({ written: 0, pending: 0, lost: 2, error: 'ENOSPC: write' });
    expect(read()).toBe('');
  });

  test.each([
    ['a symbolic link', 'ELOOP', (at: string) => symlinkSync(`${at}.target`, at)],
    ['a directory', 'EISDIR', (at: string) => mkdirSync(at)],
  ])('refuses %s', (_, code, create) => {
    create(path);
    const file = new RecordingFile(path);
    file.append(LINE);

    expect(file.stats()).toMatchObject({
      pending: 1,
      error: expect.stringContaining(code) as string,
    });
    expect(readdirSync(folder)).toEqual(['run.jsonl']);
    file.close();
  });
});

describe('RecordingFile, anew', () => {
  test('puts the new file in the place of the old one with its first line', () => {
    writeFileSync(path, 'old\n');
    const file = new RecordingFile(path, { anew: true });
    expect(read()).toBe('old\n');

    file.append(LINE);
    file.append(LINE);
    file.close();

    expect(read()).toBe(`${LINE}\n${LINE}\n`);
    expect(readdirSync(folder)).toEqual(['run.jsonl']);
  });

  test('leaves an empty file where nothing was written', () => {
    writeFileSync(path, 'old\n');
    new RecordingFile(path, { anew: true }).close();

    expect(read()).toBe('');
  });
});
