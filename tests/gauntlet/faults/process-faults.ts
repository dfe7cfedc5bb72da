// What can happen to the process, and to its clock.
import type { Fault } from './fault.ts';

const HOUR_MS = 3_600_000;
/** What waits in the process goes with it; a file has had it already. */
const onlyFilesKeepAll = { others: 'counted', jsonl: 'all' } as const;

export const processFaults: readonly Fault[] = [
  {
    name: 'SIGKILL at a random moment',
    app: () => ({ end: 'killed' }),
    killWithinMs: 300,
    expected: { others: 'acknowledged' },
  },
  {
    name: 'out of memory',
    app: () => ({ end: 'out of memory', conversations: 5 }),
    nodeOptions: ['--max-old-space-size=64'],
    expected: { others: 'acknowledged' },
    mayBlockMs: Infinity,
  },
  {
    name: 'SIGTERM, with flushOnExit',
    app: () => ({ end: 'SIGTERM', flushOnExit: true }),
    expected: { others: 'all, unsaid' },
  },
  {
    name: 'nothing left to do, with flushOnExit',
    app: () => ({ end: 'nothing more', flushOnExit: true }),
    expected: { others: 'all' },
  },
  {
    name: 'nothing left to do',
    app: () => ({ end: 'nothing more' }),
    expected: onlyFilesKeepAll,
  },
  {
    name: 'nothing left to do, and the destination is down',
    destination: [{ behaviour: 'down' }],
    app: () => ({ end: 'nothing more' }),
    expected: { others: 'counted' },
  },
  {
    name: 'process.exit() in the middle',
    app: () => ({ end: 'process.exit' }),
    expected: onlyFilesKeepAll,
  },
  {
    name: 'uncaught exception',
    app: () => ({ end: 'uncaught exception' }),
    expected: onlyFilesKeepAll,
  },
  {
    name: 'unhandled rejection',
    app: () => ({ end: 'unhandled rejection' }),
    expected: onlyFilesKeepAll,
  },
  {
    name: '100 shutdowns at once, and events after them',
    app: () => ({ end: '100 shutdowns' }),
    expected: { others: 'all' },
  },
  {
    name: 'the clock jumps back by an hour',
    app: () => ({ clockJumpMs: -HOUR_MS }),
    expected: { others: 'all' },
  },
  {
    name: 'the clock jumps ahead by a day',
    app: () => ({ clockJumpMs: 24 * HOUR_MS }),
    expected: { others: 'all' },
  },
];
