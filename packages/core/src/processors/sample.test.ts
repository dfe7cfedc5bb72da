import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TraceEventBus } from '../bus.ts';
import { createTraceEvent, type TraceEvent } from '../event.ts';
import { MemoryExporter } from '../testing/memory-exporter.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { sample } from './sample.ts';

function eventOf(trace_id: unknown, pattern_type = ''): TraceEvent {
  return createTraceEvent({ event_type: 'llm_call', pattern_type, payload: { trace_id } });
}

function passes(pattern: string, id?: unknown): boolean {
  return sample({ ratio: 0.5 })(eventOf(id, pattern)) !== undefined;
}

describe('sample', () => {
  // which of these OpenTelemetry's TraceIdRatioBasedSampler 3.1.1 samples at 0.1, 0.5 and 0.9
  test.each<[string, boolean, boolean, boolean]>([
    ['0af7651916cd43dd8448eb211c80319c', false, false, true],
    ['4bf92f3577b34da6a3ce929d0e0e4736', false, false, true],
    ['ffffffff000000000000000000000000', false, false, false],
    ['00000000000000000000000000000001', true, true, true],
    ['80000000800000000000000000000000', true, true, true],
    ['4BF92F3577B34DA6A3CE929D0E0E4736', false, false, true],
    ['40000000000000000000000000000000', false, true, true],
  ])('judges %s as OpenTelemetry does', (id, tenth, half, most) => {
    const event = eventOf(id);
    const outcome = [0.1, 0.5, 0.9].map((ratio) => sample({ ratio })(event) === event);

    expect(outcome).toEqual([tenth, half, most]);
  });

  test('a trace that passes at a ratio passes at every higher one', () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), ratio, ratio, (id, a, b) => {
        const event = eventOf(id);
        const low = sample({ ratio: Math.min(a, b) })(event);
        const high = sample({ ratio: Math.max(a, b) })(event);
        expect([undefined, high]).toContain(low);
      }),
    );
  });

  test.each(['trace-', 'Run ', ''])('takes its share of ids that are like "%s7"', (prefix) => {
    const processor = sample({ ratio: 0.25 });
    const ids = Array.from({ length: 10_000 }, (_, i) => `${prefix}${i}`);
    const passed = ids.filter((id) => processor(eventOf(id)) !== undefined);

    expect(passed.length).toBeGreaterThan(2_350);
    expect(passed.length).toBeLessThan(2_650);
  });

  test('takes traces whole', async () => {
    const bus = new TraceEventBus();
    const exporter = new MemoryExporter();
    bus.attach(exporter, { processors: [sample({ ratio: 0.5 })] });

    for (let run = 1; run <= 20; run++) {
      const trace_id = (run * 0x0ccc_cccc).toString(16).padEnd(32, '0');
      for (const event of sampleRun({ run }))
        bus.emit(createTraceEvent({ ...event, payload: { ...event.payload, trace_id } }));
    }

    const counts = new Map<unknown, number>();
    for (const { payload } of exporter.events)
      counts.set(payload['trace_id'], (counts.get(payload['trace_id']) ?? 0) + 1);
    expect(new Set(counts.values())).toEqual(new Set([8]));
    const delivered = counts.size * 8;
    expect(delivered).toBeLessThan(160);
    expect(await bus.flush()).toEqual([
      { exporter: 'memory', delivered, failed: 0, dropped: 160 - delivered, pending: 0 },
    ]);
  });

  test('all pass at 1, none at 0, and what has neither trace nor pattern at any', () => {
    const events = [...sampleRun(), eventOf('any'), eventOf('ffffffff000000000000000000000000')];
    for (const event of events) {
      expect(sample({ ratio: 1 })(event)).toBe(event);
      expect(sample({ ratio: 0 })(event)).toBeUndefined();
    }
    const stray = createTraceEvent({ event_type: 'trace_gap' });
    expect(sample({ ratio: 0 })(stray)).toBe(stray);
  });

  test('judges events without a trace id by their pattern', () => {
    const patterns = Array.from({ length: 20 }, (_, i) => `pattern ${i}`);

    expect(new Set(patterns.map((pattern) => passes(pattern)))).toEqual(new Set([true, false]));
    for (const id of [undefined, 7, '', {}])
      expect(patterns.map((pattern) => passes(pattern, id))).toEqual(
        patterns.map((pattern) => passes(pattern)),
      );
  });

  test('an event whose trace id cannot be read is one without', () => {
    const payload = Object.defineProperty({}, 'trace_id', {
      get: () => {
        throw new Error('read');
      },
    });
    const event = createTraceEvent({ event_type: 'llm_call', payload });

    expect(sample({ ratio: 0 })(event)).toBe(event);
  });

  test.each([{}, { ratio: 2 }, { ratio: '1' }, { ratio: Number.NaN }, { rate: 1 }])(
    'refuses %j',
    (options) => {
      expect(() => sample(options as { ratio: number })).toThrow(/^sample: /);
    },
  );
});
