import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { saveLines } from './save-lines.ts';

const disk = vi.hoisted(() => ({ refuses: false }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs/promises')>();
  const rename = async (from: string, to: string): Promise<void> => {
    if (disk.refuses) throw new Error(`EIO: i/o error, rename '${from}'`);
    await fs.rename(from, to);
  };
  return { ...fs, rename };
});

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'save-lines-'));
  path = join(folder, 'run.jsonl');
  disk.refuses = false;
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('saveLines', () => {
  test('writes many and long lines whole', async () => {
    const lines = Array.from({ length: 1_000 }, (_, i) => `${i}${'x'.repeat(i * 7)}`);
    await saveLines(path, [...lines, 'y'.repeat(1_000_000)]);

    expect(readFileSync(path, 'utf8')).toBe(`${lines.join('\n')}\n${'y'.repeat(1_000_000)}\n`);
  });

  test('leaves the old file and nothing else when the new one cannot take its place', async () => {
    writeFileSync(path, 'old\n');
    disk.refuses = true;

    await expect(saveLines(path, ['new'])).rejects.toMatchObject({
      code: 'write_failed',
      message: expect.stringContaining(`${path}: EIO`) as string,
    });
    expect(readdirSync(folder)).toEqual(['run.jsonl']);
    expect(readFileSync(path, 'utf8')).toBe('old\n');
  });
});
