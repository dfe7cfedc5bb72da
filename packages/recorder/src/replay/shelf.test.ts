import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { Shelf } from './shelf.ts';

describe('Shelf', () => {
  test('gives back what is in memory and what is in the file', () => {
    const shelf = new Shelf(10);
    const texts = ['held', 'grün 🔋', 'on disk', '', 'x'.repeat(3_000_000), '\u2028'];
    const places = texts.map((text) => shelf.put(text));

    expect(places.map((place) => shelf.get(place))).toEqual(texts);
    expect(places.map((place) => typeof place)).toEqual([
      'string',
      'object',
      'object',
      'string',
      'object',
      'string',
    ]);
    const late = shelf.put('after the first was read');
    expect(shelf.get(late)).toBe('after the first was read');
    shelf.close();
  });

  test('leaves no name behind, and says what is wrong when it is closed', () => {
    const shelf = new Shelf(0);
    const place = shelf.put('text');
    shelf.get(place);

    const mine = `pyagent-trace-${process.pid}-`;
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(mine))).toEqual([]);
    shelf.close();
    expect(() => shelf.get(place)).toThrow(
      `a temporary file in ${tmpdir()} cannot be read: it is closed`,
    );
  });
});
