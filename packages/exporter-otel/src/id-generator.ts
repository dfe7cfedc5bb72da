import { newSpanId, newTraceId } from '@pyagent-trace/core';

/** W3C ids: 32 and 16 lower-case hex digits. What is absent is random. */
export interface SpanIds {
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
}

/**
 * Gives OpenTelemetry spans the ids of the events they are made of. One instance goes to the app's SDK and
 * to `OTelExporter`; spans of others get random ids, as ever.
 *
 * @example
 * ```ts
 * const idGenerator = new PyAgentIdGenerator();
 * const sdk = new NodeSDK({ idGenerator });
 * const exporter = new OTelExporter({ idGenerator });
 * ```
 */
export class PyAgentIdGenerator {
  #traceId: string | undefined;
  #spanId: string | undefined;

  generateTraceId(): string {
    const id = this.#traceId ?? newTraceId();
    this.#traceId = undefined;
    return id;
  }

  generateSpanId(): string {
    const id = this.#spanId ?? newSpanId();
    this.#spanId = undefined;
    return id;
  }

  /** Runs a synchronous function; the first span started in it gets these ids. Returns what it returns. */
  withIds<T>({ traceId, spanId }: SpanIds, fn: () => T): T {
    this.#traceId = traceId;
    this.#spanId = spanId;
    try {
      return fn();
    } finally {
      // a child needs no trace id: the next root must not get this one
      this.#traceId = undefined;
      this.#spanId = undefined;
    }
  }
}
