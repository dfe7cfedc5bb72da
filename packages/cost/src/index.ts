export {
  type BudgetExceededDetails,
  BudgetExceededError,
  type BudgetScope,
} from './budget-error.ts';
export type { BudgetStats } from './budget-keeper.ts';
export { type Budget, type BudgetOptions, createBudget } from './budget.ts';
export type { CostEntry } from './cost-entry.ts';
export { type CostSummary, CostTracker } from './cost-tracker.ts';
export { genaiPrices } from './genai-prices.ts';
export { type AnswerUsage, usageFrom } from './mapping/usage-from.ts';
export type { CostTrackerOptions } from './options.ts';
export { type ModelPrice, priceTable } from './price-table.ts';
export type { PricedCall, PriceSource } from './prices.ts';
export type { TimeBucket } from './time-buckets.ts';
export type { Usage } from './usage.ts';
