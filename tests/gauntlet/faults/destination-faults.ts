// What the place can do where events go.
import type { Fault } from './fault.ts';

/** Long enough for the destination to change its ways under it: some 1.5 s. */
const slowly = { atOnce: 2, pauseMs: 50 };
/** Nothing more will come of waiting. */
const hopeless = { timeoutMs: 700 };
const READER_IS_GONE = 'a reader that has gone does not come back';

export const destinationFaults: readonly Fault[] = [
  { name: 'none', expected: { others: 'all' } },
  {
    name: 'down',
    destination: [{ behaviour: 'down' }],
    app: () => hopeless,
    // the first write to a pipe whose reader goes may get there before it went
    expected: { others: 'nothing', console: 'counted' },
  },
  {
    name: 'down at first',
    destination: [{ behaviour: 'down' }, { behaviour: 'well', afterMs: 400 }],
    app: () => slowly,
    expected: { others: 'all', otel: 'counted' },
    without: { console: READER_IS_GONE },
  },
  {
    name: 'down, with more than there is room for',
    destination: [{ behaviour: 'hangs' }],
    app: () => ({
      ...hopeless,
      conversations: 120,
      atOnce: 1,
      characters: [150_000],
      littleRoom: true,
    }),
    expected: { others: 'counted' },
  },
  {
    name: 'slow',
    destination: [{ behaviour: 'slow' }],
    expected: { others: 'all' },
  },
  {
    name: 'hangs',
    destination: [{ behaviour: 'hangs' }],
    app: () => hopeless,
    // what a pipe has taken was delivered, though nobody reads it
    expected: { others: 'nothing', console: 'counted' },
  },
  {
    name: 'flaps: down, well, down, well',
    destination: [
      { behaviour: 'down' },
      { behaviour: 'well', afterMs: 250 },
      { behaviour: 'down', afterMs: 250 },
      { behaviour: 'well', afterMs: 250 },
      { behaviour: 'down', afterMs: 250 },
      { behaviour: 'well', afterMs: 250 },
    ],
    app: () => slowly,
    // a request that was under way when the server went may have been stored: OTLP never sends it twice
    expected: { others: 'all', otel: 'counted', 'langfuse-otlp': 'counted' },
    without: { console: READER_IS_GONE },
  },
  {
    name: 'flaps: hangs, well, hangs, well',
    destination: [
      { behaviour: 'hangs' },
      { behaviour: 'well', afterMs: 300 },
      { behaviour: 'hangs', afterMs: 300 },
      { behaviour: 'well', afterMs: 300 },
    ],
    app: () => slowly,
    expected: { others: 'all', otel: 'counted', 'langfuse-otlp': 'counted' },
  },
  {
    name: 'full',
    destination: [{ behaviour: 'full' }],
    app: () => hopeless,
    // a file takes its 32 KiB
    expected: { others: 'nothing', jsonl: 'counted' },
  },
  {
    name: 'full, then with room',
    destination: [{ behaviour: 'full for now' }, { behaviour: 'well', afterMs: 500 }],
    app: () => slowly,
    // the SDK does not try a 507 again
    expected: { others: 'all', otel: 'counted' },
  },
  {
    name: 'refuses for good (401; a symbolic link)',
    destination: [{ behaviour: 'refuses' }],
    app: () => hopeless,
    expected: { others: 'nothing' },
  },
  {
    name: 'answers 503, then well',
    destination: [{ behaviour: 'unavailable' }, { behaviour: 'well', afterMs: 500 }],
    app: () => slowly,
    expected: { others: 'all', otel: 'counted' },
  },
  {
    name: 'answers 429 with Retry-After, then well',
    destination: [{ behaviour: 'limits' }, { behaviour: 'well', afterMs: 500 }],
    app: () => slowly,
    expected: { others: 'all', otel: 'counted' },
  },
  {
    name: 'answers 400',
    destination: [{ behaviour: 'finds it wrong' }],
    app: () => hopeless,
    expected: { others: 'nothing' },
  },
  {
    name: 'answers 413',
    destination: [{ behaviour: 'finds it too large' }],
    app: () => hopeless,
    expected: { others: 'nothing' },
  },
  {
    name: 'answers with a page of HTML',
    destination: [{ behaviour: 'answers nonsense' }],
    app: () => hopeless,
    expected: { others: 'nothing' },
  },
  {
    name: 'stores, and hangs up instead of answering',
    destination: [{ behaviour: 'hangs up' }],
    app: () => hopeless,
    expected: { others: 'counted' },
  },
  {
    name: 'stores all but one of each request',
    destination: [{ behaviour: 'takes a part' }],
    app: () => hopeless,
    expected: { others: 'counted' },
  },
];
