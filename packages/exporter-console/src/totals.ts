import type { Span } from '@pyagent-trace/core';
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

  /** The right-hand columns; a span without calls shows the estimates of its own end event. */
  figuresOf(span: Span): Figures {
    const duration = formatDuration((span.end_time ?? span.start_time) - span.start_time);
    if (this.#counted + this.#priced === 0) {
      const tokens = numberIn(span.attributes['token_estimate']);
      const cost = numberIn(span.attributes['cost_estimate']);
      return {
        tokens: tokens === undefined ? '' : `~${formatCount(tokens)} tok`,
        cost: cost === undefined ? '' : `~${formatUsd(cost)}`,
        duration,
      };
    }
    const [input, output] = [formatCount(this.#inputTokens), formatCount(this.#outputTokens)];
    const least = this.#unpriced > 0 ? '≥' : '';
    return {
      tokens: this.#counted > 0 ? `${input}→${output} tok` : '',
      cost: this.#priced > 0 ? `${least}${formatUsd(this.#costUsd)}` : '',
      duration,
    };
  }
}
