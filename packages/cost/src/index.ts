export { genaiPrices } from './genai-prices.ts';
export { type ModelPrice, priceTable } from './price-table.ts';
export type { PricedCall, PriceSource } from './prices.ts';
export type { Usage } from './usage.ts';
