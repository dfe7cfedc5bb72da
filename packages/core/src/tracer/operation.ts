import { monotonicMs, nowSeconds } from '../clock.ts';
import { createTraceEvent, type KnownEventType, type TracePayload } from '../event.ts';
import type { EventSink } from '../exporter.ts';
import { define, toPlainData } from '../plain.ts';
import { withoutContent } from './content.ts';
import { type Frame, markReported, wasReported } from './context.ts';
import { describeError, isAbort } from './describe-error.ts';
import type { OperationKind } from './kinds.ts';
import type { Outcome } from './outcome.ts';
import type { EndListener } from './types.ts';

/** How a tracer records, the same for all its operations. */
export interface Recording {
  readonly sink: EventSink;
  readonly captureContent: boolean;
  readonly captureResults: boolean;
}

interface Chunk {
  /** Milliseconds since the operation began. */
  readonly at_ms: number;
  readonly chunk: unknown;
}

type Status = 'ok' | 'error' | 'cancelled';

/** An event holds 200,000 values; of more chunks than this the rest would be cut from it anyway. */
const MAX_CHUNKS = 50_000;

/** One thing the app does: its start event, what is learned meanwhile, and its end event, once. */
export class Operation implements Outcome {
  readonly frame: Frame | undefined;
  /** Its reason tells an abort from a failure. */
  signal: AbortSignal | undefined;
  readonly #kind: OperationKind;
  readonly #recording: Recording;
  readonly #startedMs = monotonicMs();
  #end: Record<string, unknown> = {};
  #chunks: Chunk[] | undefined;
  #firstChunkMs: number | undefined;
  #ended = false;
  #error: unknown;
  #listeners: EndListener[] | undefined;
  /** Chunks that were not kept. */
  #moreChunks = 0;

  constructor(
    kind: OperationKind,
    frame: Frame | undefined,
    recording: Recording,
    signal?: AbortSignal,
  ) {
    this.#kind = kind;
    this.frame = frame;
    this.#recording = recording;
    this.signal = signal;
  }

  start(payload: TracePayload): void {
    const { start } = this.#kind;
    const traceparent = this.frame?.parent?.traceparent;
    if (start !== undefined)
      this.#emit(
        start,
        traceparent === undefined ? payload : { ...payload, traceparent },
        this.#startedMs,
      );
  }

  /** Adds keys to the end event. Works detached. */
  readonly set = (payload: object): void => {
    if (this.#ended) return;
    const given = readable(payload);
    // as it is now: the app goes on with its lists
    for (const key of Object.keys(given)) define(this.#end, key, snapshot(given[key]));
  };

  /** Works detached. */
  readonly onEnd = (listener: EndListener): void => {
    if (this.#ended) void this.#tell(listener);
    else (this.#listeners ??= []).push(listener);
  };

  get ended(): boolean {
    return this.#ended;
  }

  succeed(value: unknown): void {
    this.#finish('ok', value);
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    const { sink } = this.#recording;
    if (!wasReported(this.frame, error, sink)) {
      markReported(this.frame, error, sink);
      this.#emit('error', { ...describeError(error), source: this.#kind.name });
    }
    this.#error = error;
    this.#finish(isAbort(error, this.signal) ? 'cancelled' : 'error', undefined);
  }

  cancel(): void {
    this.#finish('cancelled', undefined);
  }

  complete(): void {
    this.#chunks ??= [];
    this.#finish('ok', undefined);
  }

  chunk(value: unknown): void {
    if (this.#ended) return;
    const at_ms = this.#elapsed(monotonicMs());
    this.#firstChunkMs ??= at_ms;
    if (!this.#recording.captureContent) return;
    const chunks = (this.#chunks ??= []);
    if (chunks.length < MAX_CHUNKS) chunks.push({ at_ms, chunk: snapshot(value) });
    else this.#moreChunks += 1;
  }

  #finish(status: Status, value: unknown): void {
    if (this.#ended) return;
    const { end: event_type, name } = this.#kind;
    // one reading for both: the timestamps of start and end differ by the duration
    const nowMs = monotonicMs();
    const end = this.#end;
    this.#keepOutput(end, status, value);
    if (name === 'llm_call' && this.#firstChunkMs !== undefined)
      end['time_to_first_chunk_ms'] = this.#firstChunkMs;
    this.#ended = true;
    if (name !== 'routing_decision') {
      end['duration_ms'] = this.#elapsed(nowMs);
      end['status'] = status;
      this.#emit(event_type, end, nowMs);
    } else if (status === 'ok') this.#emit(event_type, end, nowMs);
    this.#chunks = undefined;
    for (const listener of this.#listeners ?? []) void this.#tell(listener);
    this.#listeners = undefined;
  }

  async #tell(listener: EndListener): Promise<void> {
    try {
      await listener(this.#end, this.#error);
    } catch (error) {
      this.#emit('error', { ...describeError(error), source: 'interceptor' });
    }
  }

  #keepOutput(end: Record<string, unknown>, status: Status, value: unknown): void {
    const { output, replayable } = this.#kind;
    const streamed = this.#chunks;
    const text = streamed === undefined ? value : textOf(streamed);
    const given = end[output] ?? end['result_output'];
    const showable = output !== 'response' || typeof text === 'string';
    if (output !== 'result' && given === undefined && text !== undefined && showable)
      end[output] = text;
    if (!replayable) return;
    if (!this.#recording.captureResults) {
      end['result_captured'] = false; // else it would read as "the same as the response"
      return;
    }
    if (streamed !== undefined)
      end['result'] = {
        stream: streamed,
        ...(this.#moreChunks > 0 && { truncated: this.#moreChunks }),
      };
    else if (status !== 'ok') return;
    else if (value === undefined) {
      // absent means "the same as the response": nothing returned has to be said where there is one
      if (end['response'] !== undefined) end['result'] = null;
    } else if (value !== end['response']) end['result'] = value;
  }

  #elapsed(atMs: number): number {
    return Math.round((atMs - this.#startedMs) * 1000) / 1000;
  }

  #emit(event_type: KnownEventType, payload: TracePayload, atMs?: number): void {
    emitInside(this.#recording, this.frame, event_type, payload, atMs);
  }
}

/** Emits an event about the operation of a frame. Never throws, whatever the sink does. */
export function emitInside(
  { sink, captureContent }: Recording,
  frame: Frame | undefined,
  event_type: KnownEventType,
  payload: TracePayload,
  atMs?: number,
): void {
  const all = frame === undefined ? readable(payload) : withIds(frame, payload);
  try {
    sink.emit(
      createTraceEvent({
        timestamp: nowSeconds(atMs),
        event_type,
        agent_name: frame?.agent_name ?? '',
        pattern_type: frame?.pattern_type ?? '',
        payload: captureContent ? all : withoutContent(all),
      }),
    );
  } catch {
    // a bus never throws; another sink must not reach the app either
  }
}

/** A copy of the payload with the frame's ids, which stand first and win. */
function withIds(frame: Frame, payload: TracePayload): TracePayload {
  const { trace_id, span_id, parent } = frame;
  try {
    const all: Record<string, unknown> =
      parent === undefined
        ? { trace_id, span_id, ...payload }
        : { trace_id, span_id, parent_span_id: parent.span_id, ...payload };
    all['trace_id'] = trace_id;
    all['span_id'] = span_id;
    if (parent !== undefined) all['parent_span_id'] = parent.span_id;
    return all;
  } catch {
    return withIds(frame, readable(payload)); // a getter threw
  }
}

/** What the app gave, in a form whose keys can be read without a surprise. */
export function readable<Payload extends object>(
  payload: Payload,
): Payload & Record<string, unknown> {
  try {
    return { ...payload } as Payload & Record<string, unknown>;
  } catch {
    const plain = toPlainData(payload); // a getter threw, or the object is a revoked proxy
    return (typeof plain === 'object' ? { ...plain } : { payload: plain }) as never;
  }
}

function snapshot(value: unknown): unknown {
  return typeof value === 'object' ? toPlainData(value) : value;
}

/** The text of a stream of strings; of another stream its chunks. */
function textOf(chunks: readonly Chunk[]): unknown {
  const values = chunks.map(({ chunk }) => chunk);
  return values.every((value) => typeof value === 'string') ? values.join('') : values;
}
