// What the payloads of the known event types hold. Every key may be absent or null (Python writes None,
// and NaN is read as null), and keys that are not listed are legal.
import type { TracePayload } from '../event.ts';

type Optional<T> = T | null | undefined;

/** Keys that every event may carry. */
export interface CommonPayload extends TracePayload {
  /** One run of one workflow. Written as 32 lower-case hex digits (W3C); any string is legal when read. */
  readonly trace_id?: Optional<string>;
  /** The operation this event starts, annotates or ends. Written as 16 hex digits. */
  readonly span_id?: Optional<string>;
  /** The operation it happened inside. */
  readonly parent_span_id?: Optional<string>;
  /** W3C header of a parent in another process; on a start event only. */
  readonly traceparent?: Optional<string>;
  /** The conversation; set once, on the root. */
  readonly session_id?: Optional<string>;
  /** The end user; set once, on the root. */
  readonly user_id?: Optional<string>;
  /** Set once, on the root. */
  readonly tags?: Optional<readonly string[]>;
  /** The user's own keys. */
  readonly metadata?: Optional<TracePayload>;
  /** What the processor `truncate` cut: `count`, and the `largest` with `path` and `bytes`. */
  readonly truncated?: unknown;
  /** A marker: the payload was left out, since `redact` could not look through it. */
  readonly redacted?: unknown;
}

export interface PatternStartPayload extends CommonPayload {
  readonly input?: unknown;
  readonly pattern_type?: Optional<string>;
}

export interface PatternEndPayload extends CommonPayload {
  readonly result_output?: unknown;
  readonly output?: unknown;
  readonly duration_seconds?: Optional<number>;
  readonly duration_ms?: Optional<number>;
  /** `ok`, `error` or `cancelled`. */
  readonly status?: Optional<string>;
  readonly rounds?: Optional<number>;
  readonly consensus?: Optional<string | number | boolean>;
  readonly escalated?: Optional<boolean>;
  readonly escalation_level?: Optional<string | number | boolean>;
  readonly token_estimate?: Optional<number>;
  /** US dollars. */
  readonly cost_estimate?: Optional<number>;
  readonly llm_calls?: Optional<number>;
}

export interface AgentStartPayload extends CommonPayload {
  readonly input?: unknown;
  readonly role?: Optional<string>;
  readonly agent_id?: Optional<string>;
  readonly agent_description?: Optional<string>;
}

export interface AgentEndPayload extends CommonPayload {
  readonly output?: unknown;
  readonly duration_ms?: Optional<number>;
  /** `ok`, `error` or `cancelled`. */
  readonly status?: Optional<string>;
  readonly contribution?: Optional<string | number | boolean>;
  readonly token_estimate?: Optional<number>;
  /** US dollars. */
  readonly cost_estimate?: Optional<number>;
}

export interface LlmResponsePayload extends CommonPayload {
  /** The answer's text, for people and backends. */
  readonly response?: Optional<string>;
  /** As answered, which may be more exact than as asked. */
  readonly model?: Optional<string>;
  readonly response_id?: Optional<string>;
  readonly finish_reasons?: Optional<readonly string[]>;
  /** Includes cached tokens. */
  readonly input_tokens?: Optional<number>;
  /** Includes reasoning tokens. */
  readonly output_tokens?: Optional<number>;
  readonly cache_read_tokens?: Optional<number>;
  readonly cache_creation_tokens?: Optional<number>;
  readonly reasoning_tokens?: Optional<number>;
  /** US dollars. */
  readonly cost_usd?: Optional<number>;
  readonly duration_ms?: Optional<number>;
  readonly time_to_first_chunk_ms?: Optional<number>;
  /** `ok`, `error` or `cancelled`. */
  readonly status?: Optional<string>;
  /** What the app's function returned, for replay; absent where it equals `response`. */
  readonly result?: unknown;
  /** False where `result` was left out. */
  readonly result_captured?: Optional<boolean>;
}

/** A call that was recorded after the fact carries its answer too. */
export interface LlmCallPayload extends LlmResponsePayload {
  readonly provider?: Optional<string>;
  /** `chat` unless given. */
  readonly operation?: Optional<string>;
  /** `{role, content, name?}` each; `content` is a string or the provider's parts. */
  readonly messages_in?: Optional<readonly unknown[]>;
  readonly temperature?: Optional<number>;
  readonly top_p?: Optional<number>;
  readonly max_tokens?: Optional<number>;
  readonly stop?: Optional<string | readonly string[]>;
  readonly seed?: Optional<number>;
  readonly stream?: Optional<boolean>;
}

export interface ToolStartPayload extends CommonPayload {
  readonly tool_name?: Optional<string>;
  readonly tool_call_id?: Optional<string>;
  readonly arguments?: unknown;
}

export interface ToolEndPayload extends CommonPayload {
  readonly tool_name?: Optional<string>;
  readonly tool_call_id?: Optional<string>;
  readonly result?: unknown;
  /** False where `result` was left out. */
  readonly result_captured?: Optional<boolean>;
  readonly duration_ms?: Optional<number>;
  /** `ok`, `error` or `cancelled`. */
  readonly status?: Optional<string>;
}

export interface RoutingDecisionPayload extends CommonPayload {
  /** From 1 to 10. */
  readonly difficulty?: Optional<number>;
  readonly difficulty_category?: Optional<string>;
  readonly selected_model?: Optional<string>;
  /** US dollars. */
  readonly cost_estimate?: Optional<number>;
  readonly alternatives?: Optional<readonly unknown[]>;
  readonly result?: unknown;
  /** False where `result` was left out. */
  readonly result_captured?: Optional<boolean>;
}

export interface CompressionPayload extends CommonPayload {
  readonly input_tokens?: Optional<number>;
  readonly output_tokens?: Optional<number>;
  /** From 0 to 1. */
  readonly savings_pct?: Optional<number>;
}

export interface ErrorPayload extends CommonPayload {
  readonly message?: Optional<string>;
  readonly error_type?: Optional<string>;
  readonly code?: Optional<string | number | boolean>;
  readonly stack?: Optional<string>;
  /** What failed: an agent, a tool, a model call. */
  readonly source?: Optional<string>;
}

export interface CostRecordPayload extends CommonPayload {
  readonly provider?: Optional<string>;
  readonly model?: Optional<string>;
  /** Includes cached tokens. */
  readonly input_tokens?: Optional<number>;
  /** Includes reasoning tokens. */
  readonly output_tokens?: Optional<number>;
  /** US dollars. */
  readonly cost_usd?: Optional<number>;
  readonly cache_read_tokens?: Optional<number>;
  readonly cache_creation_tokens?: Optional<number>;
  readonly reasoning_tokens?: Optional<number>;
}

/** Written by an exporter that had to drop events. */
export interface TraceGapPayload extends CommonPayload {
  /** Events that were dropped. */
  readonly dropped?: Optional<number>;
  /** `dropped`, by reason. */
  readonly reasons?: Optional<TracePayload>;
  /** Unix seconds. */
  readonly from?: Optional<number>;
  /** Unix seconds. */
  readonly to?: Optional<number>;
}
