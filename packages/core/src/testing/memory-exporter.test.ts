import { describe, expect, test } from 'vitest';
import { TraceEventBus } from '../bus.ts';
import { createTraceEvent } from '../event.ts';
import { exporterContract } from './exporter-contract.ts';
import { MemoryExporter } from './memory-exporter.ts';
import { sampleRun } from './sample-run.ts';

describe('MemoryExporter', () => {
  const cases = exporterContract(
    () => {
      const exporter = new MemoryExporter();
      return {
        exporter,
        arrivedSpanIds: () => exporter.events.map(({ payload }) => String(payload['span_id'])),
      };
    },
    { cannot: ['refuse', 'hang'] },
  );

  test.each(cases)('$name', async ({ run }) => run());

  test('keeps what a bus delivers, in order', () => {
    const exporter = new MemoryExporter();
    const bus = new TraceEventBus();
    bus.attach(exporter);

    for (const event of sampleRun()) bus.emit(event);

    expect(exporter.events).toEqual(sampleRun());
  });

  test('keeps an event as a reader of a file would get it', () => {
    const exporter = new MemoryExporter();

    exporter.exportEvent(
      createTraceEvent({
        timestamp: 1,
        event_type: 'error',
        payload: { at: new Date(0), cost_usd: Number.NaN, none: undefined },
      }),
    );

    expect(exporter.events).toStrictEqual([
      {
        timestamp: 1,
        event_type: 'error',
        agent_name: '',
        pattern_type: '',
        payload: { at: '1970-01-01T00:00:00.000Z', cost_usd: null },
      },
    ]);
  });

  test('forgets its events on clear, but not its counts', () => {
    const exporter = new MemoryExporter();
    for (const event of sampleRun()) exporter.exportEvent(event);

    exporter.clear();

    expect({ events: exporter.events, stats: exporter.stats() }).toEqual({
      events: [],
      stats: { accepted: 8, dropped: 0, delivered: 8, failed: 0, pending: 0 },
    });
  });

  test('says why it drops an event after shutdown', async () => {
    const exporter = new MemoryExporter();
    await exporter.shutdown();

    for (const event of sampleRun()) exporter.exportEvent(event);

    expect(exporter.stats()).toEqual({
      accepted: 0,
      dropped: 8,
      delivered: 0,
      failed: 0,
      pending: 0,
      error: 'an event came after shutdown',
    });
  });
});
