import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fileOf, updateModeOf } from './context.ts';

describe('updateModeOf', () => {
  test.each([
    [{ snapshotState: { _updateSnapshot: 'all' } }, 'all'],
    [{ snapshotState: { snapshotUpdateState: 'new', _updateSnapshot: 'none' } }, 'new'],
    [{ snapshotState: { _updateSnapshot: 'none' } }, 'none'],
    [{ snapshotState: {} }, 'none'],
    [{}, 'none'],
    [{ isNot: true, snapshotState: { _updateSnapshot: 'all' } }, 'none'],
  ] as const)('of %o is %s', (context, mode) => {
    expect(updateModeOf(context)).toBe(mode);
  });
});

describe('fileOf', () => {
  test('resolves a path from the test file', () => {
    expect(fileOf('a.jsonl', { testPath: '/app/src/a.test.ts' }, 'toReplay')).toBe(
      '/app/src/a.jsonl',
    );
    expect(fileOf('/b.jsonl', { testPath: '/app/src/a.test.ts' }, 'toReplay')).toBe('/b.jsonl');
    expect(fileOf(pathToFileURL('/c.jsonl'), {}, 'toReplay')).toBe('/c.jsonl');
  });

  test.each([[undefined], [''], [7], [new URL('https://example.com/a.jsonl')]])(
    'refuses %s',
    (file) => {
      expect(() => fileOf(file, {}, 'toReplay')).toThrow(
        'toReplay: expected the path or file: URL of a trace',
      );
    },
  );
});
