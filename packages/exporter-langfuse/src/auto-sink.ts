import { askHealth, takesOtlp } from './health.ts';
import type { Observation } from './observation.ts';
import type { Sink, Verdict } from './sink.ts';

export interface AutoSinkOptions {
  readonly baseUrl: string;
  readonly otlp: Sink;
  readonly langfuse: Sink;
}

/**
 * Asks the server once which of two ways it understands. Until it answers everything waits: a server that
 * is down takes nothing either way, and an old one would refuse what OTLP brings for good.
 */
export class AutoSink implements Sink {
  readonly #options: AutoSinkOptions;
  #chosen: Sink | undefined;

  constructor(options: AutoSinkOptions) {
    this.#options = options;
  }

  get maxBatch(): number {
    const { otlp, langfuse } = this.#options;
    return this.#chosen?.maxBatch ?? Math.min(otlp.maxBatch, langfuse.maxBatch);
  }

  async send(batch: readonly Observation[], signal: AbortSignal): Promise<Verdict> {
    if (this.#chosen === undefined) {
      const { baseUrl, otlp, langfuse } = this.#options;
      const health = await askHealth(baseUrl, signal);
      if (!health.reachable) return { kind: 'unavailable', error: health.error };
      this.#chosen = takesOtlp(health.version) ? otlp : langfuse;
    }
    return this.#chosen.send(batch, signal);
  }
}
