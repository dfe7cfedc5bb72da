// The traced program of a cell. The argument says what it does, file descriptor 3 takes what it has to say.
import fs, { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { TraceEventBus } from '@pyagent-trace/core';
import { flushOnExit } from '@pyagent-trace/core/process';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import type { Message, Scenario } from '../scenario.ts';
import { open } from './exporters.ts';
import { Watched } from './watched.ts';
import { converse, emitHostilePayloads, work } from './work.ts';

const REPORT_FD = 3;
const LOOP_INTERVAL_MS = 10;
/** After the shutdown, to see that they are counted. */
const LATE_CONVERSATIONS = 5;
const WAIT_MS = 60_000;

const scenario = JSON.parse(process.argv[2] ?? '') as Scenario;
const writeNow = writeSync;
const say = (message: Message): void => void writeNow(REPORT_FD, `${JSON.stringify(message)}\n`);
if (scenario.slowDiskMs > 0) slowDisk(scenario.slowDiskMs);

const opened = await open(scenario);
const bus = new TraceEventBus({ onError: () => {} });
const watched = opened && new Watched(opened.exporter);
if (watched !== undefined) bus.attach(watched);
const tracer = createTracer(bus, { interceptors: [...(opened?.interceptors ?? [])] });
const calls = subscribe(scenario.subscribers);
if (scenario.flushOnExit) flushOnExit(bus, { timeoutMs: scenario.timeoutMs });
let result = 0;

let blockedMs = 0;
let roundMs = performance.now();
const loop = setInterval(() => {
  const nowMs = performance.now();
  blockedMs = Math.max(blockedMs, nowMs - roundMs - LOOP_INTERVAL_MS);
  roundMs = nowMs;
}, LOOP_INTERVAL_MS).unref();

say({ kind: 'started' });
if (scenario.end === 'killed' || scenario.end === 'out of memory') await workUntilKilled(tracer);
if (scenario.hostilePayloads) await emitHostilePayloads(bus);
result = await work(tracer, scenario);
if (scenario.subscribers > 0 && calls() !== bus.stats().accepted * scenario.subscribers)
  watched?.broken.push(`subscribers heard ${calls()} times`);
process.on('exit', report); // after those of the exporters
say({ kind: 'worked', given: watched?.given ?? 0 });
await end();

async function end(): Promise<void> {
  const { timeoutMs } = scenario;
  switch (scenario.end) {
    case 'shutdown':
      await bus.shutdown({ timeoutMs });
      await opened?.end?.();
      break;
    case '100 shutdowns':
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          (index % 2 === 0 ? (watched ?? bus) : bus).shutdown({ timeoutMs }),
        ),
      );
      for (let late = 0; late < LATE_CONVERSATIONS; late++) await converse(tracer, late, 10);
      await opened?.end?.();
      break;
    case 'process.exit':
      return process.exit(3);
    case 'uncaught exception':
      throw new Error('the app fails');
    case 'unhandled rejection':
      void Promise.reject(new Error('the app fails'));
      break;
    case 'SIGTERM':
      setTimeout(() => {}, WAIT_MS); // a service, which has more to do
      process.kill(process.pid, 'SIGTERM');
      break;
    case 'killed':
    case 'out of memory':
    case 'nothing more':
  }
}

function report(): void {
  clearInterval(loop);
  watched?.look('at exit');
  say({
    kind: 'report',
    report: {
      given: watched?.given ?? 0,
      late: watched?.late ?? 0,
      stats: watched?.stats(),
      looks: watched?.looks ?? 0,
      broken: watched?.broken ?? [],
      blockedMs: Math.round(blockedMs),
      result,
      told: opened?.told?.() ?? 0,
    },
  });
}

/** Acknowledges what a flush has said to have arrived. Ends by a signal. */
async function workUntilKilled(traced: Tracer): Promise<never> {
  for (let round = 0; ; round++) {
    await work(traced, { ...scenario, conversations: 1 + (round % 7) });
    const given = watched?.given ?? 0;
    await bus.flush();
    const stats = watched?.stats();
    if (stats === undefined || (stats.delivered === given && stats.error === undefined))
      say({ kind: 'acknowledged', events: given });
    if (scenario.end === 'out of memory' && round === scenario.conversations)
      for (const hog: unknown[] = []; ;) hog.push(Array.from({ length: 10_000 }, () => ({})));
  }
}

/** Returns how often they were called. */
function subscribe(count: number): () => number {
  let heard = 0;
  for (let index = 0; index < count; index++)
    bus.subscribe(() => {
      heard += 1;
      if (index % 200 === 0) throw new Error('a subscriber throws');
      return index % 200 === 100 ? Promise.reject(new Error('a subscriber rejects')) : undefined;
    });
  return () => heard;
}

/** Every write to a file takes so much longer, and stops the thread as a slow disk does. */
function slowDisk(ms: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  fs.writeSync = ((...args: Parameters<typeof writeNow>) => {
    Atomics.wait(cell, 0, 0, ms);
    return writeNow(...args);
  }) as typeof writeNow;
  syncBuiltinESMExports();
}
