// Written by pnpm check:api --write.

// @pyagent-trace/cost exports
//   AnswerUsage
//   Budget
//   BudgetExceededDetails
//   BudgetExceededError
//   BudgetOptions
//   BudgetScope
//   BudgetStats
//   CostEntry
//   CostSummary
//   CostTracker
//   CostTrackerOptions
//   ModelPrice
//   PriceSource
//   PricedCall
//   TimeBucket
//   Usage
//   createBudget
//   genaiPrices
//   priceTable
//   usageFrom

// budget-error.d.ts
import { TraceError } from '@pyagent-trace/core';
export interface BudgetExceededDetails {
    readonly reason: 'limit' | 'unknown' | 'stopped';
    readonly per: BudgetScope;
    readonly key: string;
    readonly limitUsd: number;
    readonly spentUsd: number;
    readonly reservedUsd: number;
    readonly askedUsd: number | undefined;
}
export declare class BudgetExceededError extends TraceError implements BudgetExceededDetails {
    readonly name = "BudgetExceededError";
    readonly reason: BudgetExceededDetails['reason'];
    readonly per: BudgetScope;
    readonly key: string;
    readonly limitUsd: number;
    readonly spentUsd: number;
    readonly reservedUsd: number;
    readonly askedUsd: number | undefined;
    constructor(details: BudgetExceededDetails, problem?: {
        readonly text?: string;
        readonly cause?: unknown;
    });
    static isInstance(value: unknown): value is BudgetExceededError;
}
export type BudgetScope = 'trace' | 'session' | 'agent' | 'total';

// budget-keeper.d.ts
export interface BudgetStats {
    readonly limitUsd: number;
    readonly spentUsd: number;
    readonly reservedUsd: number;
    readonly remainingUsd: number;
    readonly running: number;
}

// budget.d.ts
import { EventSink } from '@pyagent-trace/core';
import { Interceptor } from '@pyagent-trace/core/tracer';
import { TracePayload } from '@pyagent-trace/core';
export type Budget = Interceptor & {
    readonly stats: (key?: string) => BudgetStats;
};
export interface BudgetOptions {
    readonly limitUsd: number;
    readonly per: BudgetScope;
    readonly reserve?: number | ((request: TracePayload) => number | undefined);
    readonly prices?: PriceSource;
    readonly bus?: EventSink;
    readonly warnAtShares?: readonly number[];
}
export declare function createBudget(options: BudgetOptions): Budget;

// cost-entry.d.ts
export interface CostEntry extends Usage {
    readonly pattern_type?: string;
    readonly agent_name?: string;
    readonly model: string;
    readonly provider?: string;
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cost_usd: number;
    readonly timestamp?: number;
    readonly trace_id?: string;
    readonly span_id?: string;
    readonly parent_span_id?: string;
    readonly session_id?: string;
    readonly user_id?: string;
}

// cost-tracker.d.ts
import { ExporterStats } from '@pyagent-trace/core';
import { TraceEvent } from '@pyagent-trace/core';
import { TraceExporter } from '@pyagent-trace/core';
export interface CostSummary {
    readonly total_cost_usd: number;
    readonly total_tokens: number;
    readonly entries: number;
    readonly by_pattern: Readonly<Record<string, number>>;
    readonly by_agent: Readonly<Record<string, number>>;
    readonly by_model: Readonly<Record<string, number>>;
    readonly by_provider: Readonly<Record<string, number>>;
    readonly unpriced: Readonly<Record<string, number>>;
}
export declare class CostTracker implements TraceExporter {
    #private;
    readonly name = "cost";
    constructor(options?: CostTrackerOptions);
    record(entry: CostEntry): void;
    get totalCost(): number;
    get totalTokens(): number;
    get entries(): readonly CostEntry[];
    byPattern(): Record<string, number>;
    byAgent(): Record<string, number>;
    byModel(): Record<string, number>;
    byProvider(): Record<string, number>;
    bySession(): Record<string, number>;
    byUser(): Record<string, number>;
    byTrace(): Record<string, number>;
    byTime(bucketSeconds: number): TimeBucket[];
    summary(): CostSummary;
    formatSummary(): string;
    toCsv(): string;
    readonly exportEvent: (event: TraceEvent) => void;
    flush(): Promise<void>;
    shutdown(): Promise<void>;
    stats(): ExporterStats;
    [Symbol.asyncDispose](): Promise<void>;
}

// genai-prices.d.ts
export declare const genaiPrices: PriceSource;

// mapping/usage-from.d.ts
export interface AnswerUsage extends Usage {
    readonly model?: string;
}
export declare function usageFrom(answer: unknown): AnswerUsage | undefined;

// options.d.ts
import { EventSink } from '@pyagent-trace/core';
export interface CostTrackerOptions {
    readonly bus?: EventSink;
    readonly prices?: PriceSource;
    readonly keepEntries?: boolean;
}

// price-table.d.ts
export interface ModelPrice {
    readonly inputUsdPerMillion: number;
    readonly outputUsdPerMillion: number;
    readonly cacheReadUsdPerMillion?: number;
    readonly cacheCreationUsdPerMillion?: number;
    readonly reasoningUsdPerMillion?: number;
}
export declare function priceTable(table: Readonly<Record<string, ModelPrice>>, fallback?: PriceSource): PriceSource;

// prices.d.ts
export interface PriceSource {
    price(call: PricedCall): number | undefined;
}
export interface PricedCall {
    readonly provider?: string;
    readonly model: string;
    readonly usage: Usage;
    readonly timestamp?: number;
}

// time-buckets.d.ts
export interface TimeBucket {
    readonly timestamp: number;
    readonly calls: number;
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cost_usd: number;
}

// usage.d.ts
export interface Usage {
    readonly input_tokens?: number;
    readonly output_tokens?: number;
    readonly cache_read_tokens?: number;
    readonly cache_creation_tokens?: number;
    readonly reasoning_tokens?: number;
}
