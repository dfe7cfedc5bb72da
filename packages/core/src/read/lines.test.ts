import { describe, expect, test } from 'vitest';
import { type Line, LineSplitter } from './lines.ts';

describe('LineSplitter', () => {
  test('keeps nothing of a line that is too long, and counts its bytes', () => {
    const splitter = new LineSplitter(4);
    const lines: Line[] = [];
    for (const chunk of ['12', '345', '6\n1234\n', '12345'])
      lines.push(...splitter.push(Buffer.from(chunk)));
    const last = splitter.end();
    if (last !== undefined) lines.push(last);

    expect(
      lines.map(({ bytes, ...line }) => Object.assign(line, { text: bytes.toString() })),
    ).toEqual([
      { text: '', number: 1, byteOffset: 0, tooLong: true, terminated: true },
      { text: '1234', number: 2, byteOffset: 7, tooLong: false, terminated: true },
      { text: '', number: 3, byteOffset: 12, tooLong: true, terminated: false },
    ]);
    expect(splitter.end()).toBeUndefined();
  });
});
