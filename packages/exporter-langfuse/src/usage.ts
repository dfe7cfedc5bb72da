import type { TracePayload } from '@pyagent-trace/core';

/** Token counts by bucket; no token is in two of them but `total`, which is their sum. */
export type Usage = Readonly<Record<string, number>>;

/**
 * The wire's counts as Langfuse wants them: it adds buckets up, where `input_tokens` of the wire includes
 * cached tokens and `output_tokens` includes reasoning. The bucket names are those Langfuse has prices for.
 */
export function usageOf(attributes: TracePayload): Usage | undefined {
  const count = (key: string): number | undefined => countIn(attributes[key]);
  const [cacheRead, cacheCreation] = [count('cache_read_tokens'), count('cache_creation_tokens')];
  const reasoning = count('reasoning_tokens');
  const usage = withTotal({
    input: without(count('input_tokens'), cacheRead, cacheCreation),
    output: without(count('output_tokens'), reasoning),
    input_cache_read: cacheRead,
    input_cache_creation: cacheCreation,
    output_reasoning: reasoning,
  });
  return Object.keys(usage).length > 1 ? usage : undefined;
}

/** US dollars, or `undefined` where it is no amount. */
export function costOf({ cost_usd }: TracePayload): number | undefined {
  return typeof cost_usd === 'number' && cost_usd >= 0 ? cost_usd : undefined;
}

function without(
  whole: number | undefined,
  ...parts: readonly (number | undefined)[]
): number | undefined {
  const known = parts.filter((part) => part !== undefined);
  if (whole === undefined && known.length === 0) return undefined;
  return Math.max(
    0,
    known.reduce((left, part) => left - part, whole ?? 0),
  );
}

function withTotal(buckets: Readonly<Record<string, number | undefined>>): Usage {
  const usage: Record<string, number> = {};
  let total = 0;
  for (const [name, tokens] of Object.entries(buckets)) {
    if (tokens === undefined) continue;
    usage[name] = tokens;
    total += tokens;
  }
  usage['total'] = total;
  return usage;
}

/** Langfuse drops what is no whole number of 0 or more. */
function countIn(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
