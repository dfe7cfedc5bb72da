// What events can be like, and what else can be on the bus.
import type { Fault } from './fault.ts';

/** One less than what a batch of lines, a pipe and a request hold, as much, and one more. */
const EDGES = [65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577];
const MB = 1024 * 1024;
/** The package `langfuse` sends some hundred observations a second on a busy machine. */
const patiently = { timeoutMs: 40_000 };

export const eventFaults: readonly Fault[] = [
  {
    name: 'events without content (0 B)',
    app: () => ({ characters: [0] }),
    expected: { others: 'all' },
  },
  {
    name: 'events of 64 KiB and 1 MiB, and a byte more or less',
    app: () => ({ conversations: EDGES.length, atOnce: 1, pauseMs: 20, characters: EDGES }),
    expected: { others: 'all' },
  },
  {
    name: 'an event of 50 MB',
    app: () => ({ conversations: 3, atOnce: 1, pauseMs: 300, characters: [10, 50 * MB, 10] }),
    expected: { others: 'all', console: 'counted' },
    mayBlockMs: 5_000,
  },
  {
    name: 'hostile payloads',
    app: () => ({ hostilePayloads: true, ...patiently }),
    hasOddEvents: true,
    expected: { others: 'counted', console: 'all', jsonl: 'all' },
    mayBlockMs: 5_000,
  },
  {
    name: 'a burst: all at once',
    app: ({ burst }) => ({
      ...patiently,
      conversations: burst,
      atOnce: burst,
      characters: [100],
    }),
    expected: { others: 'all' },
    mayBlockMs: 5_000,
  },
  {
    name: '10,000 subscribers, one in a hundred of which fails',
    app: () => ({ subscribers: 10_000, conversations: 20 }),
    expected: { others: 'all' },
    mayBlockMs: 5_000,
  },
];
