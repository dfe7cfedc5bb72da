// What the long-running program is told, and what it says: both go between two processes as JSON.
import type { BusStats, ExporterStats } from '@pyagent-trace/core';
import type { SubjectName } from '../scenario.ts';

export interface SoakPlan {
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly sampleEveryMs: number;
  readonly file: string;
  readonly otelUrl: string;
  readonly langfuseUrl: string;
  readonly langfusePackageUrl: string;
}

/** After a garbage collection. */
export interface Sample {
  readonly atSeconds: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export interface ExporterAccount {
  readonly given: number;
  readonly looks: number;
  readonly broken: readonly string[];
  readonly stats: ExporterStats;
}

export interface SoakReport {
  readonly seconds: number;
  readonly conversations: number;
  /** By exporter, after shutdown. */
  readonly exporters: Readonly<Record<SubjectName | 'cost', ExporterAccount>>;
  readonly bus: BusStats;
  readonly redacted: number;
  readonly cost: { readonly entries: number; readonly usd: number };
  readonly samples: readonly Sample[];
  readonly blockedMs: number;
  /** Seconds of processor time. */
  readonly cpuSeconds: number;
  /** Lines that OpenTelemetry's SDK gave its logger. */
  readonly told: number;
}

/** A key of a shape that `redact()` knows, made up, and in parts so that no scanner takes it for a real one. */
export const SECRET: string = ['sk', 'proj', 'gauntlet0'.repeat(6)].join('-');
/** Each conversation has six events, and the cost that the tracker adds. */
export const EVENTS_PER_CONVERSATION = 7;
export const CALL_USD = 0.000_05;
