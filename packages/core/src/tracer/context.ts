import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventSink } from '../exporter.ts';

/** Where the running code is: the operation around it. Plain data, since two copies of this package share it. */
export interface Frame {
  readonly trace_id: string;
  readonly span_id: string;
  /** Empty outside agents. */
  readonly agent_name: string;
  /** Empty outside patterns. */
  readonly pattern_type: string;
  /** Set on an operation, inherited by those inside; a copy of this package may be too old to set it. */
  readonly session_id?: string | undefined;
  readonly parent: Frame | undefined;
  /** The W3C header, on a frame that stands for an operation in another process. */
  readonly traceparent?: string;
  /** Errors thrown inside, and where they were emitted; weak, since a pattern may outlive thousands. */
  reported: WeakMap<object, WeakSet<EventSink>> | undefined;
  /** The same for the newest thing thrown that is no object. */
  reportedValue: { readonly value: unknown; readonly sink: EventSink } | undefined;
}

const KEY = Symbol.for('@pyagent-trace/context.v1');
const shared = globalThis as { [KEY]?: AsyncLocalStorage<Frame | undefined> };

/** One per process, however many copies of this package are installed. */
export const context: AsyncLocalStorage<Frame | undefined> = (shared[KEY] ??=
  new AsyncLocalStorage());

/** `version-traceid-spanid-flags` of https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT =
  /^(?!ff)[\da-f]{2}-(?!0{32})(?<trace_id>[\da-f]{32})-(?!0{16})(?<span_id>[\da-f]{16})-[\da-f]{2}(?:-.*)?$/;

/** The frame of an operation in another process, or `undefined` where the header is none. */
export function remoteFrame(header: unknown): Frame | undefined {
  if (typeof header !== 'string') return undefined;
  const traceparent = header.trim();
  const { trace_id, span_id } = TRACEPARENT.exec(traceparent)?.groups ?? {};
  if (trace_id === undefined || span_id === undefined) return undefined;
  return {
    trace_id,
    span_id,
    agent_name: '',
    pattern_type: '',
    parent: undefined,
    traceparent,
    reported: undefined,
    reportedValue: undefined,
  };
}

/** The header that makes another process's spans children of this frame's, marked as sampled. */
export function traceparentOf(frame: Frame | undefined): string | undefined {
  if (frame === undefined) return undefined;
  const header = `00-${frame.trace_id}-${frame.span_id}-01`;
  return TRACEPARENT.test(header) ? header : undefined;
}

/** Remembers in a frame and all around it that an error has been emitted: it may be thrown through them. */
export function markReported(frame: Frame | undefined, error: unknown, sink: EventSink): void {
  for (let at = frame; at !== undefined; at = at.parent) {
    if (typeof error !== 'object' || error === null) at.reportedValue = { value: error, sink };
    else {
      at.reported ??= new WeakMap();
      at.reported.set(error, (at.reported.get(error) ?? new WeakSet()).add(sink));
    }
  }
}

export function wasReported(frame: Frame | undefined, error: unknown, sink: EventSink): boolean {
  if (typeof error === 'object' && error !== null)
    return frame?.reported?.get(error)?.has(sink) === true;
  const last = frame?.reportedValue;
  return last !== undefined && last.sink === sink && Object.is(last.value, error);
}
