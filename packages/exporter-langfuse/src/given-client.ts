import { messageOf } from '@pyagent-trace/core';
import type { LangfuseClient } from './client.ts';
import type { Courier } from './client-sink.ts';
import { withDeadline } from './deadline.ts';
import type { Observation } from './observation.ts';
import { oneLine } from './request.ts';
import type { Verdict } from './sink.ts';

/** The client tries four times, for 29 s at most; what it has not sent by then it dropped itself. */
const PATIENCE_MS = 30_000;

const NOT_SENT = 'it did not send everything in time';

/** A client that the app made. What fails comes as events, mixed with what the app itself sends. */
export class GivenClient implements Courier {
  readonly client: LangfuseClient;
  readonly #outstanding = new Set<string>();
  #problem: string | undefined;
  #settled: () => void = () => {};

  constructor(client: LangfuseClient) {
    this.client = client;
    // an Error is a batch that it dropped; a text, a remark. What throws in here would make its flush hang
    client.on?.('warning', (payload) => {
      if (payload instanceof Error) this.#problem = oneLine(messageOf(payload));
    });
    client.on?.('flush', (items) => this.#settle(items));
  }

  async deliver(batch: readonly Observation[], signal: AbortSignal): Promise<Verdict> {
    this.#problem = undefined;
    this.#outstanding.clear();
    if (this.client.on !== undefined) for (const { id } of batch) this.#outstanding.add(id);
    const outcome = await withDeadline(signal, PATIENCE_MS, (end) => this.#drain(end));
    const problem = this.#problem ?? outcome;
    if (problem === undefined) return { kind: 'stored' };
    const error = `the client: ${problem}`;
    if (problem.includes('Event type not accepted')) return { kind: 'blocked', error };
    if (signal.aborted) return { kind: 'unknown', error };
    if (problem !== NOT_SENT) return { kind: 'unavailable', error };
    const refused = batch.filter(({ id }) => this.#outstanding.has(id));
    return { kind: 'stored', refused, error };
  }

  /** One flush sends some, not all: as many as `flushAt`, and what the client sends by itself beside it. */
  async #drain(signal: AbortSignal): Promise<string | undefined> {
    const aborted = new Promise<string>((resolve) => {
      const end = (): void => resolve(NOT_SENT);
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    });
    try {
      do {
        const settled = new Promise<undefined>(
          (resolve) => (this.#settled = () => resolve(undefined)),
        );
        const flushed = Promise.resolve(this.client.flushAsync()).then(() => undefined);
        const late = await Promise.race([flushed, aborted]);
        if (late !== undefined) return late;
        if (this.#outstanding.size === 0) return undefined;
        const stillLate = await Promise.race([settled, aborted]);
        if (stillLate !== undefined) return stillLate;
      } while (this.#outstanding.size > 0);
      return undefined;
    } catch (error) {
      return oneLine(messageOf(error));
    }
  }

  #settle(items: unknown): void {
    if (!Array.isArray(items)) return;
    for (const item of items) this.#outstanding.delete(String(item?.body?.id));
    this.#settled();
  }
}
