import { describe, expect, test } from 'vitest';
import { MemoryLines } from './memory-lines.ts';

describe('MemoryLines', () => {
  test('keeps 128 MiB, counts the rest, and says so', () => {
    const memory = new MemoryLines();
    const line = 'x'.repeat(1024 * 1024); // one text, however often it is kept
    for (let i = 0; i < 130; i++) memory.append(line, 2);

    expect(memory.lines).toHaveLength(128);
    expect(memory.stats()).toEqual({
      written: 256,
      pending: 0,
      lost: 4,
      error: '134217728 characters are in memory; a path has room for more',
    });
  });
});
