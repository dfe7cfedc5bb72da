import { invalidOption, requireBoolean, requireFunctions, requireKnownKeys } from './check.ts';
import type { TracePayload } from './event.ts';
import type { EventSink } from './exporter.ts';
import { newSpanId, newTraceId } from './ids.ts';
import { context, type Frame, markReported, remoteFrame, traceparentOf } from './tracer/context.ts';
import { describeError, read } from './tracer/describe-error.ts';
import { follow } from './tracer/follow.ts';
import { intercept } from './tracer/intercept.ts';
import { AGENT, LLM_CALL, PATTERN, ROUTING, TOOL } from './tracer/kinds.ts';
import { emitInside, Operation, readable, type Recording } from './tracer/operation.ts';
import type {
  AgentOptions,
  Compression,
  Interceptor,
  LlmCall,
  LlmRequest,
  PatternOptions,
  RoutingDecision,
  SpanHandle,
  ToolCall,
  ToolOptions,
  TraceContext,
} from './tracer/types.ts';

export type {
  AgentOptions,
  Compression,
  EndListener,
  InterceptedOperation,
  Interceptor,
  LlmCall,
  LlmRequest,
  PatternOptions,
  RoutingDecision,
  SpanHandle,
  ToolCall,
  ToolOptions,
  TraceContext,
} from './tracer/types.ts';

export interface TracerOptions {
  /**
   * Whether prompts, answers, arguments and results are in the events. Error messages and `metadata`
   * stay in them either way.
   *
   * @default true
   */
  readonly captureContent?: boolean;
  /**
   * Whether what the app's functions return is kept as `payload.result`, which a replay gives back.
   *
   * @default true
   */
  readonly captureResults?: boolean;
  /** Run around every model call, tool and routing decision, the first one outermost. */
  readonly interceptors?: readonly Interceptor[];
}

/**
 * Traces what runs inside its callbacks. Each method gives back what its callback returns: the promise
 * settles the same way, a stream is the same object. Methods work detached.
 */
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
    /** Emits a decision that was made. */
    (decision: RoutingDecision): void;
    /** Makes a decision: emits it, with what `set` added, once the function has returned. */
    <T>(decision: RoutingDecision, fn: (routing: SpanHandle) => T): T;
  };
  readonly compression: (compression: Compression) => void;
  /** Emits an error that is not thrown through the tracer. Keys of `payload` win. */
  readonly error: (error: unknown, payload?: object) => void;
  /** The operation around the running code, of any tracer in the process. */
  readonly current: () => TraceContext | undefined;
  /** The W3C header for a request to another process; `undefined` outside operations. */
  readonly traceparent: () => string | undefined;
  /** Runs a function as part of a trace of another process. A header that is none is ignored. */
  readonly withRemoteParent: <T>(traceparent: string | null | undefined, fn: () => T) => T;
}

/**
 * A tracer that emits on a bus. Which agent, call and trace an event belongs to comes from where the
 * code runs (AsyncLocalStorage), so parallel agents of one name do not mix.
 *
 * @example
 * ```ts
 * const tracer = createTracer(bus);
 * await tracer.pattern('debate', { input: question }, async () =>
 *   tracer.agent('bull', async () =>
 *     tracer.llmCall({ model: 'gpt-4o', messages_in }, async (call) => {
 *       const answer = await ask(messages_in);
 *       call.respond({ response: answer.text, input_tokens: 512, output_tokens: 20 });
 *       return answer;
 *     }),
 *   ),
 * );
 * ```
 *
 * @throws {TraceError} `invalid_option`
 */
export function createTracer(bus: EventSink, options: TracerOptions = {}): Tracer {
  if (typeof bus?.emit !== 'function')
    throw invalidOption('createTracer: expected a bus, got a value without emit');
  requireKnownKeys(options, ['captureContent', 'captureResults', 'interceptors'], 'createTracer');
  const { captureContent = true, captureResults = true, interceptors = [] } = options;
  requireBoolean(captureContent, 'createTracer: captureContent');
  requireBoolean(captureResults, 'createTracer: captureResults');
  requireFunctions(interceptors, 'createTracer: interceptors');
  const chain = [...interceptors];
  const recording: Recording = {
    sink: bus,
    captureContent,
    captureResults: captureContent && captureResults,
  };

  return {
    pattern<T>(
      pattern_type: string,
      ...rest: OptionsAndFunction<PatternOptions, SpanHandle, T>
    ): T {
      const [payload, fn] = split(rest);
      const operation = new Operation(
        PATTERN,
        inside(payload, { agent_name: '', pattern_type }),
        recording,
      );
      return run(operation, payload, () => fn({ set: operation.set }));
    },

    agent<T>(agent_name: string, ...rest: OptionsAndFunction<AgentOptions, SpanHandle, T>): T {
      const [payload, fn] = split(rest);
      const operation = new Operation(AGENT, inside(payload, { agent_name }), recording);
      return run(operation, payload, () => fn({ set: operation.set }));
    },

    llmCall<T>(request: LlmRequest, fn: (call: LlmCall) => T): T {
      const { signal, ...payload } = readable<LlmRequest>(request);
      const operation = new Operation(LLM_CALL, inside(payload), recording, signal);
      return run(
        operation,
        payload,
        intercept(chain, { kind: 'llm_call', operation, payload }, fn, () =>
          fn({ set: operation.set, respond: operation.set, signal: operation.signal }),
        ),
      );
    },

    tool<T>(
      tool_name: string,
      args: unknown,
      ...rest: OptionsAndFunction<ToolOptions, ToolCall, T>
    ): T {
      const [toolOptions, fn] = split(rest);
      const { signal, ...others } = readable<ToolOptions>(toolOptions);
      const payload = { tool_name, ...others, arguments: args };
      const operation = new Operation(TOOL, inside(others), recording, signal);
      operation.set({
        tool_name,
        ...(others.tool_call_id !== undefined && { tool_call_id: others.tool_call_id }),
      });
      return run(
        operation,
        payload,
        intercept(chain, { kind: 'tool', operation, payload }, fn, () =>
          fn({ set: operation.set, signal: operation.signal }),
        ),
      );
    },

    routing<T>(decision: RoutingDecision, fn?: (routing: SpanHandle) => T): T | undefined {
      if (fn === undefined) {
        emitInside(recording, context.getStore(), 'routing_decision', decision);
        return undefined;
      }
      // a decision is no span: it annotates the operation around it
      const operation = new Operation(ROUTING, context.getStore(), recording);
      operation.set(decision);
      return run(
        operation,
        decision,
        intercept(chain, { kind: 'routing_decision', operation, payload: decision }, fn, () =>
          fn({ set: operation.set }),
        ),
      );
    },

    compression(compression: Compression): void {
      emitInside(recording, context.getStore(), 'compression', compression);
    },

    error(error: unknown, payload: object = {}): void {
      const frame = context.getStore();
      markReported(frame, error, bus);
      emitInside(recording, frame, 'error', { ...describeError(error), ...payload });
    },

    current(): TraceContext | undefined {
      const frame = context.getStore();
      if (frame === undefined) return undefined;
      const { trace_id, span_id, agent_name, pattern_type } = frame;
      return { trace_id, span_id, agent_name, pattern_type };
    },

    traceparent: () => traceparentOf(context.getStore()),

    withRemoteParent<T>(traceparent: string | null | undefined, fn: () => T): T {
      const frame = remoteFrame(traceparent);
      return frame === undefined ? fn() : context.run(frame, fn);
    },
  };
}

function run<T>(operation: Operation, payload: TracePayload, call: () => T): T {
  operation.start(payload);
  let result: T;
  try {
    result = context.run(operation.frame, call);
  } catch (error) {
    operation.fail(error);
    throw error;
  }
  return follow(result, operation);
}

type OptionsAndFunction<Options, Handle, T> =
  | [fn: (handle: Handle) => T]
  | [options: Options, fn: (handle: Handle) => T];

function split<Options, Handle, T>(
  rest: OptionsAndFunction<Options, Handle, T>,
): [Options, (handle: Handle) => T] {
  return rest.length === 1 ? [{} as Options, rest[0]] : rest;
}

/** The frame of a new operation, a child of the one around the running code. */
function inside(
  payload: object,
  names: { readonly agent_name?: string; readonly pattern_type?: string } = {},
): Frame {
  const parent = context.getStore();
  const session_id = read(payload, 'session_id');
  return {
    trace_id: parent?.trace_id ?? newTraceId(),
    span_id: newSpanId(),
    agent_name: names.agent_name ?? parent?.agent_name ?? '',
    pattern_type: names.pattern_type ?? parent?.pattern_type ?? '',
    session_id: typeof session_id === 'string' ? session_id : parent?.session_id,
    parent,
    reported: undefined,
    reportedValue: undefined,
  };
}
