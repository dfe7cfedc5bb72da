// Written by pnpm check:api --write.

// @pyagent-trace/exporter-otel exports
//   OTelExporter
//   OTelExporterOptions
//   PatternClass
//   PatternResult
//   PatternSpanEmitter
//   PyAgentAttributes
//   PyAgentIdGenerator
//   Runnable
//   SpanHelperOptions
//   SpanIds
//   tracedAgent
//   tracedPattern

// attributes.d.ts
export declare const PyAgentAttributes: Readonly<{
    readonly PATTERN_TYPE: 'pyagent.pattern.type';
    readonly PATTERN_ROUNDS: 'pyagent.pattern.rounds';
    readonly PATTERN_CONSENSUS: 'pyagent.pattern.consensus';
    readonly PATTERN_ESCALATED: 'pyagent.pattern.escalated';
    readonly PATTERN_ESCALATION_LEVEL: 'pyagent.pattern.escalation_level';
    readonly ROUTER_DIFFICULTY: 'pyagent.router.difficulty';
    readonly ROUTER_DIFFICULTY_CATEGORY: 'pyagent.router.difficulty_category';
    readonly ROUTER_SELECTED_MODEL: 'pyagent.router.selected_model';
    readonly ROUTER_COST_ESTIMATE: 'pyagent.router.cost_estimate';
    readonly ROUTER_ALTERNATIVES: 'pyagent.router.alternatives';
    readonly COMPRESS_INPUT_TOKENS: 'pyagent.compress.input_tokens';
    readonly COMPRESS_OUTPUT_TOKENS: 'pyagent.compress.output_tokens';
    readonly COMPRESS_SAVINGS_PCT: 'pyagent.compress.savings_pct';
    readonly AGENT_NAME: 'pyagent.agent.name';
    readonly AGENT_ROLE: 'pyagent.agent.role';
    readonly AGENT_CONTRIBUTION: 'pyagent.agent.contribution';
    readonly COST_TOTAL_USD: 'pyagent.cost.total_usd';
    readonly COST_INPUT_TOKENS: 'pyagent.cost.input_tokens';
    readonly COST_OUTPUT_TOKENS: 'pyagent.cost.output_tokens';
    readonly COST_MODEL: 'pyagent.cost.model';
    readonly EXEC_DURATION_MS: 'pyagent.exec.duration_ms';
    readonly EXEC_TOKEN_ESTIMATE: 'pyagent.exec.token_estimate';
    readonly EXEC_LLM_CALLS: 'pyagent.exec.llm_calls';
}>;

// helper-span.d.ts
import { TracerProvider } from '@opentelemetry/api';
export interface SpanHelperOptions {
    readonly tracerProvider?: TracerProvider;
}

// id-generator.d.ts
export declare class PyAgentIdGenerator {
    #private;
    generateTraceId(): string;
    generateSpanId(): string;
    withIds<T>({ traceId, spanId }: SpanIds, fn: () => T): T;
}
export interface SpanIds {
    readonly traceId?: string | undefined;
    readonly spanId?: string | undefined;
}

// options.d.ts
import { MeterProvider } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/api';
export interface OTelExporterOptions {
    readonly tracerName?: string;
    readonly tracerVersion?: string;
    readonly tracerProvider?: TracerProvider;
    readonly idGenerator?: PyAgentIdGenerator;
    readonly captureContent?: boolean;
    readonly maxContentChars?: number;
    readonly parent?: 'active' | 'none';
    readonly metrics?: boolean;
    readonly meterProvider?: MeterProvider;
}

// otel-exporter.d.ts
import { Context } from '@opentelemetry/api';
import { ExporterStats } from '@pyagent-trace/core';
import { FlushOptions } from '@pyagent-trace/core';
import { Interceptor } from '@pyagent-trace/core/tracer';
import { TraceEvent } from '@pyagent-trace/core';
import { TraceExporter } from '@pyagent-trace/core';
export declare class OTelExporter implements TraceExporter {
    #private;
    readonly name = "otel";
    constructor(options?: OTelExporterOptions);
    readonly exportEvent: (event: TraceEvent) => void;
    readonly interceptor: Interceptor;
    contextFor(traceId: string, spanId: string): Context | undefined;
    flush({ timeoutMs }?: FlushOptions): Promise<void>;
    shutdown({ timeoutMs }?: FlushOptions): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    stats(): ExporterStats;
}

// pattern-span-emitter.d.ts
import { Attributes } from '@opentelemetry/api';
import { Compression } from '@pyagent-trace/core/tracer';
import { RoutingDecision } from '@pyagent-trace/core/tracer';
import { Span } from '@opentelemetry/api';
type Callback<T> = (span: Span) => T;
export interface PatternResult {
    readonly rounds?: number;
    readonly consensus?: number;
    readonly escalated?: boolean;
    readonly escalation_level?: number;
    readonly duration_ms?: number;
    readonly token_estimate?: number;
    readonly cost_estimate?: number;
    readonly [key: string]: unknown;
}
export declare class PatternSpanEmitter {
    #private;
    constructor(options?: SpanHelperOptions);
    patternSpan(patternType: string, attributes?: Attributes): Span;
    patternSpan<T>(patternType: string, callback: Callback<T>): T;
    patternSpan<T>(patternType: string, attributes: Attributes | undefined, callback: Callback<T>): T;
    agentSpan(agentName: string, parent?: Span, attributes?: Attributes): Span;
    agentSpan<T>(agentName: string, callback: Callback<T>): T;
    agentSpan<T>(agentName: string, parent: Span | undefined, callback: Callback<T>): T;
    agentSpan<T>(agentName: string, parent: Span | undefined, attributes: Attributes | undefined, callback: Callback<T>): T;
    setPatternResult(span: Span, result?: PatternResult): void;
    setRoutingInfo(span: Span, decision: RoutingDecision): void;
    setCompressionInfo(span: Span, compression: Compression): void;
    setError(span: Span, error: unknown): void;
}

// trace-run.d.ts
export interface Runnable {
    run(...args: never[]): unknown;
}

// traced-agent.d.ts
export declare function tracedAgent<Agent extends Runnable>(agent: Agent, options?: SpanHelperOptions): Agent;

// traced-pattern.d.ts
export type PatternClass = abstract new (...args: never[]) => Runnable;
export declare function tracedPattern<Class extends PatternClass>(patternClass: Class, context?: ClassDecoratorContext): Class;
export declare function tracedPattern(options: SpanHelperOptions): <Class extends PatternClass>(patternClass: Class, context?: ClassDecoratorContext) => Class;
