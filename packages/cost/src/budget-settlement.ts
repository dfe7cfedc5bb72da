import type { TracePayload } from '@pyagent-trace/core';
import { isRefusal } from './mapping/refusal.ts';
import { isCost } from './cost-entry.ts';
import type { PriceSource } from './prices.ts';
import { problemOfUsage, type Usage, USAGE_KEYS } from './usage.ts';

/** What is known of a call that has ended. */
export interface EndedCall {
  readonly request: TracePayload;
  /** The payload of the end event. */
  readonly end: TracePayload;
  /** What was thrown. */
  readonly error: unknown;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** What a call cost, in US dollars, or `undefined` where nobody knows. */
export function costOf(call: EndedCall, prices: PriceSource): number | undefined {
  const { end, error } = call;
  if (isCost(end['cost_usd'])) return end['cost_usd'];
  const isStream = end['time_to_first_chunk_ms'] !== undefined;
  const isAnswered = end['response'] !== undefined && !isStream;
  if (end['status'] === 'ok' || isAnswered) return priceOf(call, prices);
  // what was told before the answer was whole may be the usage of the first piece of a stream
  const isBegun = isStream || USAGE_KEYS.some((key) => end[key] !== undefined);
  return !isBegun && isRefusal(error) ? 0 : undefined;
}

function priceOf({ end, request, timestamp }: EndedCall, prices: PriceSource): number | undefined {
  const usage = usageOf(end);
  if (usage === undefined) return undefined;
  const provider = text(request['provider']);
  // as answered is more exact than as asked for, but not always listed
  for (const model of [text(end['model']), text(request['model'])]) {
    if (model === undefined) continue;
    try {
      const usd = prices.price({ ...(provider && { provider }), model, usage, timestamp });
      if (isCost(usd)) return usd;
    } catch {
      return undefined; // a source must not throw
    }
  }
  return undefined;
}

/** Both counts have to be known: what is not known is not nothing. */
function usageOf(payload: TracePayload): Usage | undefined {
  const told = USAGE_KEYS.map((key) => [key, payload[key]] as const);
  const usage: Usage = Object.fromEntries(told.filter(([, count]) => typeof count === 'number'));
  const complete = usage.input_tokens !== undefined && usage.output_tokens !== undefined;
  return complete && problemOfUsage(usage) === undefined ? usage : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
