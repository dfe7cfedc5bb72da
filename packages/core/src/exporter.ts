import type { TraceEvent } from './event.ts';

/**
 * What an exporter did with its events, counted since it was made. At every moment
 * `accepted + dropped` is what it was given and `delivered + failed + pending` is `accepted`.
 */
export interface ExporterStats {
  /** Taken on. */
  readonly accepted: number;
  /** Refused: no room left, or the exporter is shut down. */
  readonly dropped: number;
  /** Known to have arrived. */
  readonly delivered: number;
  /** Taken on and then given up. */
  readonly failed: number;
  /** Taken on and still here. */
  readonly pending: number;
  /** Why the newest loss or delay came about; absent while nothing is lost or late. */
  readonly error?: string;
}

/**
 * The receipt of `flush` and `shutdown`, one per exporter. Counts are those of `ExporterStats`;
 * `dropped` includes what the bus lost on the way to it and what the processors of `attach` held back.
 * A count that `stats()` does not give is 0, and `error` says so; `error` also says when an exporter did
 * not end in time, before the reason that the exporter gives.
 */
export interface FlushReport extends Omit<ExporterStats, 'accepted'> {
  /** The exporter's `name`. */
  readonly exporter: string;
}

export interface FlushOptions {
  /** How long to wait, in milliseconds. What has not arrived by then is reported as `pending`. */
  readonly timeoutMs?: number;
}

/**
 * Takes events to one destination. `@pyagent-trace/core/testing` has `exporterContract()`, the rules
 * in executable form; `docs/exporter-guide.md` has them in words.
 */
export interface TraceExporter {
  /** Names the exporter in receipts. */
  readonly name: string;
  /**
   * Takes one event. Never throws, never blocks on a network, takes what it needs of the event before
   * it returns, and works detached: `bus.subscribe(exporter.exportEvent)`.
   */
  readonly exportEvent: (event: TraceEvent) => void;
  /** Delivers what was accepted before the call. Never rejects; ends within the timeout. */
  flush(options?: FlushOptions): Promise<void>;
  /** Flushes and lets go of the destination. Every call returns the same promise. Never rejects. */
  shutdown(options?: FlushOptions): Promise<void>;
  stats(): ExporterStats;
  /** The same as `shutdown()`: `await using exporter = …`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where events go: what a producer needs of a bus. */
export interface EventSink {
  emit(event: TraceEvent): void;
}

/** Where events come from: what a consumer needs of a bus. Ids are opaque strings. */
export interface EventSource {
  subscribe(callback: (event: TraceEvent) => unknown): string;
  unsubscribe(subscriptionId: string): void;
}

/** Whether a value has what the contract asks for. */
export function isTraceExporter(value: unknown): value is TraceExporter {
  return missingMembers(value).length === 0;
}

/** The members of the contract that a value lacks. */
export function missingMembers(value: unknown): string[] {
  const missing: string[] = (['exportEvent', 'flush', 'shutdown', 'stats'] as const).filter(
    (member) => typeof memberOf(value, member) !== 'function',
  );
  if (typeof memberOf(value, Symbol.asyncDispose) !== 'function')
    missing.push('[Symbol.asyncDispose]');
  if (typeof memberOf(value, 'name') !== 'string') missing.push('name');
  return missing;
}

function memberOf(value: unknown, member: keyof TraceExporter): unknown {
  try {
    return (value as Partial<TraceExporter> | null | undefined)?.[member];
  } catch {
    return undefined; // a getter that throws
  }
}
