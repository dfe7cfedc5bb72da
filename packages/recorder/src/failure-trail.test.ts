import { createTraceEvent } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { FailureTrail } from './failure-trail.ts';

describe('FailureTrail', () => {
  test('forgets the oldest of 10,001 operations that never ended', () => {
    const trail = new FailureTrail();
    for (let i = 0; i < 10_001; i++)
      trail.saw(
        createTraceEvent({ event_type: 'error', payload: { span_id: `${i}`, message: 'no' } }),
      );

    expect([trail.of('0'), trail.of('1'), trail.of('10000')]).toEqual([
      undefined,
      { message: 'no', error_type: 'Error' },
      { message: 'no', error_type: 'Error' },
    ]);
  });
});
