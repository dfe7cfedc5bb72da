import type { TraceEvent } from '../event.ts';
import { readText, readValue } from './read-payload.ts';

/** From when on a trace is worth keeping though nothing failed. */
export interface Limits {
  readonly slowMs?: number | undefined;
  readonly minCostUsd?: number | undefined;
}

const STARTS: ReadonlySet<string> = new Set([
  'pattern_start',
  'agent_start',
  'llm_call',
  'tool_start',
]);
const ENDS: ReadonlySet<string> = new Set(['pattern_end', 'agent_end', 'llm_response', 'tool_end']);
const PRICED: ReadonlySet<string> = new Set(['llm_call', 'llm_response', 'cost_record']);

/** Whether an operation starts that has no parent in this process. Of those without ids, a pattern. */
export function startsRoot(event: TraceEvent): boolean {
  if (!STARTS.has(event.event_type)) return false;
  if (readText(event, 'span_id') === '') return event.event_type === 'pattern_start';
  return readText(event, 'parent_span_id') === '' || readText(event, 'traceparent') !== '';
}

/** The events of a trace that is not over, and what is known of it so far. */
export class OpenTrace {
  readonly lines: string[] = [];
  characters = 0;
  /** When its newest event came, by the clock of this process. */
  activeMs = 0;
  /** Every operation without a parent has ended. */
  ended = false;
  #failed = false;
  #durationMs = 0;
  #firstTime = Infinity;
  #lastTime = 0;
  readonly #roots = new Set<string>();
  readonly #running = new Set<string>();
  /** What ended before it started. */
  readonly endedEarly: Set<string> = new Set();
  /** By call: its answer and its cost record may both say what it cost. */
  readonly #costs = new Map<string, number>();
  #costUsd = 0;

  /** @param span the one that it starts, ends or is about; empty when it is not known */
  add(event: TraceEvent, span: string): void {
    const { event_type, timestamp } = event;
    this.#firstTime = Math.min(this.#firstTime, timestamp);
    this.#lastTime = Math.max(this.#lastTime, timestamp);
    this.#lasted((this.#lastTime - this.#firstTime) * 1000);
    if (event_type === 'error' || readText(event, 'status') === 'error') this.#failed = true;
    if (PRICED.has(event_type)) this.#price(event);

    const isWhole = event_type === 'llm_call' && readValue(event, 'response') !== undefined;
    const isOver = this.#pair(event_type, span) || isWhole;
    const starts = startsRoot(event);
    if (starts) this.#roots.add(span);
    if (!(starts ? isOver : this.#endsRoot(event, span))) return;
    this.#roots.delete(span);
    this.ended = this.#roots.size === 0;
    this.#lasted(readQuantity(event, 'duration_ms'));
    this.#lasted(readQuantity(event, 'duration_seconds') * 1000);
  }

  isNotable({ slowMs = Infinity, minCostUsd = Infinity }: Limits): boolean {
    return this.#failed || this.#durationMs >= slowMs || this.#costUsd >= minCostUsd;
  }

  /** Whether an operation that starts has ended already. */
  #pair(event_type: string, span: string): boolean {
    if (span === '') return false;
    if (ENDS.has(event_type) && !this.#running.delete(span)) this.endedEarly.add(span);
    if (!STARTS.has(event_type)) return false;
    if (this.endedEarly.delete(span)) return true;
    this.#running.add(span);
    return false;
  }

  #lasted(durationMs: number): void {
    if (durationMs > this.#durationMs) this.#durationMs = durationMs;
  }

  #price(event: TraceEvent): void {
    const costUsd = readQuantity(event, 'cost_usd');
    const span = readText(event, 'span_id');
    // without an id, a call tells its cost by itself
    const call = span === '' ? String(this.lines.length) : span;
    this.#costUsd += costUsd - (this.#costs.get(call) ?? 0);
    this.#costs.set(call, costUsd);
  }

  #endsRoot(event: TraceEvent, span: string): boolean {
    if (!ENDS.has(event.event_type)) return false;
    if (this.#roots.has(span)) return span !== '' || event.event_type === 'pattern_end';
    // what started before anybody listened
    const isRoot =
      span === '' ? event.event_type === 'pattern_end' : readText(event, 'parent_span_id') === '';
    return isRoot && this.#roots.size === 0;
  }
}

function readQuantity(event: TraceEvent, key: string): number {
  const value = readValue(event, key);
  return typeof value === 'number' && value >= 0 && value < Infinity ? value : 0;
}
