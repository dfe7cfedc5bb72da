import type { Usage } from './usage.ts';

/** A model call that has been answered, as far as its price goes. */
export interface PricedCall {
  /** Such as `openai` or `aws.bedrock`. The same model has another price elsewhere. */
  readonly provider?: string;
  readonly model: string;
  readonly usage: Usage;
  /** Unix seconds: prices change. Now, unless given. */
  readonly timestamp?: number;
}

/** Where prices come from. */
export interface PriceSource {
  /** US dollars; `undefined` when there is no price, or when the counts cannot be right. Never throws. */
  price(call: PricedCall): number | undefined;
}
