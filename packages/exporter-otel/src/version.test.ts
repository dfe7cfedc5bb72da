import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VERSION } from './version.ts';

describe('VERSION', () => {
  test('is that of package.json', () => {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    expect(VERSION).toBe((JSON.parse(text) as { version: string }).version);
  });
});
