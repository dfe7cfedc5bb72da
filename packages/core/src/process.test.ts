import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { TraceError } from './errors.ts';
import { type ExitSignal, flushOnExit, type FlushOnExitOptions } from './process.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const NAMES = ['beforeExit', 'exit', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'];
const windows = process.platform === 'win32';

/** What the programs below begin with. Lines are printed at once, whatever ends the process. */
const PROGRAM = `
  import { writeSync } from 'node:fs';
  import { createTraceEvent, TraceEventBus } from '@pyagent-trace/core';
  import { flushOnExit } from '@pyagent-trace/core/process';

  const say = (line) => writeSync(1, line + '\\n');
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const serve = () => { setInterval(() => {}, 60_000); say('ready'); };

  /** A bus whose flush takes this long. */
  const slow = (ms, name = 'bus') => ({
    flush: async () => {
      say(name + ' flushes');
      await sleep(ms);
      say(name + ' flushed');
      return [];
    },
  });

  /** A bus with an exporter that sends one event per ms, in the background of the app. */
  const sending = ({ refuses = false, chatty = false } = {}) => {
    let [accepted, delivered] = [0, 0];
    const bus = new TraceEventBus();
    bus.attach({
      name: 'network',
      exportEvent: () => { accepted += 1; },
      flush: async ({ timeoutMs }) => {
        if (chatty) await sleep(1);
        for (let ms = 0; ms < timeoutMs && delivered < accepted; ms++) {
          await sleep(1);
          if (!refuses) delivered += 1;
        }
        say('delivered ' + delivered);
      },
      shutdown: async () => {},
      stats: () => ({ accepted, dropped: 0, delivered, failed: 0, pending: accepted - delivered }),
      [Symbol.asyncDispose]: async () => {},
    });
    return bus;
  };
  const event = createTraceEvent({ event_type: 'llm_call' });
`;

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lines: readonly string[];
}

/** Runs a program to its end. Each time it prints a line of `kill`, it gets that signal. */
async function run(
  code: string,
  kill: Readonly<Record<string, NodeJS.Signals>> = {},
): Promise<End> {
  const args = ['--conditions=@pyagent-trace/source', '--input-type=module', '-e', PROGRAM + code];
  const child = spawn(process.execPath, args, {
    cwd: PACKAGE,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  let [printed, rest] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (kill[line] !== undefined) child.kill(kill[line]);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) =>
      resolve({ code: exitCode, signal, lines: printed.split('\n').slice(0, -1) }),
    );
  });
}

/** How many listeners the process has, by event. */
function listeners(): Record<string, number> {
  return Object.fromEntries(NAMES.map((name) => [name, process.listenerCount(name)]));
}

describe.skipIf(windows)('flushOnExit, on a signal', { timeout: 30_000 }, () => {
  test.concurrent.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'flushes, and ends the process by that very signal: %s',
    async (signal) => {
      const end = await run('flushOnExit(slow(20)); serve();', { ready: signal });

      expect(end).toEqual({ code: null, signal, lines: ['ready', 'bus flushes', 'bus flushed'] });
    },
  );

  test.concurrent.each([
    ['hangs', 'new Promise(() => {})'],
    ['rejects', 'Promise.reject(new Error("boom"))'],
    ['answers nonsense', 'Promise.resolve([null])'],
    ['throws', '(() => { throw new Error("boom"); })()'],
  ])('ends the process in time by that signal although the bus %s', async (_, answer) => {
    const end = await run(`flushOnExit({ flush: () => ${answer} }, { timeoutMs: 20 }); serve();`, {
      ready: 'SIGTERM',
    });

    expect(end).toEqual({ code: null, signal: 'SIGTERM', lines: ['ready'] });
  });

  test.concurrent('tells the bus how long it may take', async () => {
    const end = await run(
      `const flush = async (options) => { say(JSON.stringify(options)); return []; };
       flushOnExit({ flush }, { timeoutMs: 1_234 }); flushOnExit({ flush }); serve();`,
      { ready: 'SIGTERM' },
    );

    expect(end.lines).toEqual(['ready', '{"timeoutMs":1234}', '{"timeoutMs":5000}']);
  });

  test.concurrent('lets what is queued at the end of the flush still run', async () => {
    const end = await run(
      `const later = (n) => queueMicrotask(() => (n === 0 ? say('written') : later(n - 1)));
       flushOnExit({ flush: async () => { later(100); return []; } }); serve();`,
      { ready: 'SIGTERM' },
    );

    expect(end).toEqual({ code: null, signal: 'SIGTERM', lines: ['ready', 'written'] });
  });

  test.concurrent.each(['SIGTERM', 'SIGINT'] as const)(
    'ends at once by a second signal while it flushes: %s',
    async (second) => {
      const end = await run('flushOnExit(slow(25_000), { timeoutMs: 25_000 }); serve();', {
        ready: 'SIGTERM',
        'bus flushes': second,
      });

      expect(end).toEqual({ code: null, signal: second, lines: ['ready', 'bus flushes'] });
    },
  );

  test.concurrent.each([
    ['before', 'process.on("SIGTERM", app); flushOnExit(slow(5));'],
    ['after', 'flushOnExit(slow(5)); process.on("SIGTERM", app);'],
    ['for one time, before', 'process.once("SIGTERM", app); flushOnExit(slow(5));'],
    ['for one time, after', 'flushOnExit(slow(5)); process.once("SIGTERM", app);'],
  ])('flushes, and leaves the end to a listener of the app added %s', async (_, setup) => {
    const end = await run(
      `const app = async () => { say('app'); await sleep(100); process.exit(7); };
       ${setup} serve();`,
      { ready: 'SIGTERM' },
    );

    expect(end).toEqual({
      code: 7,
      signal: null,
      lines: ['ready', 'bus flushes', 'app', 'bus flushed'],
    });
  });

  test.concurrent('flushes again at the next signal when the app went on', async () => {
    const end = await run(
      `process.once('SIGTERM', () => setTimeout(() => say('again'), 100));
       flushOnExit(slow(5)); serve();`,
      { ready: 'SIGTERM', again: 'SIGTERM' },
    );

    expect(end).toEqual({
      code: null,
      signal: 'SIGTERM',
      lines: ['ready', 'bus flushes', 'bus flushed', 'again', 'bus flushes', 'bus flushed'],
    });
  });

  test.concurrent('hands the signal to a listener that the app adds meanwhile', async () => {
    const end = await run(
      `let adds = true;
       const app = () => { say('app'); setTimeout(() => say('again'), 100); };
       const flush = async () => {
         say('flush');
         if (adds) process.once('SIGTERM', app);
         adds = false;
         return [];
       };
       flushOnExit({ flush }); serve();`,
      { ready: 'SIGTERM', again: 'SIGTERM' },
    );

    expect(end).toEqual({
      code: null,
      signal: 'SIGTERM',
      lines: ['ready', 'flush', 'flush', 'app', 'again', 'flush'],
    });
  });

  test.concurrent('does not keep a library from ending the process as the last listener', async () => {
    const end = await run(
      `process.on('SIGTERM', function last() {
         if (process.listenerCount('SIGTERM') > 1) return;
         process.off('SIGTERM', last);
         process.kill(process.pid, 'SIGTERM');
       });
       flushOnExit(slow(5)); serve();`,
      { ready: 'SIGTERM' },
    );

    expect([end.code, end.signal]).toEqual([null, 'SIGTERM']);
  });

  test.concurrent('flushes every bus that asked for the signal, side by side', async () => {
    const end = await run(
      `flushOnExit(slow(60, 'slow'));
       flushOnExit(slow(5, 'fast'), { signals: ['SIGTERM'] });
       flushOnExit(slow(5, 'other'), { signals: ['SIGINT'] });
       serve();`,
      { ready: 'SIGTERM' },
    );

    expect(end).toEqual({
      code: null,
      signal: 'SIGTERM',
      lines: ['ready', 'slow flushes', 'fast flushes', 'fast flushed', 'slow flushed'],
    });
  });

  test.concurrent('does nothing once taken off', async () => {
    const end = await run('const cancel = flushOnExit(slow(5)); cancel(); serve();', {
      ready: 'SIGTERM',
    });

    expect(end).toEqual({ code: null, signal: 'SIGTERM', lines: ['ready'] });
  });
});

describe('flushOnExit, when nothing is left to do', { timeout: 30_000 }, () => {
  test.concurrent('flushes what is pending, and keeps the exit code', async () => {
    const end = await run(`const bus = sending(); flushOnExit(bus);
      for (let i = 0; i < 10; i++) bus.emit(event);
      process.exitCode = 3;`);

    expect(end).toEqual({ code: 3, signal: null, lines: ['delivered 10', 'delivered 10'] });
  });

  test.concurrent('ends although flushing keeps the process awake with nothing to send', async () => {
    const end = await run(`const bus = sending({ chatty: true }); flushOnExit(bus);
      bus.emit(event);`);

    expect(end).toEqual({ code: 0, signal: null, lines: ['delivered 1', 'delivered 1'] });
  });

  test.concurrent('tries once where nothing can be delivered', async () => {
    const end = await run(`const bus = sending({ refuses: true });
      flushOnExit(bus, { timeoutMs: 20 });
      bus.emit(event);`);

    expect(end).toEqual({ code: 0, signal: null, lines: ['delivered 0'] });
  });

  test.concurrent('tries once where not all can be delivered in time', async () => {
    const end = await run(`const bus = sending(); flushOnExit(bus, { timeoutMs: 50 });
      for (let i = 0; i < 100_000; i++) bus.emit(event);`);

    expect([end.code, end.lines]).toEqual([0, [expect.stringMatching(/^delivered [1-9]/)]]);
  });

  test.concurrent.each([
    ['at once', 0],
    ['later', 3],
  ])('flushes what others still emit then, %s', async (_, after) => {
    const end = await run(`const bus = sending(); flushOnExit(bus);
      let times = 0;
      const wake = () => { if (times > ${after}) bus.emit(event); };
      process.on('beforeExit', () => { if (++times <= ${after} + 3) setTimeout(wake, 10); });
      if (${after} === 0) bus.emit(event);`);

    expect([end.code, end.lines.at(-1)]).toEqual([0, `delivered ${after === 0 ? 4 : 3}`]);
  });

  test.concurrent('does nothing once taken off', async () => {
    const end = await run('const bus = sending(); flushOnExit(bus)(); bus.emit(event);');

    expect(end).toEqual({ code: 0, signal: null, lines: [] });
  });
});

describe('flushOnExit', () => {
  const idle = { flush: async () => [] };
  const cancels: (() => void)[] = [];
  const enrol = (options?: FlushOnExitOptions): (() => void) => {
    const cancel = flushOnExit(idle, options);
    cancels.push(cancel);
    return cancel;
  };

  afterEach(() => {
    for (const cancel of cancels.splice(0)) cancel();
    vi.restoreAllMocks();
  });

  test('is opt-in: importing it listens to nothing', async () => {
    const before = listeners();
    vi.resetModules();
    await import('./process.ts');

    expect(listeners()).toEqual(before);
  });

  test('has one listener per event for 100 buses, and none when all are taken off', () => {
    const before = listeners();
    for (let i = 0; i < 100; i++) enrol();
    const during = listeners();
    for (const cancel of cancels.splice(0)) cancel();

    const { beforeExit = 0, SIGTERM = 0, SIGINT = 0, SIGHUP = 0 } = before;
    expect([during, listeners()]).toEqual([
      {
        ...before,
        beforeExit: beforeExit + 1,
        SIGTERM: SIGTERM + 1,
        SIGINT: SIGINT + 1,
        SIGHUP: SIGHUP + 1,
      },
      before,
    ]);
  });

  test('listens to what some bus still asks for', () => {
    const { SIGTERM = 0, SIGUSR2 = 0 } = listeners();
    const cancel = enrol({ signals: ['SIGTERM', 'SIGUSR2'] });
    enrol({ signals: ['SIGTERM'] });
    cancel();
    cancel();

    expect(listeners()).toMatchObject({ SIGTERM: SIGTERM + 1, SIGUSR2 });
  });

  test('shares its listeners with a second copy of the package', async () => {
    enrol();
    const before = listeners();
    vi.resetModules();
    const copy = await import('./process.ts');
    const cancel = copy.flushOnExit(idle);
    const during = listeners();
    cancel();

    expect(copy.flushOnExit).not.toBe(flushOnExit);
    expect([during, listeners()]).toEqual([before, before]);
  });

  test('exits with the status a shell gives the signal where it cannot be sent', async () => {
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw new Error('kill ENOSYS');
    });
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as () => never);
    enrol({ signals: ['SIGHUP'] });
    process.emit('SIGHUP', 'SIGHUP');
    await vi.waitFor(() => expect(exit).toHaveBeenCalled(), { timeout: 20_000 });

    expect(exit.mock.calls).toEqual([[129]]);
  });

  test.each<[unknown, unknown, string]>([
    [undefined, {}, 'flushOnExit: expected a bus, got a value without flush'],
    [{}, {}, 'flushOnExit: expected a bus, got a value without flush'],
    [idle, null, 'flushOnExit: expected an object of options, got null'],
    [idle, { timeout: 5 }, 'flushOnExit: unknown option "timeout"; known are signals, timeoutMs'],
    [
      idle,
      { timeoutMs: Number.NaN },
      'flushOnExit: timeoutMs: expected milliseconds, 0 or more, got NaN',
    ],
    [idle, { timeoutMs: '5' }, "flushOnExit: timeoutMs: expected milliseconds, 0 or more, got '5'"],
    [
      idle,
      { signals: ['SIGTERM', 'SIGKILL'] },
      "flushOnExit: signals: expected an array of SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGBREAK, SIGUSR2, got [ 'SIGTERM', 'SIGKILL' ]",
    ],
    [
      idle,
      { signals: 'SIGTERM' },
      "flushOnExit: signals: expected an array of SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGBREAK, SIGUSR2, got 'SIGTERM'",
    ],
  ])('refuses a bus %o with the options %o', (bus, options, message) => {
    expect(() => flushOnExit(bus as typeof idle, options as FlushOnExitOptions)).toThrow(
      new TraceError('invalid_option', message),
    );
  });

  test('keeps a list of signals of its own', () => {
    const { SIGUSR2 = 0 } = listeners();
    const signals: ExitSignal[] = ['SIGTERM'];
    enrol({ signals });
    signals.push('SIGUSR2');
    enrol();

    expect(listeners()['SIGUSR2']).toBe(SIGUSR2);
  });
});
