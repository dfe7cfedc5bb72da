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
    const { client } = this.#courier;
    const refused = new Set<Observation>();
    let problem = '';
    for (const observation of batch) {
      const refuse = (error: unknown): void => {
        refused.add(observation);
        problem = `the client: ${messageOf(error)}`;
      };
      try {
        for (const result of record(client, observation, this.#origin))
          Promise.resolve(result).catch(refuse); // an app's own client may be asynchronous
      } catch (error) {
        refuse(error);
      }
    }
    const taken = batch.filter((observation) => !refused.has(observation));
    const verdict = await this.#courier.deliver(taken, signal);
    if (verdict.kind !== 'stored' || refused.size === 0) return verdict;
    for (const observation of verdict.refused ?? []) refused.add(observation);
    return { ...verdict, refused: [...refused], error: problem };
  }
}
