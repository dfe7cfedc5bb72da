import {
  type ExporterStats,
  type FlushOptions,
  messageOf,
  newSpanId,
  newTraceId,
  toPlainData,
  type TraceEvent,
  type TraceExporter,
  type TracePayload,
} from '@pyagent-trace/core';
import { type Span, type SpanAnnotation, SpanAssembler } from '@pyagent-trace/core/spans';
import { ContentFilter } from './content.ts';
import { toSpanId } from './ids.ts';
import { Ledger } from './ledger.ts';
import { nameOf, type Observation, toEventObservation, toObservation } from './observation.ts';
import { type LangfuseExporterOptions, readOptions } from './options.ts';
import { createSink, secretsOf } from './create-sink.ts';
import { Sender } from './sender.ts';
import { Traces } from './traces.ts';

export interface LangfuseExporterStats extends ExporterStats {
  /** Of `failed`: events of which nobody knows whether they arrived. They are not sent again. */
  readonly unconfirmed: number;
  /** How often `mask` threw or returned a promise; `[masking failed]` was sent instead. */
  readonly maskFailures: number;
}

const FLUSH_TIMEOUT_MS = 5_000;

/**
 * Shows each run in Langfuse as a trace: agents, model calls with tokens and cost, tools, and what else
 * happened.
 *
 * Each observation is sent once, when it is complete, in the background. While the server does not take
 * them, up to `maxQueueBytes` are kept and tried again.
 *
 * @example
 * ```ts
 * const exporter = new LangfuseExporter({ publicKey: 'pk-lf-…', secretKey: 'sk-lf-…' });
 * bus.attach(exporter);
 * ```
 */
export class LangfuseExporter implements TraceExporter {
  readonly name = 'langfuse';
  readonly #assembler: SpanAssembler;
  readonly #traces = new Traces();
  readonly #filter: ContentFilter;
  readonly #ledger: Ledger;
  readonly #sender: Sender;
  #closed: Promise<void> | undefined;

  /**
   * Makes no request.
   *
   * @throws {TraceError} `invalid_option`
   */
  constructor(options: LangfuseExporterOptions = {}) {
    const config = readOptions(options, process.env);
    this.#filter = new ContentFilter(config.mask);
    this.#ledger = new Ledger(secretsOf(config));
    this.#sender = new Sender(createSink(config), this.#ledger, config);
    this.#assembler = new SpanAssembler({
      onStart: (span) => this.#traces.begin(span, nameOf(span)),
      onAnnotate: (span, annotation) => this.#annotate(span, annotation),
      onEnd: (span, events) => this.#end(span, events),
    });
  }

  /** Takes one event. Never throws, makes no request. Works detached. */
  readonly exportEvent = (event: TraceEvent): void => {
    if (this.#closed !== undefined) {
      this.#ledger.drop('an event came after shutdown');
      return;
    }
    this.#ledger.accept();
    const before = this.#assembler.stats();
    this.#assembler.add(event);
    const { late, unmatched } = this.#assembler.stats();
    if (late > before.late) this.#sendAlone(event, true);
    else if (unmatched > before.unmatched) this.#sendAlone(event, false);
  };

  /**
   * Sends what is complete. Runs, agents and calls that have not ended stay pending.
   *
   * @param options `timeoutMs` is 5,000 by default
   */
  async flush({ timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {}): Promise<void> {
    this.#assembler.flush();
    await this.#sender.flush(timeoutMs);
  }

  /** Sends everything, what has not ended as incomplete, and gives up, as `failed`, what is left then. */
  shutdown({ timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {}): Promise<void> {
    if (this.#closed === undefined) {
      this.#assembler.shutdown();
      this.#closed = this.#sender.shutdown(timeoutMs);
    }
    return this.#closed;
  }

  stats(): LangfuseExporterStats {
    return { ...this.#ledger.stats(), maskFailures: this.#filter.maskFailures };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #end(span: Span, events: number): void {
    // what was sent by itself is counted
    const own =
      events - span.annotations.filter(isSentAlone).length - (span.dropped_annotations ?? 0);
    this.#send(own, () => toObservation(span, own, this.#traces.get(span.trace_id), this.#filter));
  }

  #annotate(span: Span, annotation: SpanAnnotation): void {
    // an error belongs to its span, as long as the span keeps it
    if (!isSentAlone(annotation) && span.dropped_annotations === undefined) return;
    const { trace_id, span_id } = span;
    this.#send(1, () =>
      toEventObservation(
        {
          ...annotation,
          id: newSpanId(),
          parent_id: toSpanId(trace_id, span_id),
          trace: this.#traces.get(trace_id),
          context: span,
        },
        this.#filter,
      ),
    );
  }

  /** What belongs to no span, or came too late for it: below its span, its run, or as a run of its own. */
  #sendAlone(event: TraceEvent, isLate: boolean): void {
    this.#send(1, () => {
      const { timestamp, pattern_type } = event;
      const event_type = String(event.event_type);
      const payload = toPayload(event);
      const [trace_id, span_id] = [text(payload['trace_id']), text(payload['span_id'])];
      const [session_id, user_id] = [text(payload['session_id']), text(payload['user_id'])];
      const trace = this.#traces.find(trace_id, pattern_type) ?? {
        id: newTraceId(),
        name: event_type,
      };
      const parent_id =
        isLate && span_id !== undefined
          ? toSpanId(trace_id ?? pattern_type, span_id)
          : trace.root_id;
      const context = {
        ...(session_id !== undefined && { session_id }),
        ...(user_id !== undefined && { user_id }),
      };
      const moment = { event_type, timestamp, payload, id: newSpanId(), parent_id, trace, context };
      return toEventObservation(moment, this.#filter);
    });
  }

  #send(events: number, make: () => Observation): void {
    try {
      this.#sender.add(make());
    } catch (error) {
      this.#ledger.fail(events, messageOf(error)); // no event at all, or one that throws when it is read
    }
  }
}

function toPayload({ payload }: TraceEvent): TracePayload {
  const plain = toPlainData(payload);
  const isObject = typeof plain === 'object' && plain !== null && !Array.isArray(plain);
  return isObject ? (plain as TracePayload) : { payload: plain };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isSentAlone({ event_type }: SpanAnnotation): boolean {
  return event_type !== 'error';
}
