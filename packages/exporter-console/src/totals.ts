import type { Span } from '@pyagent-trace/core/spans';
import { formatCount, formatDuration, formatUsd, numberIn } from './figures.ts';
import type { Figures } from './row.ts';

/** Sums over model calls, never over agents or patterns: what their ends say repeats the calls. */
export class Totals {
  /** Calls that say their tokens. */
  #counted = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  /** Calls that have a cost. */
  #priced = 0;
  #costUsd = 0;
  /** Calls that used tokens and have none: the sum of costs is too low. */
  #unpriced = 0;

  addCall({ attributes }: Span): void {
    const input = numberIn(attributes['input_tokens']);
    const output = numberIn(attributes['output_tokens']);
    const cost = numberIn(attributes['cost_usd']);
    const counted = input !== undefined || output !== undefined;
    if (counted) this.#counted += 1;
    if (cost !== undefined) this.#priced += 1;
    else if (counted) this.#unpriced += 1;
    this.#inputTokens += input ?? 0;
    this.#outputTokens += output ?? 0;
    this.#costUsd += cost ?? 0;
  }

  /** The right-hand columns. Where no call says it, the estimate of the span's own end event. */
  figuresOf({ attributes, start_time, end_time = start_time }: Span): Figures {
    const tokens = numberIn(attributes['token_estimate']);
    const cost = numberIn(attributes['cost_estimate']);
    return {
      tokens:
        this.#counted > 0
          ? `${formatCount(this.#inputTokens)}→${formatCount(this.#outputTokens)} tok`
          : tokens === undefined
            ? ''
            : `~${formatCount(tokens)} tok`,
      cost:
        this.#priced > 0
          ? (this.#unpriced > 0 ? '≥' : '') + formatUsd(this.#costUsd)
          : cost === undefined
            ? ''
            : `~${formatUsd(cost)}`,
      duration: formatDuration(end_time - start_time),
    };
  }
}
