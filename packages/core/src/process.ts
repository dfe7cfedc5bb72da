import { constants } from 'node:os';
import { inspect } from 'node:util';
import { within } from './bus/promises.ts';
import { invalidOption, requireKnownKeys } from './check.ts';
import type { FlushOptions, FlushReport } from './exporter.ts';

const EXIT_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2'] as const;

/** A signal that ends a process which does not listen to it, and that a process can listen to. */
export type ExitSignal = (typeof EXIT_SIGNALS)[number];

/** What `flushOnExit` needs of a bus. */
export interface FlushableBus {
  flush(options?: FlushOptions): Promise<readonly FlushReport[]>;
}

export interface FlushOnExitOptions {
  /**
   * Those that the operating system does not have are never heard.
   *
   * @default ['SIGTERM', 'SIGINT', 'SIGHUP']
   */
  readonly signals?: readonly ExitSignal[];
  /**
   * How long a flush may take, in milliseconds. Less than your platform waits before it kills: 10 s
   * for `docker stop`, 30 s for Kubernetes.
   *
   * @default 5000
   */
  readonly timeoutMs?: number;
}

const DEFAULT_SIGNALS: readonly ExitSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
const DEFAULT_TIMEOUT_MS = 5_000;
/** What a shell reports for a process that ended by signal n: 128 + n. */
const SIGNAL_STATUS = 128;

/**
 * Flushes a bus when a signal asks the process to end, and when its event loop has nothing left to do.
 *
 * After a signal that nobody else listens to, the same signal is raised again, so that the exit status
 * is what it would have been; a second one meanwhile ends the process at once. Where the app listens
 * to the signal, the app decides: the bus is flushed and nothing else is done. Never throws into the
 * app. All buses of a process share one listener per signal.
 *
 * `process.exit()` and an uncaught exception leave no time to flush: an exporter that writes
 * synchronously, as the one for JSONL does, needs none.
 *
 * @returns a function that takes it off again
 * @throws {TraceError} `invalid_option`
 * @example
 * ```ts
 * const cancel = flushOnExit(bus, { timeoutMs: 2_000 });
 * ```
 */
export function flushOnExit(bus: FlushableBus, options: FlushOnExitOptions = {}): () => void {
  if (typeof bus?.flush !== 'function')
    throw invalidOption('flushOnExit: expected a bus, got a value without flush');
  requireKnownKeys(options, ['signals', 'timeoutMs'], 'flushOnExit');
  const { signals = DEFAULT_SIGNALS, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!Array.isArray(signals) || !signals.every((signal) => EXIT_SIGNALS.includes(signal)))
    throw invalidOption(
      `flushOnExit: signals: expected an array of ${EXIT_SIGNALS.join(', ')}, got ${inspect(signals)}`,
    );
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0)
    throw invalidOption(
      `flushOnExit: timeoutMs: expected milliseconds, 0 or more, got ${inspect(timeoutMs)}`,
    );
  return (shared[KEY] ??= new ExitFlush()).add({ bus, signals: [...signals], timeoutMs });
}

interface Member {
  readonly bus: FlushableBus;
  readonly signals: readonly ExitSignal[];
  readonly timeoutMs: number;
}

/** What has arrived, and what a flush had to leave. */
interface Progress {
  readonly delivered: number;
  readonly pending: number;
}

class ExitFlush {
  readonly #members = new Set<Member>();
  /** What our listener is on. */
  readonly #heard = new Set<ExitSignal>();
  /** Being flushed for, while a listener of the app decides. */
  readonly #paused = new Set<ExitSignal>();
  #ending = false;
  #delivered = 0;
  #futile = false;

  /** Called by other copies and versions of this package too. */
  add(member: Member): () => void {
    if (this.#members.size === 0) process.on('beforeExit', this.#onBeforeExit);
    this.#members.add(member);
    this.#listen();
    return () => {
      this.#members.delete(member);
      if (this.#members.size === 0) process.off('beforeExit', this.#onBeforeExit);
      this.#listen();
    };
  }

  /** Has our listener on the signals that should have it, and on no other. */
  #listen(): void {
    const wanted = new Set<ExitSignal>();
    if (!this.#ending)
      for (const { signals } of this.#members)
        for (const signal of signals) if (!this.#paused.has(signal)) wanted.add(signal);
    for (const signal of this.#heard) if (!wanted.has(signal)) process.off(signal, this.#onSignal);
    // first in line: a `once` listener that ran before ours would be gone, and the app's decision with it
    for (const signal of wanted)
      if (!this.#heard.has(signal)) process.prependListener(signal, this.#onSignal);
    this.#heard.clear();
    for (const signal of wanted) this.#heard.add(signal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    void this.#flushFor(signal as ExitSignal);
  };

  async #flushFor(signal: ExitSignal): Promise<void> {
    const alone = process.listenerCount(signal) === 1;
    if (alone) this.#ending = true;
    else this.#paused.add(signal);
    // off before the flush, so that a second signal ends the process, and so that another library which
    // ends it when nobody else listens does not wait for us
    this.#listen();
    await flushAll([...this.#members].filter(({ signals }) => signals.includes(signal)));
    if (alone) setImmediate(this.#raise, signal); // what is queued for this turn may emit and write
    else {
      this.#paused.delete(signal);
      this.#listen();
    }
  }

  readonly #raise = (signal: ExitSignal): void => {
    try {
      process.kill(process.pid, signal);
    } catch {
      process.exit(SIGNAL_STATUS + constants.signals[signal]); // Windows cannot send every signal
    }
    // still here: the app has begun to listen meanwhile
    this.#ending = false;
    this.#listen();
  };

  readonly #onBeforeExit = (): void => {
    void this.#flushIdle();
  };

  /**
   * A flush that does I/O keeps the process alive, and `beforeExit` comes again after it. So that
   * this ends, a flush that got nothing further, or not all, is followed by none.
   */
  async #flushIdle(): Promise<void> {
    if (this.#futile) {
      this.#futile = false;
      return;
    }
    const { delivered, pending } = await flushAll([...this.#members]);
    this.#futile = pending > 0 || delivered <= this.#delivered;
    this.#delivered = delivered;
  }
}

const KEY: unique symbol = Symbol.for('@pyagent-trace/flush-on-exit.v1');
const shared = globalThis as { [KEY]?: Pick<ExitFlush, 'add'> };

async function flushAll(members: readonly Member[]): Promise<Progress> {
  return total(await Promise.all(members.map(flush)));
}

/** Never rejects, and ends in time, whatever the bus does. */
async function flush({ bus, timeoutMs }: Member): Promise<Progress> {
  let progress: Progress = { delivered: 0, pending: 0 };
  const attempt = async (): Promise<void> => {
    progress = total(await bus.flush({ timeoutMs }));
  };
  await within(attempt(), timeoutMs);
  return progress;
}

function total(parts: readonly Progress[]): Progress {
  let [delivered, pending] = [0, 0];
  for (const part of parts) {
    delivered += part.delivered;
    pending += part.pending;
  }
  return { delivered, pending };
}
