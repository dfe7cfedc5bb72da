import type { TracePayload } from '../event.ts';

export interface SpanHandle {
  /**
   * Adds keys to the operation's end event. May be called more than once, until it ends.
   * Takes any object, since an interface type of the app's has no index signature.
   */
  readonly set: (payload: object) => void;
}

/** Given to the function of `llmCall`. */
export interface LlmCall extends SpanHandle {
  /** The answer: `response`, `model`, `input_tokens`, `output_tokens`, `finish_reasons`, … */
  readonly respond: (payload: object) => void;
  /** Aborts when the request's signal does, or an interceptor's. */
  readonly signal: AbortSignal | undefined;
}

/** Given to the function of `tool`. */
export interface ToolCall extends SpanHandle {
  readonly signal: AbortSignal | undefined;
}

/** The payload of `pattern_start`. */
export interface PatternOptions {
  readonly input?: unknown;
  readonly session_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: TracePayload | undefined;
  readonly [key: string]: unknown;
}

/** The payload of `agent_start`. */
export interface AgentOptions {
  readonly input?: unknown;
  readonly role?: string | undefined;
  readonly agent_id?: string | undefined;
  readonly agent_description?: string | undefined;
  readonly metadata?: TracePayload | undefined;
  readonly [key: string]: unknown;
}

/** The payload of `llm_call`, and what stops it. Request parameters keep the provider's names. */
export interface LlmRequest {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  /** @default chat */
  readonly operation?: string | undefined;
  readonly messages_in?: unknown;
  /** Not part of the event. */
  readonly signal?: AbortSignal | undefined;
  readonly [key: string]: unknown;
}

/** The payload of `tool_start` besides name and arguments, and what stops the tool. */
export interface ToolOptions {
  readonly tool_call_id?: string | undefined;
  /** Not part of the event. */
  readonly signal?: AbortSignal | undefined;
  readonly [key: string]: unknown;
}

/** The payload of `routing_decision`. */
export interface RoutingDecision {
  /** 1 to 10. */
  readonly difficulty?: number | undefined;
  readonly difficulty_category?: string | undefined;
  readonly selected_model?: string | undefined;
  /** US dollars. */
  readonly cost_estimate?: number | undefined;
  readonly alternatives?: readonly unknown[] | undefined;
  readonly [key: string]: unknown;
}

/** The payload of `compression`. */
export interface Compression {
  readonly input_tokens?: number | undefined;
  readonly output_tokens?: number | undefined;
  /** 0 to 1. */
  readonly savings_pct?: number | undefined;
  readonly [key: string]: unknown;
}

/** The operation around the running code. */
export interface TraceContext {
  readonly trace_id: string;
  readonly span_id: string;
  readonly agent_name: string;
  readonly pattern_type: string;
}

/** A model call, a tool or a routing decision, as an interceptor sees it before it runs. */
export interface InterceptedOperation extends TraceContext {
  readonly kind: 'llm_call' | 'tool' | 'routing_decision';
  /** Of the operation, or of the nearest one around it that has one; empty when none has. */
  readonly session_id: string;
  /** Of the operations around it, the nearest first. */
  readonly parent_span_ids: readonly string[];
  /**
   * What is asked, content included: `model`, `messages_in` and request parameters; `tool_name` and
   * `arguments`; the routing decision's keys.
   */
  readonly payload: TracePayload;
  /** May be replaced before `next()`: the app's function gets what stands here. */
  signal: AbortSignal | undefined;
  /** Adds keys to the end event, as the app's function does. */
  readonly set: (payload: object) => void;
  /**
   * Calls the listener once when the operation has ended and its end event is emitted, at once if it has
   * ended already: after a success, a throw, an abort, and for a stream when it is read, left or
   * collected. A promise is not waited for. What the listener throws becomes an
   * `error` event.
   */
  readonly onEnd: (listener: EndListener) => void;
}

/**
 * @param end the payload of the end event, content included: what was set, `status`, `duration_ms`.
 * A routing decision that failed has no end event; its listeners hear of it nevertheless.
 * @param error what was thrown; `undefined` when nothing was
 */
export type EndListener = (end: TracePayload, error: unknown) => unknown;

/**
 * Runs around every model call, tool and routing decision. `next()` does what was asked and returns
 * what the app's function returns; what the interceptor returns or throws reaches the app instead, in the
 * shape of the app's function: as a promise where that is an `async` one, as a generator where it is an
 * async generator, and else as it is.
 */
export type Interceptor = (operation: InterceptedOperation, next: () => unknown) => unknown;
