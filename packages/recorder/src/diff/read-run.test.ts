import { createTraceEvent, encodeTraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { readRun } from './read-run.ts';

describe('readRun', () => {
  test('refuses a run of too many lines or characters, and says where', async () => {
    const line = `${encodeTraceEvent(createTraceEvent({ event_type: 'x', payload: { text: 'abc' } }))}\n`;

    await expect(readRun([line, line], 'a', { lines: 1, characters: 1e6 })).rejects.toMatchObject({
      code: 'run_too_large',
      message: 'stream:2: more than 1 lines or 1000000 characters cannot be compared',
    });
    await expect(readRun([line, line], 'a', { lines: 9, characters: 150 })).rejects.toMatchObject({
      message: 'stream:2: more than 9 lines or 150 characters cannot be compared',
    });
    expect((await readRun([line, line], 'a')).events).toHaveLength(2);
  });
});
