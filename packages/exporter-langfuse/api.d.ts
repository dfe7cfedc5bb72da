// Written by pnpm check:api --write.

// @pyagent-trace/exporter-langfuse exports
//   LangfuseClient
//   LangfuseExporter
//   LangfuseExporterOptions
//   LangfuseExporterStats
//   Mask

// client.d.ts
export interface LangfuseClient {
    trace(body: object): unknown;
    span(body: object): unknown;
    generation(body: object): unknown;
    event(body: object): unknown;
    flushAsync(): Promise<unknown>;
    on?(event: string, listener: (payload: unknown) => void): unknown;
}

// content.d.ts
export type Mask = (value: unknown) => unknown;

// langfuse-exporter.d.ts
import { ExporterStats } from '@pyagent-trace/core';
import { FlushOptions } from '@pyagent-trace/core';
import { TraceEvent } from '@pyagent-trace/core';
import { TraceExporter } from '@pyagent-trace/core';
export declare class LangfuseExporter implements TraceExporter {
    #private;
    readonly name = "langfuse";
    constructor(options?: LangfuseExporterOptions);
    readonly exportEvent: (event: TraceEvent) => void;
    flush({ timeoutMs }?: FlushOptions): Promise<void>;
    shutdown({ timeoutMs }?: FlushOptions): Promise<void>;
    stats(): LangfuseExporterStats;
    [Symbol.asyncDispose](): Promise<void>;
}
export interface LangfuseExporterStats extends ExporterStats {
    readonly unconfirmed: number;
    readonly maskFailures: number;
}

// options.d.ts
export interface LangfuseExporterOptions {
    readonly publicKey?: string;
    readonly secretKey?: string;
    readonly baseUrl?: string;
    readonly client?: LangfuseClient;
    readonly transport?: 'auto' | 'langfuse' | 'otlp';
    readonly environment?: string;
    readonly release?: string;
    readonly version?: string;
    readonly mask?: Mask;
    readonly maxQueueBytes?: number;
    readonly flushIntervalMs?: number;
    readonly requestTimeoutMs?: number;
}
