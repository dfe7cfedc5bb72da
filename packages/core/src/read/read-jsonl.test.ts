import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { TraceError } from '../errors.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { encodeTraceEvent } from '../encode.ts';
import type { TraceEvent } from '../event.ts';
import { type JsonlFormat, TRACE_EVENT_FORMAT } from './format.ts';
import { readJsonl } from './read-jsonl.ts';

interface Point {
  readonly x: number;
}

const POINT: JsonlFormat<Point> = {
  keys: new Set(['x']),
  schema: z.object({ x: z.number('expected a number') }),
  reason: 'invalid_entry',
};

function isEvent(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'payload' in value;
}

describe('readJsonl', () => {
  test('reads lines of any format, as readTraceEvents reads its own', async () => {
    const problems: string[] = [];
    const text = '\ufeff{"x":1}\r\n\n{"x":NaN}\n{"x":2,"y":3}\n{"x":';
    const reader = readJsonl(
      [text],
      () => POINT,
      { onError: (e) => problems.push(`${e.reason}: ${e.message}`) },
      'readPoints',
    );

    const points: Point[] = [];
    for await (const point of reader) points.push(point);

    expect(points).toEqual([{ x: 1 }, { x: 2 }]);
    expect(problems).toEqual([
      'invalid_entry: stream:3: x: expected a number',
      'unknown_key: stream:4: y: unknown key, left out',
      'torn: stream:5: half a line of 5 bytes at the end',
    ]);
    expect(reader.stats()).toEqual({
      lines: 4,
      events: 2,
      errors: 2,
      nonFinite: 1,
      unknownKeys: 1,
      tornTail: true,
    });
  });

  test('takes the format of each line, and says where the line is', async () => {
    const [event] = sampleRun({ calls: 1 }) as [TraceEvent];
    const line = encodeTraceEvent(event);
    const reader = readJsonl<Point | TraceEvent>(
      [`{"x":1}\n\n${line}\n{"x":2}`],
      (value) => (isEvent(value) ? TRACE_EVENT_FORMAT : POINT),
      {},
      'readBoth',
    );

    const read: unknown[] = [];
    for await (const item of reader) read.push([item, reader.place()]);

    expect(read).toEqual([
      [{ x: 1 }, { source: 'stream', line: 1, byteOffset: 0 }],
      [event, { source: 'stream', line: 3, byteOffset: 9 }],
      [{ x: 2 }, { source: 'stream', line: 4, byteOffset: 10 + Buffer.byteLength(line) }],
    ]);
  });

  test('names in its errors who reads', () => {
    expect(() => readJsonl(7 as never, () => POINT, {}, 'readPoints')).toThrow(
      new TraceError(
        'invalid_option',
        'readPoints: expected a path, a file URL or an iterable of chunks',
      ),
    );
    expect(() => readJsonl([], () => POINT, { onEror: 1 } as never, 'readPoints')).toThrow(
      'readPoints: unknown option "onEror"',
    );
  });
});
