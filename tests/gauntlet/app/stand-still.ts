import { readFileSync } from 'node:fs';

const INTERVAL_MS = 10;
/** Of Linux: nanoseconds for which the main thread ran, and for which it could have and another one ran. */
const SCHEDULE = '/proc/self/schedstat';

/** Measures for how long the event loop does not come round because of what the program itself does. */
export class StandStill {
  longestMs = 0;
  #roundMs = performance.now();
  #waitedMs = waitedMs();

  constructor() {
    setInterval(() => this.#look(), INTERVAL_MS).unref();
  }

  #look(): void {
    const [nowMs, waited] = [performance.now(), waitedMs()];
    const others = waited - this.#waitedMs; // the machine was busy with other programs
    const standStillMs = nowMs - this.#roundMs - INTERVAL_MS - others;
    this.longestMs = Math.max(this.longestMs, Math.round(standStillMs));
    this.#roundMs = nowMs;
    this.#waitedMs = waited;
  }
}

function waitedMs(): number {
  try {
    return Number(readFileSync(SCHEDULE, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0; // another system: the machine's part counts as well
  }
}
