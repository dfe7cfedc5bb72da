// Written by pnpm check:api --write.

// @pyagent-trace/recorder exports
//   CassetteFetch
//   CassetteFetchOptions
//   CassetteStats
//   CreateReplayerOptions
//   DiffOptions
//   Difference
//   DifferenceKind
//   DurationPair
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
//   RunTotals
//   TraceDiff
//   TraceDifference
//   UnusedAnswer
//   UnusedResponse
//   cassetteFetch
//   createReplayer
//   diffTraces
//   formatDiff
//   readRecording

// @pyagent-trace/recorder/jest exports
//   ReplayedTrace
//   TraceMatchers

// @pyagent-trace/recorder/vitest exports
//   ReplayedTrace
//   TraceMatchers

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

// diff-traces.d.ts
export interface DiffOptions {
    readonly ignore?: readonly string[] | undefined;
}
export declare function diffTraces(expected: ReplaySource, actual: ReplaySource, options?: DiffOptions): Promise<TraceDiff>;

// diff/types.d.ts
export type DifferenceKind = 'missing' | 'extra' | 'order' | 'prompt' | 'arguments' | 'model' | 'parameters' | 'answer' | 'result' | 'tokens' | 'cost' | 'status' | 'error' | 'event';
export interface DurationPair {
    readonly place: string;
    readonly expected_ms: number;
    readonly actual_ms: number;
}
export interface RunTotals {
    readonly llm_calls: number;
    readonly tool_calls: number;
    readonly failed: number;
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cost_usd: number;
    readonly duration_ms: number;
}
export interface TraceDiff {
    readonly equal: boolean;
    readonly first?: TraceDifference;
    readonly differences: readonly TraceDifference[];
    readonly more: number;
    readonly durations: readonly DurationPair[];
    readonly totals: {
        readonly expected: RunTotals;
        readonly actual: RunTotals;
    };
    readonly warnings: readonly string[];
}
export interface TraceDifference extends Difference {
    readonly what: DifferenceKind;
    readonly place: string;
}

// difference.d.ts
export interface Difference {
    readonly path: string;
    readonly expected: unknown;
    readonly actual: unknown;
}

// format-diff.d.ts
export declare function formatDiff(diff: TraceDiff): string;

// matchers/to-replay.d.ts
import { TraceEventBus } from '@pyagent-trace/core';
import { Tracer } from '@pyagent-trace/core/tracer';
export interface ReplayedTrace {
    readonly bus: TraceEventBus;
    readonly tracer: Tracer;
}

// matchers/types.d.ts
export interface TraceMatchers {
    toReplay(file: string | URL, options?: DiffOptions): Promise<void>;
    toMatchTrace(file: string | URL, options?: DiffOptions): Promise<void>;
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
    readonly replayed: number;
    readonly missed: number;
    readonly recorded: number;
    readonly failed: number;
    readonly unused: number;
    readonly tornTail: boolean;
}
export interface UnusedAnswer {
    readonly kind: ExchangeKind;
    readonly agent_name: string;
    readonly line: number;
}
