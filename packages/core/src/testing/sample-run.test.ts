import { describe, expect, test } from 'vitest';
import { sampleRun } from './sample-run.ts';

describe('sampleRun', () => {
  test('is a complete run whose spans name their parents', () => {
    const ids = sampleRun({ calls: 1 }).map(({ event_type, payload }) => [
      event_type,
      payload['span_id'],
      payload['parent_span_id'],
    ]);

    expect(ids).toEqual([
      ['pattern_start', '0000000100000001', undefined],
      ['agent_start', '0000000100000002', '0000000100000001'],
      ['llm_call', '0000000100000003', '0000000100000002'],
      ['llm_response', '0000000100000003', '0000000100000002'],
      ['agent_end', '0000000100000002', '0000000100000001'],
      ['pattern_end', '0000000100000001', undefined],
    ]);
  });

  test('has one trace id, and timestamps that rise', () => {
    const events = sampleRun({ run: 255, calls: 3 });

    expect(new Set(events.map(({ payload }) => payload['trace_id']))).toEqual(
      new Set(['000000000000000000000000000000ff']),
    );
    expect(events.map(({ timestamp }) => timestamp - (events[0]?.timestamp ?? 0))).toEqual([
      0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1.125,
    ]);
  });

  test('is the same each time, and shares no span with a run of another number', () => {
    const first = new Set(spans(1));

    expect(sampleRun()).toEqual(sampleRun({ run: 1, calls: 2 }));
    expect(spans(2).filter((span) => first.has(span))).toEqual([]);
  });

  test('has durations that agree with its timestamps', () => {
    const events = sampleRun({ calls: 4 });
    const starts = new Map(
      events.toReversed().map(({ payload, timestamp }) => [payload['span_id'], timestamp]),
    );
    const ends = events.filter(({ payload }) => payload['duration_ms'] !== undefined);

    expect(ends).toHaveLength(6);
    for (const { timestamp, payload } of ends)
      expect((timestamp - (starts.get(payload['span_id']) ?? 0)) * 1000).toBe(
        payload['duration_ms'],
      );
  });
});

function spans(run: number): unknown[] {
  return sampleRun({ run }).map(({ payload }) => payload['span_id']);
}
