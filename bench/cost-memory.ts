// How much memory do records take, beside the seed's way? Needs --expose-gc. Argument: records, 1,000,000
// without.
import { CostTracker } from '@pyagent-trace/cost';
import { EntryList, entryOf } from './cost.ts';

const records = Number(process.argv[2] ?? 1_000_000);
const kinds = {
  'CostTracker, 108 names': () => ({ tracker: new CostTracker(), traced: false }),
  'CostTracker, each in a trace of its own': () => ({ tracker: new CostTracker(), traced: true }),
  "the seed's way: a list": () => ({ tracker: new EntryList(), traced: false }),
} as const;

for (const [name, make] of Object.entries(kinds)) {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const { tracker, traced } = make();
  for (let i = 0; i < records; i++) tracker.record(entryOf(i, traced));
  globalThis.gc?.();
  const megabytes = (process.memoryUsage().heapUsed - before) / 1e6;
  const { entries } = tracker.summary();
  console.log(`${name}: ${megabytes.toFixed(1)} MB after ${entries.toLocaleString('en')} records`);
}
