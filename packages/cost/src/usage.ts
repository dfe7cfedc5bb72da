/** Token counts under the names of the wire. A count that is not known is absent. */
export interface Usage {
  /** Includes cached tokens. */
  readonly input_tokens?: number;
  /** Includes reasoning tokens. */
  readonly output_tokens?: number;
  /** Read from the provider's cache; part of `input_tokens`. */
  readonly cache_read_tokens?: number;
  /** Written to the provider's cache; part of `input_tokens`. */
  readonly cache_creation_tokens?: number;
  /** Part of `output_tokens`. */
  readonly reasoning_tokens?: number;
}

/** The keys of `Usage`. */
export const USAGE_KEYS = [
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_creation_tokens',
  'reasoning_tokens',
] as const satisfies readonly (keyof Usage)[];

/** Values under the names of `Usage`, as a payload holds them: of any type. */
export type UnknownUsage = { readonly [Key in keyof Usage]?: unknown };

/**
 * Why these are not the token counts of one call, with place and value, or `undefined`. What is absent or
 * `null` (Python's "not given") is no problem.
 */
export function problemOfUsage(usage: UnknownUsage): string | undefined {
  for (const key of USAGE_KEYS) {
    const count = usage[key];
    if (count !== undefined && count !== null && !isCount(count))
      return `${key}: expected a whole number of 0 or more, got ${shown(count)}`;
  }
  const { input_tokens, output_tokens, reasoning_tokens, ...cached } = usage as Usage;
  return (
    tooFew('input_tokens', input_tokens, cached.cache_read_tokens, cached.cache_creation_tokens) ??
    tooFew('output_tokens', output_tokens, reasoning_tokens)
  );
}

/** Whether a value is a number of tokens. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** What a message says of a value. A text is not shown: it may be a secret. */
export function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a value of type ${typeof value}`;
}

type Count = number | null | undefined;

function tooFew(key: string, all: Count, first: Count, second?: Count): string | undefined {
  const parts = (first ?? 0) + (second ?? 0);
  if (all === undefined || all === null || parts <= all) return undefined;
  const kind = key === 'input_tokens' ? 'cached' : 'reasoning';
  return `${key}: expected to include ${parts} ${kind} tokens, got ${all}`;
}
