import { describe, expect, test, vi } from 'vitest';
import { TraceEventBus } from '../bus.ts';
import { createTraceEvent } from '../event.ts';

const EVENT = createTraceEvent({ event_type: 'error' });

/** What is printed while a bus has subscribers that throw these, by each event. */
function printed(thrown: readonly (() => unknown)[], events = 1, name?: string): unknown[] {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {});
  const bus = new TraceEventBus();
  for (const next of thrown) {
    const subscriber = (): never => {
      throw next();
    };
    bus.subscribe(Object.defineProperty(subscriber, 'name', { value: name ?? subscriber.name }));
  }
  for (let i = 0; i < events; i++) bus.emit(EVENT);
  expect(bus.stats().errors).toBe(thrown.length * events);
  const lines = error.mock.calls.map(([line, ...rest]) => (rest.length > 0 ? [line, rest] : line));
  error.mockRestore();
  return lines;
}

describe('TraceEventBus: onError by default', () => {
  test('prints one line per subscriber and message, then counts', () => {
    expect(printed([() => new Error('boom'), () => new Error('boom')], 3)).toEqual([
      '[pyagent-trace] subscriber: boom',
      '[pyagent-trace] subscriber: boom',
    ]);
  });

  test('prints a second message of one subscriber', () => {
    let round = 0;

    expect(printed([() => `round ${++round}`], 2)).toEqual([
      '[pyagent-trace] subscriber: round 1',
      '[pyagent-trace] subscriber: round 2',
    ]);
  });

  test('names a subscriber that has no name', () => {
    expect(printed([() => 'boom'], 1, '')).toEqual(['[pyagent-trace] a subscriber: boom']);
  });

  test('prints what an event lacks', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const bus = new TraceEventBus();
    for (let i = 0; i < 2; i++) bus.emit({ ...EVENT, timestamp: -1 });

    expect(error.mock.calls).toEqual([
      ['[pyagent-trace] emit: trace event: timestamp: expected Unix seconds, got -1'],
    ]);
    error.mockRestore();
  });

  test('escapes what a terminal would obey, and stays one line', () => {
    expect(printed([() => 'a\u001b[2J\u009b31m\nb\u2028\u202egnp\u007f'])).toEqual([
      '[pyagent-trace] subscriber: a\\u001b[2J\\u009b31m\\nb\\u2028\\u202egnp\\u007f',
    ]);
  });

  test('prints no more than 1,000 characters of a line', () => {
    const [line] = printed([() => 'x'.repeat(1e6)]);

    expect(line).toBe(`[pyagent-trace] subscriber: ${'x'.repeat(1_000)}`.slice(0, 1_000));
  });

  test('stops after 100 lines, and says so once', () => {
    let round = 0;
    const lines = printed([() => `round ${++round}`], 300);

    expect(lines).toHaveLength(101);
    expect(lines.at(99)).toBe('[pyagent-trace] subscriber: round 100');
    expect(lines.at(100)).toBe('[pyagent-trace] further errors are only counted');
  });

  test('survives a console that throws and an error without text', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {
      throw new Error('closed');
    });
    const bus = new TraceEventBus();
    const heard: unknown[] = [];
    bus.subscribe(() => {
      throw Object.create(null);
    });
    bus.subscribe((event) => heard.push(event));
    bus.emit(EVENT);

    expect(heard).toEqual([EVENT]);
    vi.restoreAllMocks();
  });
});
