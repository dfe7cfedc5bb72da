import {
  createTraceEvent,
  type EventSink,
  messageOf,
  TraceError,
  type TraceEvent,
} from '@pyagent-trace/core';
import { BoundedMap } from './bounded-map.ts';
import { type Call, Calls } from './calls.ts';
import { type CostEntry, isCost, problemOfCost } from './cost-entry.ts';
import { CostTotals } from './cost-totals.ts';
import type { PriceSource } from './prices.ts';
import { type Identity, readIdentity, readUsage } from './reading.ts';
import { type Usage, USAGE_KEYS } from './usage.ts';

/** Own records that are on their way back over the bus, which queues 1,000 at most. */
const MAX_OWN = 10_000;

/** Of a name, in a message. */
const MAX_SHOWN = 100;

/** In the order in which they are written. */
const RECORD_KEYS = [
  'trace_id',
  'span_id',
  'parent_span_id',
  'session_id',
  'user_id',
  'provider',
  'model',
  ...USAGE_KEYS,
  'cost_usd',
] as const satisfies readonly (keyof CostEntry)[];

/** Turns events into sums: each call once, with the cost that is known first. */
export class Bookkeeper {
  readonly totals = new CostTotals();
  /** With `keepEntries`. */
  readonly entries: CostEntry[] = [];
  readonly #sink: EventSink | undefined;
  readonly #prices: PriceSource;
  readonly #keepEntries: boolean;
  readonly #calls = new Calls();
  #unpriced: string | undefined;
  readonly #own = new BoundedMap<string, number>(MAX_OWN);

  constructor(sink: EventSink | undefined, prices: PriceSource, keepEntries: boolean) {
    this.#sink = sink;
    this.#prices = prices;
    this.#keepEntries = keepEntries;
  }

  /** Why the newest of the calls that are unpriced is so. */
  get problem(): string | undefined {
    return this.totals.unpriced.size > 0 ? this.#unpriced : undefined;
  }

  /** Counts a cost that was checked, unless its call has one. */
  record(entry: CostEntry): void {
    const event = recordOf(entry);
    if (this.#record(readIdentity(event), readUsage(event), entry.cost_usd)) this.#emit(event);
  }

  /** @throws {TraceError} `invalid_event` */
  take(event: TraceEvent): void {
    const { event_type, payload } = event;
    switch (event_type) {
      case 'pattern_start':
      case 'agent_start':
        this.#calls.startParent(readIdentity(event));
        return;
      case 'llm_call':
        if (payload['response'] === undefined) this.#calls.open(readIdentity(event));
        else this.#answer(event, false);
        return;
      case 'llm_response':
        this.#answer(event, true);
        return;
      case 'cost_record':
        this.#takeRecord(event);
        return;
      default: // estimates of agents and patterns repeat their calls
    }
  }

  #takeRecord(event: TraceEvent): void {
    const identity = readIdentity(event);
    const usage = readUsage(event);
    const cost = requireCost(event);
    if (this.#isOwn(event)) return;
    // the sum of an agent or a pattern, which its calls are in; one call has a model
    if (identity.model === '' && this.#calls.isParent(identity)) return;
    this.#record(identity, usage, cost);
  }

  /** Whether the cost is a new one. */
  #record(identity: Identity, usage: Usage, cost_usd: number): boolean {
    const call = this.#calls.recorded(identity, usage);
    if (call.cost === 'summed') return false;
    if (call.cost === 'unpriced') this.totals.addUnpriced(modelOf(call), -1);
    this.#sum(identity, call, usage, cost_usd);
    return true;
  }

  #answer(event: TraceEvent, opened: boolean): void {
    const identity = readIdentity(event);
    const usage = readUsage(event);
    const { cost_usd, status, time_to_first_chunk_ms } = event.payload;
    const known = cost_usd === undefined || cost_usd === null ? undefined : requireCost(event);
    const call = this.#calls.answer(identity, usage, opened);
    if (call === undefined) return;
    if (known !== undefined) {
      this.#sum(identity, call, usage, known);
      return;
    }
    const isCounted = usage.input_tokens !== undefined || usage.output_tokens !== undefined;
    const isFailed = status === 'error' || status === 'cancelled';
    // what failed before the model answered costs nothing
    if (!isCounted && isFailed && time_to_first_chunk_ms === undefined) return;
    const cost = isCounted ? this.#priceOf(call, usage, identity.timestamp) : 'no token counts';
    if (typeof cost === 'number') {
      this.#emit(recordOf(this.#sum(identity, call, usage, cost)));
      return;
    }
    const model = modelOf(call);
    call.cost = 'unpriced';
    this.totals.addUnpriced(model, 1);
    this.#unpriced = `${cost}: model ${JSON.stringify(model.slice(0, MAX_SHOWN))}`;
  }

  /** As the model that answered is priced, else as the one that was asked; or why there is no price. */
  #priceOf({ provider, answered, asked }: Call, usage: Usage, timestamp: number): number | string {
    for (const model of new Set([answered, asked])) {
      if (model === '') continue;
      const call = { ...given('provider', provider), model, usage, timestamp };
      try {
        const cost: unknown = this.#prices.price(call);
        if (isCost(cost)) return cost;
      } catch (error) {
        return messageOf(error); // a source must not throw
      }
    }
    return 'no price';
  }

  #sum(identity: Identity, call: Call, usage: Usage, cost_usd: number): CostEntry {
    call.cost = 'summed';
    const { agent_name, pattern_type, timestamp, trace_id, span_id, parent_span_id } = identity;
    const entry: CostEntry = {
      pattern_type,
      agent_name,
      model: identity.model || modelOf(call),
      ...usage,
      input_tokens: usage.input_tokens ?? 0,
      output_tokens: usage.output_tokens ?? 0,
      cost_usd,
      timestamp,
      ...given('provider', identity.provider || call.provider),
      ...given('trace_id', trace_id),
      ...given('span_id', span_id),
      ...given('parent_span_id', parent_span_id),
      ...given('session_id', call.session_id),
      ...given('user_id', call.user_id),
    };
    this.totals.add(entry, timestamp);
    if (this.#keepEntries) this.entries.push(entry);
    return entry;
  }

  #emit(event: TraceEvent): void {
    if (this.#sink === undefined) return;
    const mark = markOf(event.timestamp, event.payload);
    this.#own.set(mark, (this.#own.get(mark) ?? 0) + 1);
    try {
      this.#sink.emit(event);
    } catch {
      // a bus never throws; another sink must not reach the app either
    }
  }

  /** Whether a record is one of ours. By its numbers, since a processor hands on a copy. */
  #isOwn({ timestamp, payload }: TraceEvent): boolean {
    const mark = markOf(timestamp, payload);
    const count = this.#own.get(mark) ?? 0;
    if (count > 1) this.#own.set(mark, count - 1);
    else this.#own.delete(mark);
    return count > 0;
  }
}

/** An entry as an event. */
function recordOf(entry: CostEntry): TraceEvent {
  const { timestamp, pattern_type = '', agent_name = '', ...rest } = entry;
  const payload: Record<string, unknown> = {};
  for (const key of RECORD_KEYS) if (rest[key] !== undefined) payload[key] = rest[key];
  return createTraceEvent({
    ...(timestamp !== undefined && { timestamp }),
    event_type: 'cost_record',
    agent_name,
    pattern_type,
    payload,
  });
}

function markOf(timestamp: number, payload: TraceEvent['payload']): string {
  return `${timestamp} ${String(payload['cost_usd'])} ${String(payload['input_tokens'])} ${String(payload['output_tokens'])}`;
}

function requireCost({ event_type, payload }: TraceEvent): number {
  const cost = payload['cost_usd'];
  if (isCost(cost)) return cost;
  throw new TraceError('invalid_event', `${event_type}: ${problemOfCost(cost)}`);
}

/** As answered, else as asked for. */
function modelOf({ answered, asked }: Call): string {
  return answered || asked;
}

function given<Key extends string>(key: Key, value: string): { readonly [Name in Key]?: string } {
  return (value === '' ? {} : { [key]: value }) as { readonly [Name in Key]?: string };
}
