// One cell of the table: one exporter, one fault, one process of its own, and what became of it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Arrived, Destination } from './destinations/destination.ts';
import type { Fault, Scale } from './faults/fault.ts';
import type { AppReport, Message, Scenario } from './scenario.ts';
import type { Subject } from './subjects.ts';

const PROGRAM = fileURLToPath(new URL('app/main.fixture.ts', import.meta.url));
/** One that is still there then is taken for one that does not end. */
const END_TIMEOUT_MS = 60_000;
/** Given to a program that has done all to end by itself, before the reader that hangs goes. */
const RELEASE_MS = 1_500;

const DEFAULTS: Omit<Scenario, 'subject' | 'address' | 'conversations' | 'slowDiskMs'> = {
  atOnce: 5,
  pauseMs: 0,
  characters: [1_000],
  end: 'shutdown',
  timeoutMs: 10_000,
  flushOnExit: false,
  clockJumpMs: 0,
  subscribers: 0,
  hostilePayloads: false,
  littleRoom: false,
};

/** What was seen of a process from outside, and what it said. */
export interface Observation {
  readonly scenario: Scenario;
  readonly code: number | null;
  readonly signal: string | null;
  /** Whether it had to be killed because it did not end. */
  readonly hung: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: AppReport | undefined;
  /** The last acknowledgement; and what was emitted by the end of the work. */
  readonly acknowledged: number | undefined;
  readonly given: number | undefined;
  readonly arrived: Arrived;
}

/** Runs the program once, with an exporter or without. */
export async function observe(
  subject: Subject | undefined,
  fault: Fault,
  scale: Scale,
  cache: string,
): Promise<Observation> {
  await using destination = await subject?.destination();
  const [first, ...later] = fault.destination ?? [];
  if (first !== undefined) await destination?.behave(first.behaviour);
  const scenario: Scenario = {
    ...DEFAULTS,
    conversations: scale.conversations,
    ...fault.app?.(scale),
    subject: subject?.name ?? 'none',
    address: destination?.address ?? '',
    slowDiskMs: destination?.slowDiskMs ?? 0,
  };
  const seen = await run(scenario, { fault, later, destination, cache });
  const arrived = (await destination?.arrived()) ?? { events: 0, twice: 0 };
  return { ...seen, scenario, arrived };
}

interface Surroundings {
  readonly fault: Fault;
  readonly later: NonNullable<Fault['destination']>;
  readonly destination: Destination | undefined;
  /** Where Node keeps compiled code: programs start in half the time. */
  readonly cache: string;
}

async function run(
  scenario: Scenario,
  { fault, later, destination, cache }: Surroundings,
): Promise<Omit<Observation, 'scenario' | 'arrived'>> {
  const node = [process.execPath, '--conditions=@pyagent-trace/source'];
  const [command, ...args] = [
    ...(destination?.prefix ?? []),
    ...node,
    ...(fault.nodeOptions ?? []),
    PROGRAM,
    JSON.stringify(scenario),
  ];
  const child = spawn(command, args, {
    env: { ...process.env, NODE_COMPILE_CACHE: cache, VITEST: undefined, NODE_OPTIONS: '' },
    stdio: ['ignore', destination?.stdout ?? 'pipe', 'pipe', 'pipe'],
  });
  let hung = false;
  const giveUp = globalThis.setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, END_TIMEOUT_MS);
  let [stdout, stderr] = ['', ''];
  let report: AppReport | undefined;
  let acknowledged: number | undefined;
  let given: number | undefined;
  const over = new AbortController();

  if (destination?.connect !== undefined) destination.connect(child);
  else child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const hear = (message: Message): void => {
    if (message.kind === 'started') void follow(later, destination, over.signal);
    if (message.kind === 'worked') {
      ({ given } = message);
      if (destination?.release !== undefined) void release(destination, scenario, over.signal);
    }
    if (message.kind === 'acknowledged') {
      if (acknowledged === undefined && fault.killWithinMs !== undefined)
        globalThis.setTimeout(() => child.kill('SIGKILL'), Math.random() * fault.killWithinMs);
      acknowledged = message.events;
    }
    if (message.kind === 'report') ({ report } = message);
  };
  const messages = createInterface({ input: child.stdio[3] as Readable });
  messages.on('line', (line) => hear(JSON.parse(line) as Message));

  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => resolve(end));
  });
  over.abort();
  clearTimeout(giveUp);
  return { code, signal, hung, stdout, stderr, report, acknowledged, given };
}

/** Has the destination change its ways, one step after the other. */
async function follow(
  steps: NonNullable<Fault['destination']>,
  destination: Destination | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const { behaviour, afterMs } of steps) {
      await setTimeout(afterMs, undefined, { signal });
      await destination?.behave(behaviour);
    }
  } catch {
    // the program has ended
  }
}

async function release(
  destination: Destination,
  { timeoutMs }: Scenario,
  signal: AbortSignal,
): Promise<void> {
  await setTimeout(timeoutMs + RELEASE_MS, undefined, { signal }).catch(() => {});
  destination.release?.();
}
