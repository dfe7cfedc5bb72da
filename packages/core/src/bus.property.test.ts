import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TraceEventBus } from './bus.ts';
import { createTraceEvent, type TraceEvent } from './event.ts';
import { MemoryExporter } from './testing/memory-exporter.ts';

type Step =
  | 'subscribe'
  | 'subscribe one that throws'
  | 'subscribe one that rejects'
  | 'subscribe one that emits'
  | 'attach'
  | 'attach behind processors'
  | 'unsubscribe'
  | { readonly emit: string; readonly inTurn: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>(
    'subscribe',
    'subscribe one that throws',
    'subscribe one that rejects',
    'subscribe one that emits',
    'attach',
    'attach behind processors',
    'unsubscribe',
  ),
  {
    weight: 3,
    arbitrary: fc.record({
      emit: fc.constantFrom('sound', 'literal', 'invalid', 'filtered', 'unreadable'),
      inTurn: fc.boolean(),
    }),
  },
);

function eventOf(kind: string): TraceEvent {
  if (kind === 'invalid') return { agent_name: kind } as TraceEvent;
  const event = {
    timestamp: 1,
    event_type: 'error',
    agent_name: kind,
    pattern_type: '',
    payload: {},
  };
  return kind === 'literal' ? event : createTraceEvent(event);
}

function process(event: TraceEvent): TraceEvent | undefined {
  if (event.agent_name === 'unreadable') throw new Error('unreadable');
  return event.agent_name === 'filtered' ? undefined : event;
}

describe('TraceEventBus', () => {
  test('accepts or drops each event, and each consumer accounts for each it was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const bus = new TraceEventBus({ processors: [process], onError: () => {} });
        let heard = 0;
        let emitted = 0;
        const ids: string[] = [];
        const consumers: { exporter: MemoryExporter; since: number }[] = [];
        const emit = (kind: string, inTurn: boolean): Promise<void> | void => {
          emitted += 1;
          return inTurn ? bus.emitAsync(eventOf(kind)) : bus.emit(eventOf(kind));
        };
        bus.subscribe(() => void (heard += 1));

        for (const next of steps) {
          if (typeof next === 'object') await emit(next.emit, next.inTurn);
          else if (next === 'unsubscribe') bus.unsubscribe(ids.pop() ?? '');
          else if (next === 'subscribe') ids.push(bus.subscribe(() => {}));
          else if (next === 'subscribe one that throws')
            ids.push(
              bus.subscribe(() => {
                throw new Error('thrown');
              }),
            );
          else if (next === 'subscribe one that rejects')
            ids.push(bus.subscribe(() => Promise.reject(new Error('rejected'))));
          else if (next === 'subscribe one that emits')
            ids.push(
              bus.subscribe((event) => {
                if (event.agent_name === 'sound') void emit('literal', emitted % 2 === 0);
              }),
            );
          else {
            const exporter = new MemoryExporter();
            consumers.push({ exporter, since: bus.stats().accepted });
            bus.attach(exporter, {
              processors: next === 'attach' ? [] : [(event) => (emitted % 2 ? event : undefined)],
            });
          }
        }
        const receipts = await bus.flush();
        const stats = bus.stats();

        expect(stats).toMatchObject({
          emitted,
          accepted: heard,
          dropped: emitted - heard,
          pending: 0,
        });
        expect(Object.values(stats.reasons).reduce((sum, count) => sum + count, 0)).toBe(
          stats.dropped,
        );
        expect(
          receipts.map(
            ({ delivered, failed, dropped, pending }) => delivered + failed + dropped + pending,
          ),
        ).toEqual(consumers.map(({ since }) => stats.accepted - since));
      }),
      { numRuns: 300 },
    );
  });
});
