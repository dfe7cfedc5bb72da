import * as z from 'zod';
import { ignoreRejection, isThenable } from '../bus/promises.ts';
import { monotonicMs } from '../clock.ts';
import { encodeTraceEvent } from '../encode.ts';
import { messageOf, TraceError } from '../errors.ts';
import type { TraceEvent } from '../event.ts';
import {
  type ExporterStats,
  type FlushOptions,
  missingMembers,
  type TraceExporter,
} from '../exporter.ts';
import { parseOptions } from '../schema/options.ts';
import { OpenPatterns } from './open-patterns.ts';
import { type Limits, OpenTrace, startsRoot } from './open-trace.ts';
import { readText } from './read-payload.ts';

export interface KeepErrorsOptions {
  /**
   * Traces that are held until they are over. One more, and the one that was silent longest is handed on.
   *
   * @default 1_000
   */
  readonly maxOpenTraces?: number;
  /** A trace that takes as long is handed on, in milliseconds. Without it, no trace is for its duration. */
  readonly slowMs?: number;
  /** A trace whose calls cost as much is handed on, in US dollars. Without it, none is for its cost. */
  readonly minCostUsd?: number;
}

const OptionsSchema = z.strictObject({
  maxOpenTraces: z.int().min(1).default(1_000),
  slowMs: z.number().min(0).optional(),
  minCostUsd: z.number().min(0).optional(),
});

/** Of all events that are held, as written: about 100,000 of 330 bytes. */
const MAX_HELD_CHARACTERS = 32 * 1024 * 1024;
/** As in SpanAssembler: what was silent for longer will not end any more. */
const MAX_IDLE_MS = 30 * 60 * 1000;
/** Traces of which it is known what became of them, for events that come late. */
const MAX_DECIDED = 10_000;
/** A longer one is no id; ten thousand are remembered. */
const MAX_ID_CHARACTERS = 256;

/**
 * Hands on whole traces that failed, were slow or cost much, and holds back the others: every event waits
 * until its trace shows one of these or ends. An `error` event or a status `error` anywhere in a trace is a
 * failure.
 *
 * A trace that cannot wait for its end is handed on, since it may be the one that fails: on `flush` and
 * `shutdown`, when too many are open, or more than 32 Mi characters of events, or after 30 silent minutes.
 * What is held back counts as `dropped`. Events with neither trace nor pattern belong to the newest open
 * pattern; where there is none, they pass at once.
 *
 * @param exporter takes what is kept; nothing else may give it events, or the counts are not those of it
 * @throws {TraceError} `invalid_exporter`, `invalid_option`
 *
 * @example
 * ```ts
 * bus.attach(keepErrors(service, { slowMs: 30_000, minCostUsd: 1 }));
 * ```
 */
export function keepErrors(
  exporter: TraceExporter,
  options: KeepErrorsOptions = {},
): TraceExporter {
  const missing = missingMembers(exporter);
  if (missing.length > 0)
    throw new TraceError(
      'invalid_exporter',
      `keepErrors: the exporter has no ${missing.join(', ')}`,
    );
  const { maxOpenTraces, ...limits } = parseOptions(OptionsSchema, options, 'keepErrors');
  return new ErrorKeeper(exporter, maxOpenTraces, limits);
}

interface Decision {
  readonly kept: boolean;
  /** Operations that start later, and have ended. */
  readonly endedEarly: ReadonlySet<string>;
}

class ErrorKeeper implements TraceExporter {
  readonly name: string;
  readonly #exporter: TraceExporter;
  readonly #maxOpenTraces: number;
  readonly #limits: Limits;
  /** The one that was silent longest comes first. */
  readonly #open = new Map<string, OpenTrace>();
  readonly #patterns = new OpenPatterns();
  /** What became of a trace, the oldest decision first. */
  readonly #decided = new Map<string, Decision>();
  #held = 0;
  #heldCharacters = 0;
  #dropped = 0;
  #failed = 0;
  #error: string | undefined;
  #shutdown: Promise<void> | undefined;

  constructor(exporter: TraceExporter, maxOpenTraces: number, limits: Limits) {
    this.name = exporter.name;
    this.#exporter = exporter;
    this.#maxOpenTraces = maxOpenTraces;
    this.#limits = limits;
  }

  readonly exportEvent = (event: TraceEvent): void => {
    if (this.#shutdown !== undefined) {
      this.#dropped += 1;
      this.#error = 'an event came after shutdown';
      return;
    }
    this.#releaseIdle();
    const id = this.#patterns.traceOf(event);
    if (id === '' || id.length > MAX_ID_CHARACTERS) {
      this.#pass(event);
      return;
    }
    const { event_type } = event;
    if (event_type === 'pattern_start') this.#patterns.start(id, event);
    const ends = event_type === 'pattern_end';
    this.#take(id, event, ends ? this.#patterns.end(id, event) : readText(event, 'span_id'));
  };

  async flush(options?: FlushOptions): Promise<void> {
    this.#releaseAll();
    await this.#exporter.flush(options);
  }

  shutdown(options?: FlushOptions): Promise<void> {
    if (this.#shutdown === undefined) {
      this.#releaseAll();
      this.#shutdown = this.#exporter.shutdown(options);
    }
    return this.#shutdown;
  }

  stats(): ExporterStats {
    const { accepted, dropped, delivered, failed, pending, error } = this.#exporter.stats();
    const newest = this.#error ?? error;
    return {
      accepted: accepted + this.#failed + this.#held,
      dropped: dropped + this.#dropped,
      delivered,
      failed: failed + this.#failed,
      pending: pending + this.#held,
      ...(newest !== undefined && { error: newest }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #take(id: string, event: TraceEvent, span: string): void {
    const decision = this.#decided.get(id);
    if (decision !== undefined && !this.#isJudgedAnew(event, decision)) {
      if (decision.kept) this.#pass(event);
      else this.#dropped += 1;
      return;
    }
    const trace = this.#open.get(id) ?? new OpenTrace();
    this.#decided.delete(id);
    this.#open.delete(id);
    this.#open.set(id, trace);
    // the app goes on changing its objects
    const line = encodeTraceEvent(event);
    trace.lines.push(line);
    trace.characters += line.length;
    trace.activeMs = monotonicMs();
    trace.add(event, span);
    this.#held += 1;
    this.#heldCharacters += line.length;

    const isNotable = trace.isNotable(this.#limits);
    if (isNotable || trace.ended) this.#decide(id, trace, isNotable);
    while (this.#open.size > this.#maxOpenTraces || this.#heldCharacters > MAX_HELD_CHARACTERS)
      this.#releaseOldest();
  }

  /** Another operation of a trace that was held back, or without ids the next run of a pattern. */
  #isJudgedAnew(event: TraceEvent, { kept, endedEarly }: Decision): boolean {
    if (!startsRoot(event) || endedEarly.has(readText(event, 'span_id'))) return false;
    return !kept || readText(event, 'trace_id') === '';
  }

  #decide(id: string, trace: OpenTrace, kept: boolean): void {
    this.#open.delete(id);
    this.#held -= trace.lines.length;
    this.#heldCharacters -= trace.characters;
    if (trace.ended) this.#patterns.forget(id);
    this.#decided.set(id, { kept, endedEarly: trace.endedEarly });
    if (this.#decided.size > MAX_DECIDED) this.#decided.delete(firstOf(this.#decided.keys()));
    if (!kept) this.#dropped += trace.lines.length;
    else for (const line of trace.lines) this.#pass(JSON.parse(line) as TraceEvent);
  }

  #releaseAll(): void {
    while (this.#open.size > 0) this.#releaseOldest();
  }

  #releaseIdle(): void {
    const silentSince = monotonicMs() - MAX_IDLE_MS;
    for (const { activeMs } of this.#open.values()) {
      if (activeMs > silentSince) return;
      this.#releaseOldest();
    }
  }

  #releaseOldest(): void {
    const [id, trace] = firstOf(this.#open);
    this.#decide(id, trace, true);
  }

  #pass(event: TraceEvent): void {
    try {
      const answer: unknown = this.#exporter.exportEvent(event);
      if (isThenable(answer)) void ignoreRejection(answer);
    } catch (error) {
      this.#failed += 1;
      this.#error = messageOf(error);
    }
  }
}

/** Of what is not empty. */
function firstOf<Item>(items: Iterable<Item>): Item {
  const [first] = items;
  return first as Item;
}
