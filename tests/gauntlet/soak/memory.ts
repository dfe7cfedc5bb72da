import type { Sample } from './plan.ts';

const MB = 1024 * 1024;
/** Nine million events in half an hour: a byte that each leaves behind is 9 MB. */
const MAX_HEAP_GROWTH = 8 * MB;
/** What the allocator and the collector do with pages is noisier. */
const MAX_RSS_GROWTH = 64 * MB;
/** Until code is compiled, caches are full and queues have found their length. */
const WARM_UP_SHARE = 0.1;
/** A shorter run is all warm-up. */
const MIN_JUDGED_SECONDS = 60;

export interface Trend {
  /** Of the line of least squares through the samples after the warm-up, in bytes for the hour. */
  readonly bytesPerHour: number;
  /** What the line rises by over these samples. */
  readonly growthBytes: number;
  readonly firstBytes: number;
  readonly lastBytes: number;
}

export interface Memory {
  readonly heap: Trend;
  readonly rss: Trend;
  readonly samples: number;
  /** Whether the run was long enough to say. */
  readonly isJudged: boolean;
  readonly problems: readonly string[];
}

export function memoryOf(all: readonly Sample[], seconds: number): Memory {
  const samples = all.filter(({ atSeconds }) => atSeconds >= seconds * WARM_UP_SHARE);
  const heap = trendOf(samples, 'heapBytes');
  const rss = trendOf(samples, 'rssBytes');
  const problems: string[] = [];
  const isJudged = seconds >= MIN_JUDGED_SECONDS;
  if (isJudged)
    for (const [name, { growthBytes }, most] of [
      ['the heap', heap, MAX_HEAP_GROWTH],
      ['resident memory', rss, MAX_RSS_GROWTH],
    ] as const)
      if (growthBytes > most) problems.push(`${name} grew by ${inMb(growthBytes)}`);
  return { heap, rss, samples: samples.length, isJudged, problems };
}

export function inMb(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}

/** In words, for people. */
export const MEMORY_RULE = `a line of least squares through the samples after the first tenth rises by no more than ${inMb(MAX_HEAP_GROWTH)} (heap after a collection) and ${inMb(MAX_RSS_GROWTH)} (resident); from ${MIN_JUDGED_SECONDS} s on`;

function trendOf(samples: readonly Sample[], key: 'heapBytes' | 'rssBytes'): Trend {
  const [first, last] = [samples[0], samples.at(-1)];
  const meanSeconds = mean(samples.map(({ atSeconds }) => atSeconds));
  const meanBytes = mean(samples.map((sample) => sample[key]));
  let [above, below] = [0, 0];
  for (const sample of samples) {
    const offset = sample.atSeconds - meanSeconds;
    above += offset * (sample[key] - meanBytes);
    below += offset * offset;
  }
  const bytesPerSecond = below === 0 ? 0 : above / below;
  return {
    bytesPerHour: bytesPerSecond * 3_600,
    growthBytes: bytesPerSecond * ((last?.atSeconds ?? 0) - (first?.atSeconds ?? 0)),
    firstBytes: first?.[key] ?? 0,
    lastBytes: last?.[key] ?? 0,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
