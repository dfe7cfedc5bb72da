import { messageOf } from '@pyagent-trace/core';
import type { LangfuseClient } from './client.ts';
import { record } from './mapping/client.ts';
import type { Origin } from './mapping/otlp.ts';
import type { Observation } from './observation.ts';
import type { Sink, Verdict } from './sink.ts';

/** A client, and how to find out what became of what it was given. */
export interface Courier {
  readonly client: LangfuseClient;
  /** Sends what the client holds. Never rejects. */
  deliver(batch: readonly Observation[], signal: AbortSignal): Promise<Verdict>;
}

/**
 * Sends observations through the `langfuse` package, for servers before 3.22. They store what comes twice
 * with the same id once, so that here everything may be sent again.
 */
export class ClientSink implements Sink {
  /** The client writes its whole queue anew for each of them: 100 times 10 kB take 20 ms. */
  readonly maxBatch = 100;
  readonly #open: () => Promise<Courier>;
  readonly #origin: Origin;
  #courier: Courier | undefined;

  constructor(open: () => Promise<Courier>, origin: Origin) {
    this.#open = open;
    this.#origin = origin;
  }

  async send(batch: readonly Observation[], signal: AbortSignal): Promise<Verdict> {
    try {
      this.#courier ??= await this.#open();
    } catch (error) {
      return { kind: 'blocked', error: messageOf(error) };
    }
    try {
      for (const observation of batch) record(this.#courier.client, observation, this.#origin);
    } catch (error) {
      return { kind: 'refused', error: `the client threw: ${messageOf(error)}` };
    }
    return this.#courier.deliver(batch, signal);
  }
}
