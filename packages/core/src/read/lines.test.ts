import { describe, expect, test } from 'vitest';
import { type Line, LineSplitter } from './lines.ts';

describe('LineSplitter', () => {
  test('keeps nothing of a line that is too long, and counts its bytes', () => {
    const splitter = new LineSplitter(4);
    const lines: Line[] = [];
    const take = ({ text, problem, number, byteOffset, byteLength, terminated }: Line): void =>
      void lines.push({ text, problem, number, byteOffset, byteLength, terminated });
    for (const chunk of ['12', '345', '6\n1234\n', '12345']) {
      splitter.push(Buffer.from(chunk));
      while (splitter.nextLine()) take(splitter);
    }
    for (let i = 0; i < 2; i++) {
      splitter.lastLine();
      take(splitter);
    }

    const tooLong = { text: '', problem: 'too_long' };
    expect(lines).toEqual([
      { ...tooLong, number: 1, byteOffset: 0, byteLength: 6, terminated: true },
      {
        text: '1234',
        problem: undefined,
        number: 2,
        byteOffset: 7,
        byteLength: 4,
        terminated: true,
      },
      { ...tooLong, number: 3, byteOffset: 12, byteLength: 5, terminated: false },
      { text: '', problem: undefined, number: 4, byteOffset: 17, byteLength: 0, terminated: false },
    ]);
  });
});
