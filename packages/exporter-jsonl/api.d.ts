// Written by pnpm check:api --write.

// @pyagent-trace/exporter-jsonl exports
//   JsonlExporter
//   JsonlExporterOptions

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
    stats(): ExporterStats;
    [Symbol.asyncDispose](): Promise<void>;
}
export interface JsonlExporterOptions {
    readonly durability?: 'line' | 'tick';
}
