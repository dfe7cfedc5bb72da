// Written by pnpm check:api --write.

// @pyagent-trace/exporter-jsonl exports
//   JsonlExporter
//   JsonlExporterOptions
//   JsonlExporterStats
//   RotateOptions
//   RotationStats

// jsonl-exporter.d.ts
import { ExporterStats } from '@pyagent-trace/core';
import { FlushOptions } from '@pyagent-trace/core';
import { TraceEvent } from '@pyagent-trace/core';
import { TraceExporter } from '@pyagent-trace/core';
export declare class JsonlExporter implements TraceExporter {
    #private;
    readonly name = "jsonl";
    constructor(path: string | URL, options?: JsonlExporterOptions);
    readonly exportEvent: (event: TraceEvent) => void;
    flush({ timeoutMs }?: FlushOptions): Promise<void>;
    shutdown(options?: FlushOptions): Promise<void>;
    stats(): JsonlExporterStats;
    [Symbol.asyncDispose](): Promise<void>;
}
export interface JsonlExporterStats extends ExporterStats {
    readonly rotation?: RotationStats;
}

// options.d.ts
export interface JsonlExporterOptions {
    readonly durability?: 'fsync' | 'line' | 'tick';
    readonly rotate?: RotateOptions;
}
export interface RotateOptions {
    readonly maxBytes?: number;
    readonly everyMs?: number;
    readonly maxFiles?: number;
    readonly compress?: 'gzip' | 'zstd';
}

// rotation.d.ts
export interface RotationStats {
    readonly closed: number;
    readonly removed: number;
    readonly failed: number;
    readonly error?: string;
}
