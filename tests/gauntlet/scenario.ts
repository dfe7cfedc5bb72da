// What the traced program of a cell is told, and what it says: both go between two processes as JSON.
import type { ExporterStats } from '@pyagent-trace/core';

export const SUBJECTS = ['console', 'jsonl', 'otel', 'langfuse-otlp', 'langfuse-package'] as const;
/** An exporter, with the way in which it reaches its destination. */
export type SubjectName = (typeof SUBJECTS)[number];

/** How the program ends once its work is done. */
export type End =
  | 'shutdown'
  | '100 shutdowns'
  | 'nothing more'
  | 'process.exit'
  | 'uncaught exception'
  | 'unhandled rejection'
  | 'SIGTERM'
  /** Never: it works, flushes and acknowledges until it is killed. */
  | 'killed'
  | 'out of memory';

export interface Scenario {
  /** `none`: the same program without an exporter, to compare with. */
  readonly subject: SubjectName | 'none';
  /** A path or URL; nothing where it is stdout. */
  readonly address: string;
  /** Conversations, of six events and three spans each. */
  readonly conversations: number;
  /** How many of them run at once. */
  readonly atOnce: number;
  /** Between two such groups. */
  readonly pauseMs: number;
  /** Of each prompt and answer, in turn. */
  readonly characters: readonly number[];
  readonly end: End;
  /** What `shutdown` gets. */
  readonly timeoutMs: number;
  readonly flushOnExit: boolean;
  /** The wall clock jumps by so much when half of the work is done. */
  readonly clockJumpMs: number;
  /** Beside the exporter on the bus; every hundredth throws or rejects. */
  readonly subscribers: number;
  readonly hostilePayloads: boolean;
  /** How much longer each write to a file takes. */
  readonly slowDiskMs: number;
  /** The exporter has little room for what waits. */
  readonly littleRoom: boolean;
}

/** At the end, of a program that reaches it. */
export interface AppReport {
  /** What the exporter was given, counted in front of it. */
  readonly given: number;
  /** Of these, after `shutdown` had been called. */
  readonly late: number;
  readonly stats: (ExporterStats & { readonly unconfirmed?: number }) | undefined;
  /** How often the counts were looked at, and what was wrong with them at which moment. */
  readonly looks: number;
  readonly broken: readonly string[];
  /** The longest time for which the event loop did not come round. */
  readonly blockedMs: number;
  /** Of the program's own work. */
  readonly result: number;
  /** Lines that the vendor's SDK gave its logger. */
  readonly told: number;
}

/** One line on file descriptor 3. */
export type Message =
  | { readonly kind: 'started' }
  /** So many events have been emitted, and a flush has said that all of them arrived. */
  | { readonly kind: 'acknowledged'; readonly events: number }
  /** All work is done; the end comes now. */
  | { readonly kind: 'worked'; readonly given: number }
  | { readonly kind: 'report'; readonly report: AppReport };

/** The answer of the model in a conversation: what the program's own work comes to can be told from outside. */
export function answerOf(conversation: number): number {
  return (conversation * conversation) % 97;
}

export const EVENTS_PER_CONVERSATION = 6;
export const SPANS_PER_CONVERSATION = 3;
