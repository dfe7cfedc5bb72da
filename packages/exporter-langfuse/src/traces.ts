import type { Span } from '@pyagent-trace/core/spans';
import { toSpanId, toTraceId } from './ids.ts';

/** What all observations of one trace share, and where those without a parent go. */
export interface Trace {
  /** 32 hex digits. */
  readonly id: string;
  /** Absent where the root is in another process, which names the trace. */
  readonly name?: string;
  /** Unix seconds: when its first root began. */
  readonly start_time?: number;
  /** Of its first root. */
  readonly root_id?: string;
}

/** Traces that are remembered: as many as the assembler has open spans at most. */
const MAX_TRACES = 10_000;

/** Knows the traces of the runs that were seen lately, by the trace id of the events. */
export class Traces {
  readonly #known = new Map<string, Trace>();

  /** Takes note of a span that has begun: the first root of a trace names it. */
  begin(span: Span, name: string): void {
    const { trace_id, span_id, parent_span_id, remote_parent, start_time } = span;
    if (parent_span_id !== undefined && remote_parent === undefined) return;
    // without an id the pattern's name stands for one, and each run is a trace of its own
    const isRun = trace_id === span.pattern_type || trace_id === '';
    if (!isRun && this.#known.has(trace_id)) return;
    const id = toTraceId(isRun ? `${trace_id}:${span_id}` : trace_id);
    this.#remember(trace_id, {
      id,
      ...(remote_parent === undefined && { name }),
      start_time,
      root_id: toSpanId(trace_id, span_id),
    });
  }

  get(traceId: string): Trace {
    return this.#known.get(traceId) ?? { id: toTraceId(traceId) };
  }

  /** The trace of an event that belongs to no span: by its own id, else the newest run of its pattern. */
  find(traceId: string | undefined, patternType: string): Trace | undefined {
    return traceId === undefined ? this.#known.get(patternType) : this.get(traceId);
  }

  #remember(traceId: string, trace: Trace): void {
    this.#known.delete(traceId); // the newest last
    this.#known.set(traceId, trace);
    if (this.#known.size <= MAX_TRACES) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
