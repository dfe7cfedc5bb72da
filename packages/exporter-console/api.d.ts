// Written by pnpm check:api --write.

// @pyagent-trace/exporter-console exports
//   ConsoleExporter
//   ConsoleExporterOptions
//   ConsoleOutput

// console-exporter.d.ts
import { ExporterStats } from '@pyagent-trace/core';
import { FlushOptions } from '@pyagent-trace/core';
import { TraceEvent } from '@pyagent-trace/core';
import { TraceExporter } from '@pyagent-trace/core';
export declare class ConsoleExporter implements TraceExporter {
    #private;
    readonly name = "console";
    constructor(options?: ConsoleExporterOptions);
    readonly exportEvent: (event: TraceEvent) => void;
    flush(options?: FlushOptions): Promise<void>;
    shutdown(options?: FlushOptions): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    stats(): ExporterStats;
}
export interface ConsoleExporterOptions {
    readonly output?: ConsoleOutput;
    readonly format?: 'line' | 'pretty';
    readonly color?: boolean;
    readonly columns?: number;
}

// sink.d.ts
export interface ConsoleOutput {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
}
