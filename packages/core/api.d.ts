// Written by pnpm check:api --write.

// @pyagent-trace/core exports
//   AttachOptions
//   BusStats
//   DropReason
//   EVENT_TYPES
//   ErrorHandler
//   EventSchema
//   EventSink
//   EventSource
//   EventType
//   ExporterStats
//   FlushOptions
//   FlushReport
//   KnownEventType
//   Processor
//   Subscriber
//   TraceError
//   TraceErrorCode
//   TraceEvent
//   TraceEventBus
//   TraceEventBusOptions
//   TraceEventInit
//   TraceExporter
//   TracePayload
//   createTraceEvent
//   encodeTraceEvent
//   escapeControls
//   isTraceExporter
//   messageOf
//   newSpanId
//   newTraceId
//   toDelayMs
//   toPlainData

// @pyagent-trace/core/schema exports
//   AgentEndPayload
//   AgentEndPayloadSchema
//   AgentStartPayload
//   AgentStartPayloadSchema
//   CommonPayload
//   CompressionPayload
//   CompressionPayloadSchema
//   CostRecordPayload
//   CostRecordPayloadSchema
//   ErrorPayload
//   ErrorPayloadSchema
//   LlmCallPayload
//   LlmCallPayloadSchema
//   LlmResponsePayload
//   LlmResponsePayloadSchema
//   PAYLOAD_SCHEMAS
//   PatternEndPayload
//   PatternEndPayloadSchema
//   PatternStartPayload
//   PatternStartPayloadSchema
//   RoutingDecisionPayload
//   RoutingDecisionPayloadSchema
//   ToolEndPayload
//   ToolEndPayloadSchema
//   ToolStartPayload
//   ToolStartPayloadSchema
//   TraceEventSchema
//   TraceGapPayload
//   TraceGapPayloadSchema
//   objectWith
//   parseOptions
//   parseTraceEvent

// @pyagent-trace/core/read exports
//   JsonlFormat
//   JsonlReader
//   LinePlace
//   ReadOptions
//   ReadStats
//   TRACE_EVENT_FORMAT
//   TraceEventReader
//   TraceReadError
//   TraceReadErrorReason
//   TraceSource
//   readJsonl
//   readTraceEvents

// @pyagent-trace/core/tracer exports
//   AgentOptions
//   Compression
//   EndListener
//   InterceptedOperation
//   Interceptor
//   LlmCall
//   LlmRequest
//   PatternOptions
//   RoutingDecision
//   SpanHandle
//   ToolCall
//   ToolOptions
//   TraceContext
//   Tracer
//   TracerOptions
//   createTracer

// @pyagent-trace/core/spans exports
//   Span
//   SpanAnnotation
//   SpanAssembler
//   SpanAssemblerOptions
//   SpanAssemblerStats
//   SpanKind
//   SpanStatus

// @pyagent-trace/core/process exports
//   ExitSignal
//   FlushOnExitOptions
//   FlushableBus
//   flushOnExit

// @pyagent-trace/core/processors exports
//   KeepErrorsOptions
//   RedactOptions
//   RedactStats
//   Redactor
//   SampleOptions
//   TruncateOptions
//   Truncation
//   keepErrors
//   redact
//   sample
//   truncate

// @pyagent-trace/core/testing exports
//   ContractCase
//   ExporterContractOptions
//   ExporterSubject
//   HostilePayload
//   MemoryExporter
//   SampleRunOptions
//   exporterContract
//   hostilePayloads
//   sampleRun

// bus.d.ts
export interface AttachOptions {
    readonly processors?: readonly Processor[];
}
export interface BusStats {
    readonly emitted: number;
    readonly accepted: number;
    readonly dropped: number;
    readonly reasons: Readonly<Record<DropReason, number>>;
    readonly errors: number;
    readonly pending: number;
    readonly subscribers: number;
}
export declare class TraceEventBus implements EventSink, EventSource {
    #private;
    readonly emit: (event: TraceEvent) => void;
    readonly emitAsync: (event: TraceEvent) => Promise<void>;
    constructor(options?: TraceEventBusOptions);
    subscribe(callback: Subscriber): string;
    subscribeFilter(eventTypes: Iterable<EventType>, callback: Subscriber): string;
    unsubscribe(subscriptionId: string): void;
    attach(consumer: TraceExporter, options?: AttachOptions): string;
    flush(options?: FlushOptions): Promise<FlushReport[]>;
    shutdown(options?: FlushOptions): Promise<FlushReport[]>;
    [Symbol.asyncDispose](): Promise<void>;
    stats(): BusStats;
}
export interface TraceEventBusOptions {
    readonly onError?: ErrorHandler;
    readonly processors?: readonly Processor[];
    readonly schema?: EventSchema;
}

// bus/gate.d.ts
export type DropReason = 'invalid' | 'filtered' | 'processor_error' | 'reentrant' | 'disabled';
export interface EventSchema {
    safeParse(value: unknown): {
        readonly success: boolean;
        readonly error?: {
            readonly issues: readonly {
                readonly path: PropertyKey[];
                readonly message: string;
            }[];
        } | undefined;
    };
}
export type Processor = (event: TraceEvent) => TraceEvent | undefined;

// bus/report.d.ts
export type ErrorHandler = (error: unknown, event: TraceEvent) => void;

// bus/subscriptions.d.ts
export type Subscriber = (event: TraceEvent) => unknown;

// delay.d.ts
export declare function toDelayMs(ms: number): number;

// encode.d.ts
export declare function encodeTraceEvent(event: TraceEvent): string;

// errors.d.ts
declare const MARKER: unique symbol;
export declare class TraceError extends Error {
    readonly name: string;
    readonly code: TraceErrorCode;
    readonly [MARKER] = true;
    constructor(code: TraceErrorCode, message: string, options?: {
        readonly cause?: unknown;
    });
    static isInstance(value: unknown): value is TraceError;
}
export type TraceErrorCode = 'invalid_option' | 'invalid_exporter' | 'invalid_event' | 'invalid_line' | 'read_failed' | 'subscriber_timeout' | (string & {});
export declare function messageOf(error: unknown): string;

// escape.d.ts
export declare function escapeControls(text: string): string;

// event.d.ts
export declare const EVENT_TYPES: readonly ['pattern_start', 'pattern_end', 'agent_start', 'agent_end', 'llm_call', 'llm_response', 'routing_decision', 'compression', 'error', 'cost_record', 'tool_start', 'tool_end', 'trace_gap'];
export type EventType = KnownEventType | (string & {});
export type KnownEventType = (typeof EVENT_TYPES)[number];
export interface TraceEvent {
    readonly timestamp: number;
    readonly event_type: EventType;
    readonly agent_name: string;
    readonly pattern_type: string;
    readonly payload: TracePayload;
}
export type TraceEventInit = Pick<TraceEvent, 'event_type'> & Partial<TraceEvent>;
export type TracePayload = {
    readonly [key: string]: unknown;
};
export declare function createTraceEvent(init: TraceEventInit): TraceEvent;

// exporter.d.ts
export interface EventSink {
    emit(event: TraceEvent): void;
}
export interface EventSource {
    subscribe(callback: (event: TraceEvent) => unknown): string;
    unsubscribe(subscriptionId: string): void;
}
export interface ExporterStats {
    readonly accepted: number;
    readonly dropped: number;
    readonly delivered: number;
    readonly failed: number;
    readonly pending: number;
    readonly error?: string;
}
export interface FlushOptions {
    readonly timeoutMs?: number;
}
export interface FlushReport extends Omit<ExporterStats, 'accepted'> {
    readonly exporter: string;
}
export interface TraceExporter {
    readonly name: string;
    readonly exportEvent: (event: TraceEvent) => void;
    flush(options?: FlushOptions): Promise<void>;
    shutdown(options?: FlushOptions): Promise<void>;
    stats(): ExporterStats;
    [Symbol.asyncDispose](): Promise<void>;
}
export declare function isTraceExporter(value: unknown): value is TraceExporter;

// ids.d.ts
export declare function newSpanId(): string;
export declare function newTraceId(): string;

// plain.d.ts
export declare function toPlainData(value: unknown): unknown;

// process.d.ts
declare const EXIT_SIGNALS: readonly ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2'];
export type ExitSignal = (typeof EXIT_SIGNALS)[number];
export interface FlushOnExitOptions {
    readonly signals?: readonly ExitSignal[];
    readonly timeoutMs?: number;
}
export interface FlushableBus {
    flush(options?: FlushOptions): Promise<readonly FlushReport[]>;
}
export declare function flushOnExit(bus: FlushableBus, options?: FlushOnExitOptions): () => void;

// processors/keep-errors.d.ts
export interface KeepErrorsOptions {
    readonly maxOpenTraces?: number;
    readonly slowMs?: number;
    readonly minCostUsd?: number;
}
export declare function keepErrors(exporter: TraceExporter, options?: KeepErrorsOptions): TraceExporter;

// processors/redact.d.ts
export interface RedactOptions {
    readonly paths?: readonly string[];
    readonly patterns?: Readonly<Record<string, RegExp | ((text: string) => string)>>;
    readonly emails?: boolean;
}
export interface RedactStats {
    readonly events: number;
    readonly redacted: number;
    readonly failed: number;
}
export interface Redactor {
    (event: TraceEvent): TraceEvent;
    data(value: unknown): unknown;
    stats(): RedactStats;
}
export declare function redact(options?: RedactOptions): Redactor;

// processors/sample.d.ts
export interface SampleOptions {
    readonly ratio: number;
}
export declare function sample(options: SampleOptions): Processor;

// processors/truncate.d.ts
export interface TruncateOptions {
    readonly maxValueBytes?: number;
    readonly maxEventBytes?: number;
}
export interface Truncation {
    readonly count: number;
    readonly largest: readonly {
        readonly path: string;
        readonly bytes: number;
    }[];
}
export declare function truncate(options?: TruncateOptions): Processor;

// read/error.d.ts
export interface LinePlace {
    readonly source: string;
    readonly line: number;
    readonly byteOffset: number;
}
export declare class TraceReadError extends TraceError implements LinePlace {
    readonly name = "TraceReadError";
    readonly reason: TraceReadErrorReason;
    readonly source: string;
    readonly line: number;
    readonly byteOffset: number;
    constructor(reason: TraceReadErrorReason, problem: string, { source, line, byteOffset }: LinePlace, options?: {
        readonly cause?: unknown;
    });
}
export type TraceReadErrorReason = 'torn' | 'half' | 'not_json' | 'not_utf8' | 'too_long' | 'too_deep' | 'invalid_event' | 'invalid_entry' | 'unknown_key';

// read/format.d.ts
import * as z from 'zod';
export interface JsonlFormat<T> {
    readonly keys: ReadonlySet<string>;
    readonly adopt?: (value: unknown) => T | undefined;
    readonly schema: z.ZodType<T>;
    readonly reason: 'invalid_event' | 'invalid_entry';
}
export declare const TRACE_EVENT_FORMAT: JsonlFormat<TraceEvent>;

// read/line-reader.d.ts
export interface ReadStats {
    readonly lines: number;
    readonly events: number;
    readonly errors: number;
    readonly nonFinite: number;
    readonly unknownKeys: number;
    readonly tornTail: boolean;
}

// read/read-jsonl.d.ts
export interface JsonlReader<T> extends AsyncIterable<T> {
    stats(): ReadStats;
    place(): LinePlace;
}
export interface ReadOptions {
    readonly onError?: ((error: TraceReadError) => unknown) | undefined;
    readonly signal?: AbortSignal | undefined;
}
export declare function readJsonl<T>(source: TraceSource, formatOf: (value: unknown) => JsonlFormat<T>, options: ReadOptions, place: string): JsonlReader<T>;

// read/read-trace-events.d.ts
export type TraceEventReader = JsonlReader<TraceEvent>;
export declare function readTraceEvents(source: TraceSource, options?: ReadOptions): TraceEventReader;

// read/source.d.ts
export type TraceSource = string | URL | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

// schema/event.d.ts
import * as z from 'zod';
export declare const TraceEventSchema: z.ZodType<TraceEvent>;
export declare function parseTraceEvent(value: unknown): TraceEvent;

// schema/options.d.ts
import * as z from 'zod';
export declare function objectWith<T extends object>(method: keyof T & string, what?: string): z.ZodType<T>;
export declare function parseOptions<Schema extends z.ZodType>(schema: Schema, options: unknown, place: string): z.output<Schema>;

// schema/payload-schemas.d.ts
import * as z from 'zod';
export declare const AgentEndPayloadSchema: z.ZodType<AgentEndPayload>;
export declare const AgentStartPayloadSchema: z.ZodType<AgentStartPayload>;
export declare const CompressionPayloadSchema: z.ZodType<CompressionPayload>;
export declare const CostRecordPayloadSchema: z.ZodType<CostRecordPayload>;
export declare const ErrorPayloadSchema: z.ZodType<ErrorPayload>;
export declare const LlmCallPayloadSchema: z.ZodType<LlmCallPayload>;
export declare const LlmResponsePayloadSchema: z.ZodType<LlmResponsePayload>;
export declare const PAYLOAD_SCHEMAS: Readonly<Record<KnownEventType, z.ZodType<TracePayload>>>;
export declare const PatternEndPayloadSchema: z.ZodType<PatternEndPayload>;
export declare const PatternStartPayloadSchema: z.ZodType<PatternStartPayload>;
export declare const RoutingDecisionPayloadSchema: z.ZodType<RoutingDecisionPayload>;
export declare const ToolEndPayloadSchema: z.ZodType<ToolEndPayload>;
export declare const ToolStartPayloadSchema: z.ZodType<ToolStartPayload>;
export declare const TraceGapPayloadSchema: z.ZodType<TraceGapPayload>;

// schema/payloads.d.ts
export interface AgentEndPayload extends CommonPayload {
    readonly output?: unknown;
    readonly duration_ms?: Optional<number>;
    readonly status?: Optional<string>;
    readonly contribution?: Optional<string | number | boolean>;
    readonly token_estimate?: Optional<number>;
    readonly cost_estimate?: Optional<number>;
}
export interface AgentStartPayload extends CommonPayload {
    readonly input?: unknown;
    readonly role?: Optional<string>;
    readonly agent_id?: Optional<string>;
    readonly agent_description?: Optional<string>;
}
export interface CommonPayload extends TracePayload {
    readonly trace_id?: Optional<string>;
    readonly span_id?: Optional<string>;
    readonly parent_span_id?: Optional<string>;
    readonly traceparent?: Optional<string>;
    readonly session_id?: Optional<string>;
    readonly user_id?: Optional<string>;
    readonly tags?: Optional<readonly string[]>;
    readonly metadata?: Optional<TracePayload>;
    readonly truncated?: unknown;
    readonly redacted?: unknown;
}
export interface CompressionPayload extends CommonPayload {
    readonly input_tokens?: Optional<number>;
    readonly output_tokens?: Optional<number>;
    readonly savings_pct?: Optional<number>;
}
export interface CostRecordPayload extends CommonPayload {
    readonly provider?: Optional<string>;
    readonly model?: Optional<string>;
    readonly input_tokens?: Optional<number>;
    readonly output_tokens?: Optional<number>;
    readonly cost_usd?: Optional<number>;
    readonly cache_read_tokens?: Optional<number>;
    readonly cache_creation_tokens?: Optional<number>;
    readonly reasoning_tokens?: Optional<number>;
}
export interface ErrorPayload extends CommonPayload {
    readonly message?: Optional<string>;
    readonly error_type?: Optional<string>;
    readonly code?: Optional<string | number | boolean>;
    readonly stack?: Optional<string>;
    readonly source?: Optional<string>;
}
export interface LlmCallPayload extends LlmResponsePayload {
    readonly provider?: Optional<string>;
    readonly operation?: Optional<string>;
    readonly messages_in?: Optional<readonly unknown[]>;
    readonly temperature?: Optional<number>;
    readonly top_p?: Optional<number>;
    readonly max_tokens?: Optional<number>;
    readonly stop?: Optional<string | readonly string[]>;
    readonly seed?: Optional<number>;
    readonly stream?: Optional<boolean>;
}
export interface LlmResponsePayload extends CommonPayload {
    readonly response?: Optional<string>;
    readonly model?: Optional<string>;
    readonly response_id?: Optional<string>;
    readonly finish_reasons?: Optional<readonly string[]>;
    readonly input_tokens?: Optional<number>;
    readonly output_tokens?: Optional<number>;
    readonly cache_read_tokens?: Optional<number>;
    readonly cache_creation_tokens?: Optional<number>;
    readonly reasoning_tokens?: Optional<number>;
    readonly cost_usd?: Optional<number>;
    readonly duration_ms?: Optional<number>;
    readonly time_to_first_chunk_ms?: Optional<number>;
    readonly status?: Optional<string>;
    readonly result?: unknown;
    readonly result_captured?: Optional<boolean>;
}
type Optional<T> = T | null | undefined;
export interface PatternEndPayload extends CommonPayload {
    readonly result_output?: unknown;
    readonly output?: unknown;
    readonly duration_seconds?: Optional<number>;
    readonly duration_ms?: Optional<number>;
    readonly status?: Optional<string>;
    readonly rounds?: Optional<number>;
    readonly consensus?: Optional<string | number | boolean>;
    readonly escalated?: Optional<boolean>;
    readonly escalation_level?: Optional<string | number | boolean>;
    readonly token_estimate?: Optional<number>;
    readonly cost_estimate?: Optional<number>;
    readonly llm_calls?: Optional<number>;
}
export interface PatternStartPayload extends CommonPayload {
    readonly input?: unknown;
    readonly pattern_type?: Optional<string>;
}
export interface RoutingDecisionPayload extends CommonPayload {
    readonly difficulty?: Optional<number>;
    readonly difficulty_category?: Optional<string>;
    readonly selected_model?: Optional<string>;
    readonly cost_estimate?: Optional<number>;
    readonly alternatives?: Optional<readonly unknown[]>;
    readonly result?: unknown;
    readonly result_captured?: Optional<boolean>;
}
export interface ToolEndPayload extends CommonPayload {
    readonly tool_name?: Optional<string>;
    readonly tool_call_id?: Optional<string>;
    readonly result?: unknown;
    readonly result_captured?: Optional<boolean>;
    readonly duration_ms?: Optional<number>;
    readonly status?: Optional<string>;
}
export interface ToolStartPayload extends CommonPayload {
    readonly tool_name?: Optional<string>;
    readonly tool_call_id?: Optional<string>;
    readonly arguments?: unknown;
}
export interface TraceGapPayload extends CommonPayload {
    readonly dropped?: Optional<number>;
    readonly reasons?: Optional<TracePayload>;
    readonly from?: Optional<number>;
    readonly to?: Optional<number>;
}

// spans.d.ts
export declare class SpanAssembler {
    #private;
    constructor(options?: SpanAssemblerOptions);
    readonly add: (event: TraceEvent) => void;
    flush(): void;
    shutdown(): void;
    stats(): SpanAssemblerStats;
}
export interface SpanAssemblerOptions {
    readonly onStart?: (span: Span) => void;
    readonly onAnnotate?: (span: Span, annotation: SpanAnnotation) => void;
    readonly onEnd?: (span: Span, events: number) => void;
}
export interface SpanAssemblerStats {
    readonly events: number;
    readonly started: number;
    readonly ended: number;
    readonly annotated: number;
    readonly late: number;
    readonly unmatched: number;
    readonly open: number;
}

// spans/span.d.ts
export interface Span {
    readonly kind: SpanKind;
    readonly trace_id: string;
    readonly span_id: string;
    readonly parent_span_id?: string;
    readonly name: string;
    readonly agent_name: string;
    readonly pattern_type: string;
    readonly start_time: number;
    readonly end_time?: number;
    readonly status?: SpanStatus;
    readonly session_id?: string;
    readonly user_id?: string;
    readonly tags?: readonly string[];
    readonly attributes: TracePayload;
    readonly annotations: readonly SpanAnnotation[];
    readonly dropped_annotations?: number;
    readonly synthetic_start?: true;
    readonly incomplete?: true;
    readonly orphan?: true;
    readonly remote_parent?: true;
    readonly traceparent?: string;
    readonly clock_skew?: true;
}
export interface SpanAnnotation {
    readonly timestamp: number;
    readonly event_type: string;
    readonly payload: TracePayload;
}
export type SpanKind = 'pattern' | 'agent' | 'llm' | 'tool';
export type SpanStatus = 'ok' | 'error' | 'cancelled';

// testing/exporter-contract.d.ts
export interface ContractCase {
    readonly name: string;
    readonly run: () => Promise<void>;
}
export interface ExporterContractOptions {
    readonly cannot?: readonly ('refuse' | 'hang')[];
}
export declare function exporterContract(createSubject: () => ExporterSubject | Promise<ExporterSubject>, { cannot }?: ExporterContractOptions): readonly ContractCase[];

// testing/exporter-subject.d.ts
export interface ExporterSubject {
    readonly exporter: TraceExporter;
    arrivedSpanIds(): readonly string[] | Promise<readonly string[]>;
    refuse?(): void | Promise<void>;
    recover?(): void | Promise<void>;
    hang?(): void | Promise<void>;
    dispose?(): void | Promise<void>;
}

// testing/hostile-payloads.d.ts
export interface HostilePayload {
    readonly name: string;
    readonly payload: TracePayload;
}
export declare function hostilePayloads(): readonly HostilePayload[];

// testing/memory-exporter.d.ts
export declare class MemoryExporter implements TraceExporter {
    #private;
    readonly name = "memory";
    get events(): readonly TraceEvent[];
    clear(): void;
    readonly exportEvent: (event: TraceEvent) => void;
    flush(): Promise<void>;
    shutdown(): Promise<void>;
    stats(): ExporterStats;
    [Symbol.asyncDispose](): Promise<void>;
}

// testing/sample-run.d.ts
export interface SampleRunOptions {
    readonly run?: number;
    readonly calls?: number;
}
export declare function sampleRun({ run, calls }?: SampleRunOptions): readonly TraceEvent[];

// tracer.d.ts
export interface Tracer {
    readonly pattern: {
        <T>(pattern_type: string, fn: (pattern: SpanHandle) => T): T;
        <T>(pattern_type: string, options: PatternOptions, fn: (pattern: SpanHandle) => T): T;
    };
    readonly agent: {
        <T>(agent_name: string, fn: (agent: SpanHandle) => T): T;
        <T>(agent_name: string, options: AgentOptions, fn: (agent: SpanHandle) => T): T;
    };
    readonly llmCall: <T>(request: LlmRequest, fn: (call: LlmCall) => T) => T;
    readonly tool: {
        <T>(tool_name: string, args: unknown, fn: (tool: ToolCall) => T): T;
        <T>(tool_name: string, args: unknown, options: ToolOptions, fn: (tool: ToolCall) => T): T;
    };
    readonly routing: {
        (decision: RoutingDecision): void;
        <T>(decision: RoutingDecision, fn: (routing: SpanHandle) => T): T;
    };
    readonly compression: (compression: Compression) => void;
    readonly error: (error: unknown, payload?: object) => void;
    readonly current: () => TraceContext | undefined;
    readonly traceparent: () => string | undefined;
    readonly withRemoteParent: <T>(traceparent: string | null | undefined, fn: () => T) => T;
}
export interface TracerOptions {
    readonly captureContent?: boolean;
    readonly captureResults?: boolean;
    readonly interceptors?: readonly Interceptor[];
}
export declare function createTracer(bus: EventSink, options?: TracerOptions): Tracer;

// tracer/types.d.ts
export interface AgentOptions {
    readonly input?: unknown;
    readonly role?: string | undefined;
    readonly agent_id?: string | undefined;
    readonly agent_description?: string | undefined;
    readonly metadata?: TracePayload | undefined;
    readonly [key: string]: unknown;
}
export interface Compression {
    readonly input_tokens?: number | undefined;
    readonly output_tokens?: number | undefined;
    readonly savings_pct?: number | undefined;
    readonly [key: string]: unknown;
}
export type EndListener = (end: TracePayload, error: unknown) => unknown;
export interface InterceptedOperation extends TraceContext {
    readonly kind: 'llm_call' | 'tool' | 'routing_decision';
    readonly session_id: string;
    readonly parent_span_ids: readonly string[];
    readonly payload: TracePayload;
    signal: AbortSignal | undefined;
    readonly set: (payload: object) => void;
    readonly onEnd: (listener: EndListener) => void;
}
export type Interceptor = (operation: InterceptedOperation, next: () => unknown) => unknown;
export interface LlmCall extends SpanHandle {
    readonly respond: (payload: object) => void;
    readonly signal: AbortSignal | undefined;
}
export interface LlmRequest {
    readonly provider?: string | undefined;
    readonly model?: string | undefined;
    readonly operation?: string | undefined;
    readonly messages_in?: unknown;
    readonly signal?: AbortSignal | undefined;
    readonly [key: string]: unknown;
}
export interface PatternOptions {
    readonly input?: unknown;
    readonly session_id?: string | undefined;
    readonly user_id?: string | undefined;
    readonly tags?: readonly string[] | undefined;
    readonly metadata?: TracePayload | undefined;
    readonly [key: string]: unknown;
}
export interface RoutingDecision {
    readonly difficulty?: number | undefined;
    readonly difficulty_category?: string | undefined;
    readonly selected_model?: string | undefined;
    readonly cost_estimate?: number | undefined;
    readonly alternatives?: readonly unknown[] | undefined;
    readonly [key: string]: unknown;
}
export interface SpanHandle {
    readonly set: (payload: object) => void;
}
export interface ToolCall extends SpanHandle {
    readonly signal: AbortSignal | undefined;
}
export interface ToolOptions {
    readonly tool_call_id?: string | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly [key: string]: unknown;
}
export interface TraceContext {
    readonly trace_id: string;
    readonly span_id: string;
    readonly agent_name: string;
    readonly pattern_type: string;
}
