// Which handles and timers keep the event loop running: Node leaves out what is unref'd.
import { monotonicMs } from '../clock.ts';

/** Longer than the timers of a test runner last: vitest reports every 100 ms. */
const IDLE_MS = 300;
const PAUSE_MS = 10;
/** Longer than any request to a destination in the same process. */
const PATIENCE_MS = 500;

type Counts = ReadonlyMap<string, number>;

/** Absent where the runtime has no `process.getActiveResourcesInfo()`. */
export const activeResources: (() => string[]) | undefined =
  globalThis.process?.getActiveResourcesInfo?.bind(globalThis.process);

/** What was active in each of several looks: a test runner's own timers come and go. */
export async function leastActive(): Promise<Counts> {
  let least = count();
  const deadlineMs = monotonicMs() + IDLE_MS;
  while (monotonicMs() < deadlineMs) {
    await pause();
    const now = count();
    least = new Map(
      Array.from(least, ([name, active]) => [name, Math.min(active, now.get(name) ?? 0)]),
    );
  }
  return least;
}

/** The resource that stays above its count in `idle`, or `undefined` once none does. */
export async function exceeds(idle: Counts): Promise<string | undefined> {
  const deadlineMs = monotonicMs() + PATIENCE_MS;
  for (;;) {
    const extra = Array.from(count()).find(([name, active]) => active > (idle.get(name) ?? 0));
    if (extra === undefined || monotonicMs() > deadlineMs) return extra?.[0];
    await pause();
  }
}

function count(): Counts {
  const counts = new Map<string, number>();
  for (const name of activeResources?.() ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
