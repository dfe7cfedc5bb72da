import type { TraceExporter } from '../exporter.ts';

/** An exporter under test and its destination, made afresh for each case. */
export interface ExporterSubject {
  readonly exporter: TraceExporter;
  /**
   * The `span_id`s that are at the destination now, in order of arrival. An id may come more than once:
   * an exporter of lines has one per event, an exporter of spans one per span.
   */
  arrivedSpanIds(): readonly string[] | Promise<readonly string[]>;
  /** From now on the destination refuses, as in a passing failure: HTTP 503, a full disk. */
  refuse?(): void | Promise<void>;
  /** Ends what `refuse` began. */
  recover?(): void | Promise<void>;
  /** From now on the destination never answers: a socket that is silent, a disk that takes nothing. */
  hang?(): void | Promise<void>;
  /** Lets go of the destination; called after the exporter was shut down. */
  dispose?(): void | Promise<void>;
}
