import { describe, expect, expectTypeOf, test } from 'vitest';
import { TraceEventBus } from './bus.ts';
import type { TraceEvent } from './event.ts';
import {
  type EventSink,
  type EventSource,
  isTraceExporter,
  missingMembers,
  type TraceExporter,
} from './exporter.ts';
import { MemoryExporter } from './testing/memory-exporter.ts';

describe('isTraceExporter', () => {
  test('knows an exporter by its members, and narrows to it', () => {
    const value: unknown = new MemoryExporter();

    expect(isTraceExporter(value)).toBe(true);
    if (isTraceExporter(value)) expectTypeOf(value).toEqualTypeOf<TraceExporter>();
  });

  test.each([null, undefined, 7, 'text', {}, () => {}, new TraceEventBus()])(
    'refuses %o',
    (value) => {
      expect(isTraceExporter(value)).toBe(false);
    },
  );
});

describe('missingMembers', () => {
  const ALL = ['exportEvent', 'flush', 'shutdown', 'stats', '[Symbol.asyncDispose]', 'name'];

  test('names what the value lacks', () => {
    expect(missingMembers(new MemoryExporter())).toEqual([]);
    expect(missingMembers(undefined)).toEqual(ALL);
    expect(missingMembers({ name: 7, exportEvent: () => {}, flush: true })).toEqual(
      ALL.filter((member) => member !== 'exportEvent'),
    );
  });

  test('counts a member that cannot be read as missing', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();

    expect(missingMembers(proxy)).toEqual(ALL);
  });
});

describe('EventSink and EventSource', () => {
  test('are what a bus is, whichever copy of the package it comes from', () => {
    expectTypeOf<TraceEventBus>().toExtend<EventSink & EventSource>();
    expectTypeOf<{ emit(event: TraceEvent): void }>().toExtend<EventSink>();
  });
});
