// Written by pnpm check:api --write.

// @pyagent-trace/recorder exports
//   CassetteFetch
//   CassetteFetchOptions
//   CassetteStats
//   CreateReplayerOptions
//   Difference
//   LlmCallRecord
//   RecordEntry
//   RecordEntrySchema
//   RecordEntryType
//   RecordMessage
//   RecordMessageInit
//   Recorder
//   RecorderOptions
//   RecordingReader
//   Replay
//   ReplayMissDetails
//   ReplayMissError
//   ReplayMode
//   ReplaySource
//   ReplayStats
//   ReplayTiming
//   UnusedAnswer
//   UnusedResponse
//   cassetteFetch
//   createReplayer
//   readRecording

// cassette/cassette-fetch.d.ts
export interface CassetteFetch extends AsyncDisposable {
    (input: FetchInput, init?: FetchInit): Promise<Response>;
    readonly mode: ReplayMode;
    unused(): Promise<UnusedResponse[]>;
    stats(): CassetteStats;
    close(): Promise<void>;
}
export interface CassetteStats {
    readonly requests: number;
    readonly replayed: number;
    readonly missed: number;
    readonly recorded: number;
    readonly failed: number;
    readonly pending: number;
    readonly error?: string;
}
export declare function cassetteFetch(options: CassetteFetchOptions): CassetteFetch;

// cassette/cassette-file.d.ts
export interface UnusedResponse {
    readonly line: number;
    readonly subject: string;
}

// cassette/options.d.ts
export interface CassetteFetchOptions {
    readonly path: string | URL;
    readonly mode?: ReplayMode | undefined;
    readonly fetch?: typeof globalThis.fetch | undefined;
    readonly ignore?: readonly string[] | undefined;
    readonly timing?: ReplayTiming | undefined;
}

// cassette/request.d.ts
export type FetchInit = NonNullable<Parameters<typeof globalThis.fetch>[1]>;
export type FetchInput = Parameters<typeof globalThis.fetch>[0];

// create-replayer.d.ts
import { Interceptor } from '@pyagent-trace/core/tracer';
export interface CreateReplayerOptions {
    readonly mode?: ReplayMode | undefined;
    readonly ignore?: readonly string[] | undefined;
    readonly timing?: ReplayTiming | undefined;
    readonly onUnused?: ((unused: readonly UnusedAnswer[]) => void) | undefined;
}
export type Replay = Interceptor & {
    readonly unused: () => UnusedAnswer[];
    readonly stats: () => ReplayStats;
    readonly close: () => Promise<void>;
    readonly [Symbol.asyncDispose]: () => Promise<void>;
};
export declare function createReplayer(source: ReplaySource, options?: CreateReplayerOptions): Promise<Replay>;

// difference.d.ts
export interface Difference {
    readonly path: string;
    readonly expected: unknown;
    readonly actual: unknown;
}

// options.d.ts
import { EventSink } from '@pyagent-trace/core';
export interface RecorderOptions {
    readonly bus?: EventSink;
    readonly path?: string | URL;
}

// read-recording.d.ts
import { JsonlReader } from '@pyagent-trace/core/read';
import { ReadOptions } from '@pyagent-trace/core/read';
import { TraceSource } from '@pyagent-trace/core/read';
export type RecordingReader = JsonlReader<RecordEntry>;
export declare function readRecording(source: TraceSource, options?: ReadOptions): RecordingReader;

// record-entry.d.ts
import { TracePayload } from '@pyagent-trace/core';
import * as z from 'zod';
export interface RecordEntry {
    readonly timestamp: number;
    readonly event_type: RecordEntryType;
    readonly agent_name: string;
    readonly messages_in: readonly RecordMessage[];
    readonly response: string;
    readonly metadata: TracePayload;
}
export declare const RecordEntrySchema: z.ZodType<RecordEntry>;
export type RecordEntryType = 'pattern_start' | 'pattern_end' | 'llm_call' | 'tool_end' | 'routing_decision' | 'message' | (string & {});
export interface RecordMessage {
    readonly role: string;
    readonly content?: unknown;
    readonly name: string;
    readonly [key: string]: unknown;
}
export interface RecordMessageInit {
    readonly role: string;
    readonly content?: unknown;
    readonly name?: string | null | undefined;
    readonly [key: string]: unknown;
}

// recorder.d.ts
import { ExporterStats } from '@pyagent-trace/core';
import { FlushOptions } from '@pyagent-trace/core';
import { ReadOptions } from '@pyagent-trace/core/read';
import { TraceEvent } from '@pyagent-trace/core';
import { TraceExporter } from '@pyagent-trace/core';
import { TracePayload } from '@pyagent-trace/core';
import { TraceSource } from '@pyagent-trace/core/read';
export interface LlmCallRecord {
    readonly agent_name: string;
    readonly messages: readonly RecordMessageInit[];
    readonly response: string;
    readonly metadata?: TracePayload;
}
export declare class Recorder implements TraceExporter {
    #private;
    readonly name = "recorder";
    constructor(options?: RecorderOptions);
    start(patternType: string): void;
    recordLlmCall({ agent_name, messages, response, metadata }: LlmCallRecord): void;
    end(resultOutput: string): void;
    save(path: string | URL): Promise<void>;
    static load(source: TraceSource, options?: ReadOptions): Promise<RecordEntry[]>;
    get entries(): RecordEntry[];
    get llmCalls(): RecordEntry[];
    readonly exportEvent: (event: TraceEvent) => void;
    flush({ timeoutMs }?: FlushOptions): Promise<void>;
    shutdown(options?: FlushOptions): Promise<void>;
    stats(): ExporterStats;
    [Symbol.asyncDispose](): Promise<void>;
}

// replay-miss-error.d.ts
import { TraceError } from '@pyagent-trace/core';
export interface ReplayMissDetails {
    readonly source: string;
    readonly subject: string;
    readonly asked: unknown;
    readonly reason: 'unknown' | 'used';
    readonly nearest?: {
        readonly asked: unknown;
        readonly line: number;
    } | undefined;
    readonly differences: readonly Difference[];
}
export declare class ReplayMissError extends TraceError implements ReplayMissDetails {
    readonly name = "ReplayMissError";
    readonly source: string;
    readonly subject: string;
    readonly asked: unknown;
    readonly reason: ReplayMissDetails['reason'];
    readonly nearest: ReplayMissDetails['nearest'];
    readonly differences: readonly Difference[];
    constructor(details: ReplayMissDetails);
    static isInstance(value: unknown): value is ReplayMissError;
}

// replay-mode.d.ts
export type ReplayMode = 'record' | 'replay' | 'auto' | 'live';

// replay/exchange.d.ts
import { InterceptedOperation } from '@pyagent-trace/core/tracer';
export type ExchangeKind = InterceptedOperation['kind'];

// replay/given-answer.d.ts
export type ReplayTiming = 'recorded' | 'none';

// replay/load.d.ts
import { TraceEvent } from '@pyagent-trace/core';
import { TraceSource } from '@pyagent-trace/core/read';
export type ReplaySource = TraceSource | AsyncIterable<TraceEvent | RecordEntry> | Iterable<TraceEvent | RecordEntry>;

// replay/replayer.d.ts
export interface ReplayStats {
    readonly answered: number;
    readonly missed: number;
    readonly recorded: number;
    readonly lost: number;
    readonly unused: number;
    readonly tornTail: boolean;
}
export interface UnusedAnswer {
    readonly kind: ExchangeKind;
    readonly agent_name: string;
    readonly line: number;
}
