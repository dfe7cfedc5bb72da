import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { endsWith, openRegularFile } from './regular-file.ts';

/** `late`: what is at a path comes there after it was looked at. `writeOnly`: nobody may read. */
const disk = vi.hoisted(() => ({ late: false, writeOnly: false }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    lstatSync: (...args: Parameters<typeof fs.lstatSync>) =>
      disk.late ? undefined : fs.lstatSync(...args),
    openSync: (path: string, flags: number, mode?: number) => {
      if (disk.writeOnly && (flags & fs.constants.O_RDWR) > 0)
        throw Object.assign(new Error('EACCES: permission denied, open'), { code: 'EACCES' });
      return fs.openSync(path, flags, mode);
    },
  };
});

const IS_WINDOWS = process.platform === 'win32';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regular-file-'));
  path = join(folder, 'run.jsonl');
  disk.late = false;
  disk.writeOnly = false;
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('openRegularFile', () => {
  test('refuses a directory', () => {
    mkdirSync(path);
    expectRefused('EISDIR', 'a directory');
  });

  test.skipIf(IS_WINDOWS)('refuses a link, and leaves alone what it leads to', () => {
    const target = join(folder, 'target');
    symlinkSync(target, path);

    expectRefused('ELOOP', 'a symbolic link');
    expect(existsSync(target)).toBe(false);
    disk.late = true;
    expect(() => openRegularFile(path)).toThrow('ELOOP');
    expect(existsSync(target)).toBe(false);
  });

  test.skipIf(IS_WINDOWS)(
    'refuses a named pipe, whether or not somebody reads it, and does not wait',
    () => {
      execFileSync('mkfifo', [path]);
      expectRefused('ENOTSUP', 'a pipe, socket or device');
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      expectRefused('ENOTSUP', 'a pipe, socket or device');
      closeSync(reader);
    },
  );

  test.skipIf(IS_WINDOWS)(
    'refuses a named pipe that takes the place of the file in the last moment',
    () => {
      execFileSync('mkfifo', [path]);
      disk.late = true;
      const before = openFiles();

      expectRefused('ENOTSUP', 'a pipe, socket or device');
      expect(openFiles()).toBe(before);
    },
  );

  test.skipIf(process.platform !== 'linux')(
    'refuses a directory that the system does not make',
    () => {
      const module = JSON.stringify(new URL('regular-file.ts', import.meta.url));
      const { stderr, signal } = spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '--eval',
          `(await import(${module})).openRegularFile('/proc/no/run.jsonl')`,
        ],
        { timeout: 30_000, encoding: 'utf8' }, // it would never return
      );

      expect({ signal, stderr }).toEqual({
        signal: null,
        stderr: expect.stringContaining("ENOENT: no such file or directory, mkdir '/proc/no'"),
      });
    },
  );

  test.skipIf(IS_WINDOWS)('does not wait for the reader of a pipe that one may only write', () => {
    execFileSync('mkfifo', [path]);
    disk.late = true;
    disk.writeOnly = true;

    expect(() => openRegularFile(path)).toThrow('ENXIO');
  });

  test.skipIf(IS_WINDOWS)('refuses a socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));

    expectRefused('ENOTSUP', 'a pipe, socket or device');
    await new Promise((resolve) => server.close(resolve));
  });

  test.skipIf(!existsSync('/dev/null'))('refuses a device', () => {
    path = '/dev/null';
    expectRefused('ENOTSUP', 'a pipe, socket or device');
  });

  test.skipIf(!existsSync('/dev/stdout'))('refuses /dev/stdout, which is a link', () => {
    path = '/dev/stdout';
    expectRefused('ELOOP', 'a symbolic link');
  });

  test('opens a file that may be written and not read', () => {
    writeFileSync(path, '');
    disk.writeOnly = true;
    const { fd } = openRegularFile(path);
    writeFileSync(fd, 'line\n');
    const readable = endsWith(fd, Buffer.from('line\n'));
    closeSync(fd);

    expect(readable).toBe(false);
  });
});

describe('endsWith', () => {
  test.each([
    ['', '', true],
    ['', 'a', false],
    ['a', '', false],
    ['a\n', '', true],
    ['a', 'a', true],
    ['b', 'a', false],
    ['ba', 'a', false],
    ['b\na', 'a', true],
    ['b\na\n', 'a', false],
    ['b\nab', 'ab', true],
    ['b\nab', 'bb', false],
    ['a', 'aa', false],
  ])('of a file with %j and the part %j is %s', (text, part, expected) => {
    writeFileSync(path, text);
    const fd = openSync(path, 'r');
    const actual = endsWith(fd, Buffer.from(part));
    closeSync(fd);

    expect(actual).toBe(expected);
  });
});

function expectRefused(code: string, kind: string): void {
  expect(() => openRegularFile(path)).toThrow(
    Object.assign(new Error(`${code}: expected a regular file, got ${kind}, open '${path}'`), {
      code,
    }),
  );
}

/** How many files the process has open; 0 where that cannot be seen. */
function openFiles(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}
