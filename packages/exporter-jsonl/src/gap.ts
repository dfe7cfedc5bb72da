import { createTraceEvent, encodeTraceEvent } from '@pyagent-trace/core';

/** Counts what a file will lack, and says it in a line of that file. */
export class Gap {
  #payload:
    | { dropped: number; reasons: Record<string, number>; from: number; to: number }
    | undefined;

  /** @param reason why there was no room: the code of the error, such as `ENOSPC` */
  count(reason: string): void {
    const now = Date.now() / 1_000;
    const gap = (this.#payload ??= { dropped: 0, reasons: {}, from: now, to: now });
    gap.dropped += 1;
    gap.reasons[reason] = (gap.reasons[reason] ?? 0) + 1;
    gap.to = now;
  }

  /** A `trace_gap` event of all that was counted since the last one, as a line; or nothing. */
  take(): string {
    const payload = this.#payload;
    if (payload === undefined) return '';
    this.#payload = undefined;
    return `${encodeTraceEvent(createTraceEvent({ event_type: 'trace_gap', payload }))}\n`;
  }
}
