import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TraceEventBus } from './bus.ts';
import { TraceError } from './errors.ts';
import { createTraceEvent, type TraceEvent } from './event.ts';
import { MemoryExporter } from './testing/memory-exporter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function named(agent_name: string): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type: 'agent_start', agent_name });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const never = new Promise<never>(() => {});

describe('TraceEventBus: emitAsync', () => {
  test('awaits asynchronous subscribers one after another, plain ones first', async () => {
    const bus = new TraceEventBus();
    const log: string[] = [];
    const slow =
      (name: string) =>
      async (event: TraceEvent): Promise<void> => {
        log.push(`${name} hears ${event.agent_name}`);
        await sleep(10);
        log.push(`${name} is done`);
      };
    bus.subscribeFilter(['agent_start'], slow('filtered'));
    bus.subscribe(slow('first'));
    bus.subscribe(() => log.push('second, at once'));
    bus.subscribeFilter(['error'], slow('deaf'));
    const done = bus.emitAsync(named('a')).then(() => log.push('emitAsync is done'));
    await vi.runAllTimersAsync();
    await done;

    expect(log).toEqual([
      'first hears a',
      'first is done',
      'second, at once',
      'filtered hears a',
      'filtered is done',
      'emitAsync is done',
    ]);
  });

  test('delivers up to the first wait before it returns', () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    bus.subscribe((event) => heard.push(event.agent_name));
    void bus.emitAsync(named('a'));
    bus.emit(named('b'));

    expect(heard).toEqual(['a', 'b']);
  });

  test('gives up on a subscriber after 5 s, and goes on with the others', async () => {
    const errors: unknown[] = [];
    const bus = new TraceEventBus({ onError: (error) => errors.push(error) });
    const heard: string[] = [];
    const late = sleep(6_000).then(() => Promise.reject(new Error('too late')));
    bus.subscribe(() => late);
    bus.subscribe((event) => heard.push(event.agent_name));
    let done = false;
    void bus.emitAsync(named('a')).then(() => (done = true));

    await vi.advanceTimersByTimeAsync(4_999);
    expect({ done, errors, heard }).toEqual({ done: false, errors: [], heard: [] });
    await vi.advanceTimersByTimeAsync(1);
    expect({ done, heard }).toEqual({ done: true, heard: ['a'] });
    expect(errors).toEqual([new TraceError('subscriber_timeout', 'no answer within 5000 ms')]);

    await vi.runAllTimersAsync(); // the rejection is handled, and one loss is one error
    expect(bus.stats()).toMatchObject({ errors: 1, pending: 0 });
  });

  test('leaves no timer when it is done', async () => {
    const bus = new TraceEventBus({ onError: () => {} });
    bus.subscribe(async () => {});
    bus.subscribe(async () => Promise.reject(new Error('rejected')));
    await bus.emitAsync(named('a'));
    await bus.flush();

    expect(vi.getTimerCount()).toBe(0);
  });

  test('never rejects', async () => {
    const errors: string[] = [];
    const bus = new TraceEventBus({ onError: (error) => errors.push((error as Error).message) });
    bus.subscribe(() => {
      throw new Error('thrown');
    });
    bus.subscribe(() => Promise.reject(new Error('rejected')));
    bus.subscribe(() => ({
      // oxlint-disable-next-line unicorn/no-thenable -- that it is one is the point
      then: () => {
        throw new Error('then');
      },
    }));
    bus.subscribe(() =>
      Object.defineProperty(Promise.resolve(), 'constructor', {
        get: () => {
          throw new Error('constructor');
        },
      }),
    );

    await expect(bus.emitAsync(named('a'))).resolves.toBeUndefined();
    await expect(bus.emitAsync(undefined as unknown as TraceEvent)).resolves.toBeUndefined();
    expect(errors).toEqual([
      'thrown',
      'rejected',
      'then',
      'constructor',
      'trace event: expected an object, got nothing',
    ]);
  });

  test('holds nothing back while it waits', async () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    bus.subscribe(async (event) => {
      if (event.agent_name !== 'a') return;
      bus.emit(named('before the wait'));
      await sleep(10);
      bus.emit(named('in the wait, by the subscriber'));
    });
    bus.subscribe((event) => heard.push(event.agent_name));
    const done = bus.emitAsync(named('a'));
    bus.emit(named('in the wait'));
    expect(heard).toEqual(['before the wait', 'in the wait']);

    await vi.runAllTimersAsync();
    await done;
    expect(heard.slice(2)).toEqual(['in the wait, by the subscriber', 'a']);
  });

  test('called by a subscriber, it delivers after the current event', async () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    let inner: Promise<void> | undefined;
    bus.subscribe((event) => {
      if (event.agent_name === 'a') inner = bus.emitAsync(named('b'));
    });
    bus.subscribe((event) => heard.push(event.agent_name));
    bus.emit(named('a'));
    expect(heard).toEqual(['a']);
    expect(bus.stats()).toMatchObject({ emitted: 2, accepted: 1, dropped: 0 });

    await inner;
    expect(heard).toEqual(['a', 'b']);
    expect(bus.stats()).toMatchObject({ emitted: 2, accepted: 2, dropped: 0 });
  });

  test('awaited by its own subscriber, it ends', async () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    bus.subscribe(async (event) => {
      heard.push(event.agent_name);
      if (event.agent_name === 'a') await bus.emitAsync(named('b'));
    });
    await bus.emitAsync(named('a'));

    expect(heard).toEqual(['a', 'b']);
  });

  test.each([
    ['awaited', (bus: TraceEventBus) => bus.emitAsync(named('again'))],
    ['left alone', (bus: TraceEventBus) => void bus.emitAsync(named('again'))],
  ])('in a loop of its subscriber, %s, it ends after 1,000', async (_name, again) => {
    const bus = new TraceEventBus();
    let heard = 0;
    bus.subscribe(() => {
      heard += 1;
      return again(bus);
    });
    await bus.emitAsync(named('a'));
    await vi.advanceTimersByTimeAsync(0);

    expect(heard).toBe(1_001);
    expect(bus.stats()).toMatchObject({
      emitted: 1_002,
      accepted: 1_001,
      reasons: { reentrant: 1 },
      pending: 0,
    });
  });

  test('passes by a subscriber that was taken off while it waited', async () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    bus.subscribe(() => sleep(10));
    const id = bus.subscribe((event) => heard.push(event.agent_name));
    const done = bus.emitAsync(named('a'));
    bus.unsubscribe(id);
    bus.subscribe(() => heard.push('too late'));
    await vi.runAllTimersAsync();
    await done;

    expect(heard).toEqual([]);
  });

  test('two at once each keep their own order', async () => {
    const bus = new TraceEventBus();
    const heard: string[] = [];
    bus.subscribe(async (event) => {
      await sleep(event.agent_name === 'slow' ? 20 : 10);
      heard.push(`first ${event.agent_name}`);
    });
    bus.subscribe((event) => heard.push(`second ${event.agent_name}`));
    const done = Promise.all([bus.emitAsync(named('slow')), bus.emitAsync(named('quick'))]);
    await vi.runAllTimersAsync();
    await done;

    expect(heard).toEqual(['first quick', 'second quick', 'first slow', 'second slow']);
  });
});

describe('TraceEventBus: pending deliveries', () => {
  test('are counted until they settle', async () => {
    const bus = new TraceEventBus({ onError: () => {} });
    bus.subscribe(() => sleep(10));
    bus.subscribe(async () => Promise.reject(new Error('rejected')));
    bus.emit(named('a'));
    expect(bus.stats().pending).toBe(2);

    await vi.advanceTimersByTimeAsync(0);
    expect(bus.stats().pending).toBe(1);
    await vi.advanceTimersByTimeAsync(10);
    expect(bus.stats().pending).toBe(0);
  });

  test('settle before the consumers are flushed', async () => {
    const bus = new TraceEventBus();
    const log: string[] = [];
    const exporter = new MemoryExporter();
    vi.spyOn(exporter, 'flush').mockImplementation(async () => void log.push('flush'));
    bus.attach(exporter);
    for (const ms of [20, 10])
      bus.subscribe(async () => {
        await sleep(ms);
        log.push(`subscriber, after ${ms} ms`);
      });
    bus.emit(named('a'));
    const flushed = bus.flush();
    await vi.runAllTimersAsync();
    await flushed;

    expect(log).toEqual(['subscriber, after 10 ms', 'subscriber, after 20 ms', 'flush']);
  });

  test('include an emitAsync that has not come to its consumers', async () => {
    const bus = new TraceEventBus();
    bus.subscribe(() => sleep(10));
    bus.attach(new MemoryExporter());
    void bus.emitAsync(named('a'));
    const flushed = bus.flush();
    await vi.runAllTimersAsync();

    expect(await flushed).toMatchObject([{ exporter: 'memory', delivered: 1 }]);
  });

  test('are not waited for when they began after flush was called', async () => {
    const bus = new TraceEventBus();
    bus.subscribe((event) => sleep(event.agent_name === 'a' ? 10 : 1_000));
    bus.emit(named('a'));
    let done = false;
    void bus.flush().then(() => (done = true));
    await vi.advanceTimersByTimeAsync(1);
    bus.emit(named('b'));

    await vi.advanceTimersByTimeAsync(9);
    expect(done).toBe(true);
  });

  test('that hang are given up after 5 s, each told of and counted once', async () => {
    const errors: unknown[] = [];
    const bus = new TraceEventBus({ onError: (error, event) => errors.push([error, event]) });
    const timeout = new TraceError('subscriber_timeout', 'no answer within 5000 ms');
    bus.subscribe(async ({ agent_name }) => {
      if (agent_name === 'hangs') await never;
      await sleep(agent_name === 'settles' ? 10 : 6_000);
      if (agent_name === 'fails late') throw new Error('too late');
    });
    for (const name of ['settles', 'hangs']) bus.emit(named(name));
    await vi.advanceTimersByTimeAsync(1_000);
    for (const name of ['late', 'fails late']) bus.emit(named(name));
    await vi.advanceTimersByTimeAsync(3_999);
    expect(errors).toEqual([]);
    expect(bus.stats()).toMatchObject({ errors: 0, pending: 3 });

    await vi.advanceTimersByTimeAsync(1);
    expect(errors).toEqual([[timeout, named('hangs')]]);
    expect(bus.stats()).toMatchObject({ errors: 1, pending: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bus.stats()).toMatchObject({ errors: 3, pending: 0 });

    await vi.runAllTimersAsync();
    expect(errors).toEqual([
      [timeout, named('hangs')],
      [timeout, named('late')],
      [timeout, named('fails late')],
    ]);
    expect(bus.stats()).toMatchObject({ errors: 3, pending: 0 });
  });

  test('that hang end a flush that waits for them, and share one timer that keeps nothing alive', async () => {
    const bus = new TraceEventBus({ onError: () => {} });
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    bus.subscribe(() => never);
    for (let i = 0; i < 1_000; i++) bus.emit(named('a'));
    const timers = setTimer.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef());
    expect(timers).toEqual([false]);
    let done = false;
    void bus.flush({ timeoutMs: 60_000 }).then(() => (done = true));
    await vi.advanceTimersByTimeAsync(5_000);

    expect(done).toBe(true);
    expect(bus.stats()).toMatchObject({ errors: 1_000, pending: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('an emitAsync may last longer: each of its subscribers has 5 s', async () => {
    const bus = new TraceEventBus();
    for (let i = 0; i < 3; i++) bus.subscribe(() => sleep(4_000));
    const done = bus.emitAsync(named('a'));
    bus.emit(named('b'));
    await vi.advanceTimersByTimeAsync(11_999);
    expect(bus.stats()).toMatchObject({ errors: 0, pending: 1 });

    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(bus.stats()).toMatchObject({ errors: 0, pending: 0 });
  });

  test('that hang leave the consumers half of the time', async () => {
    const bus = new TraceEventBus();
    const exporter = new MemoryExporter();
    const flush = vi.spyOn(exporter, 'flush').mockImplementation(() => sleep(400));
    bus.subscribe(() => never);
    bus.attach(exporter);
    bus.emit(named('a'));
    const flushed = bus.flush({ timeoutMs: 1_000 });
    await vi.advanceTimersByTimeAsync(900);

    expect(flush).toHaveBeenCalledExactlyOnceWith({ timeoutMs: 450 });
    expect(await flushed).toEqual([
      { exporter: 'memory', delivered: 1, failed: 0, dropped: 0, pending: 0 },
    ]);
    expect(bus.stats().pending).toBe(1);
  });
});
