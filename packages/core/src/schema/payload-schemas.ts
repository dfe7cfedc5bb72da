// The tables of spec/README.md as zod schemas: one per event type, every key by its base type.
import * as z from 'zod';
import { describe, type KnownEventType, type TracePayload } from '../event.ts';
import type {
  AgentEndPayload,
  AgentStartPayload,
  CompressionPayload,
  CostRecordPayload,
  ErrorPayload,
  LlmCallPayload,
  LlmResponsePayload,
  PatternEndPayload,
  PatternStartPayload,
  RoutingDecisionPayload,
  ToolEndPayload,
  ToolStartPayload,
  TraceGapPayload,
} from './payloads.ts';

/** Words for what a schema refuses: what it expected, and what it got. */
export function expected(what: string): { error: (issue: { input?: unknown }) => string } {
  return { error: ({ input }) => `expected ${what}, got ${describe(input)}` };
}

const string = z.string(expected('a string')).nullish();
const strings = z.array(z.string(expected('a string')), expected('an array of strings')).nullish();
const number = z.number(expected('a number')).nullish();
const count = z
  .int(expected('a whole number'))
  .nonnegative(expected('a whole number of 0 or more'))
  .nullish();
const boolean = z.boolean(expected('true or false')).nullish();
const array = z.array(z.unknown(), expected('an array')).nullish();
const object = z.looseObject({}, expected('an object')).nullish();
const scalar = z
  .union([z.string(), z.number(), z.boolean()], expected('a string, a number, true or false'))
  .nullish();
const anything = z.unknown().optional();

const milliseconds = number.describe('Milliseconds.');
const dollars = number.describe('US dollars.');
const unixSeconds = number.describe('Unix seconds.');
const status = string.describe('"ok", "error" or "cancelled".');

const common = {
  trace_id: string.describe('One run of one workflow.'),
  span_id: string.describe('The operation this event starts, annotates or ends.'),
  parent_span_id: string.describe('The operation it happened inside.'),
  traceparent: string.describe('W3C header of a remote parent; on a start event only.'),
  session_id: string.describe('The conversation; set once, on the root.'),
  user_id: string.describe('The end user; set once, on the root.'),
  tags: strings.describe('Set once, on the root.'),
  metadata: object.describe("The user's own keys."),
  truncated: anything.describe(
    'What `truncate` cut: `count`, and the `largest` with path and bytes.',
  ),
  redacted: anything.describe('The payload was left out, since it could not be looked through.'),
};

const result_captured = boolean.describe('False where `result` was left out.');

const usage = {
  model: string,
  input_tokens: count.describe('Includes cached tokens.'),
  output_tokens: count.describe('Includes reasoning tokens.'),
  cache_read_tokens: count,
  cache_creation_tokens: count,
  reasoning_tokens: count,
  cost_usd: dollars,
};

const estimates = { token_estimate: count, cost_estimate: dollars };

const tool = { tool_name: string, tool_call_id: string };

const answer = {
  ...usage,
  response: string.describe("The answer's text."),
  response_id: string,
  finish_reasons: strings,
  duration_ms: milliseconds,
  time_to_first_chunk_ms: milliseconds,
  status,
  result: anything.describe("What the app's function returned, for replay."),
  result_captured,
};

/** The known keys of each event type's payload. */
export const PAYLOAD_SHAPES = {
  pattern_start: { ...common, input: anything, pattern_type: string },
  pattern_end: {
    ...common,
    result_output: anything,
    output: anything,
    duration_seconds: number.describe('Seconds.'),
    duration_ms: milliseconds,
    status,
    rounds: count,
    consensus: scalar,
    escalated: boolean,
    escalation_level: scalar,
    ...estimates,
    llm_calls: count,
  },
  agent_start: {
    ...common,
    input: anything,
    role: string,
    agent_id: string,
    agent_description: string,
  },
  agent_end: {
    ...common,
    output: anything,
    duration_ms: milliseconds,
    status,
    contribution: scalar,
    ...estimates,
  },
  llm_call: {
    ...common,
    provider: string,
    operation: string.describe('"chat" unless given.'),
    messages_in: array.describe('One object per message: role, content, name.'),
    temperature: number,
    top_p: number,
    max_tokens: count,
    stop: z
      .union([z.string(), z.array(z.string())], expected('a string or an array of strings'))
      .nullish(),
    seed: number,
    stream: boolean,
    ...answer,
  },
  llm_response: { ...common, ...answer },
  routing_decision: {
    ...common,
    difficulty: number.describe('From 1 to 10.'),
    difficulty_category: string,
    selected_model: string,
    cost_estimate: dollars,
    alternatives: array,
    result: anything,
    result_captured,
  },
  compression: {
    ...common,
    input_tokens: count,
    output_tokens: count,
    savings_pct: number.describe('From 0 to 1.'),
  },
  error: {
    ...common,
    message: string,
    error_type: string,
    code: scalar,
    stack: string,
    source: string,
  },
  cost_record: { ...common, ...usage, provider: string },
  tool_start: { ...common, ...tool, arguments: anything },
  tool_end: {
    ...common,
    ...tool,
    result: anything,
    result_captured,
    duration_ms: milliseconds,
    status,
  },
  trace_gap: {
    ...common,
    dropped: count.describe('Events that were dropped.'),
    reasons: object.describe('`dropped`, by reason.'),
    from: unixSeconds,
    to: unixSeconds,
  },
} satisfies Record<KnownEventType, Record<string, z.ZodType>>;

export const PatternStartPayloadSchema: z.ZodType<PatternStartPayload> = z.looseObject(
  PAYLOAD_SHAPES.pattern_start,
);
export const PatternEndPayloadSchema: z.ZodType<PatternEndPayload> = z.looseObject(
  PAYLOAD_SHAPES.pattern_end,
);
export const AgentStartPayloadSchema: z.ZodType<AgentStartPayload> = z.looseObject(
  PAYLOAD_SHAPES.agent_start,
);
export const AgentEndPayloadSchema: z.ZodType<AgentEndPayload> = z.looseObject(
  PAYLOAD_SHAPES.agent_end,
);
export const LlmCallPayloadSchema: z.ZodType<LlmCallPayload> = z.looseObject(
  PAYLOAD_SHAPES.llm_call,
);
export const LlmResponsePayloadSchema: z.ZodType<LlmResponsePayload> = z.looseObject(
  PAYLOAD_SHAPES.llm_response,
);
export const RoutingDecisionPayloadSchema: z.ZodType<RoutingDecisionPayload> = z.looseObject(
  PAYLOAD_SHAPES.routing_decision,
);
export const CompressionPayloadSchema: z.ZodType<CompressionPayload> = z.looseObject(
  PAYLOAD_SHAPES.compression,
);
export const ErrorPayloadSchema: z.ZodType<ErrorPayload> = z.looseObject(PAYLOAD_SHAPES.error);
export const CostRecordPayloadSchema: z.ZodType<CostRecordPayload> = z.looseObject(
  PAYLOAD_SHAPES.cost_record,
);
export const ToolStartPayloadSchema: z.ZodType<ToolStartPayload> = z.looseObject(
  PAYLOAD_SHAPES.tool_start,
);
export const ToolEndPayloadSchema: z.ZodType<ToolEndPayload> = z.looseObject(
  PAYLOAD_SHAPES.tool_end,
);
export const TraceGapPayloadSchema: z.ZodType<TraceGapPayload> = z.looseObject(
  PAYLOAD_SHAPES.trace_gap,
);

/** The payload schema of each known event type. */
export const PAYLOAD_SCHEMAS: Readonly<Record<KnownEventType, z.ZodType<TracePayload>>> = {
  pattern_start: PatternStartPayloadSchema,
  pattern_end: PatternEndPayloadSchema,
  agent_start: AgentStartPayloadSchema,
  agent_end: AgentEndPayloadSchema,
  llm_call: LlmCallPayloadSchema,
  llm_response: LlmResponsePayloadSchema,
  routing_decision: RoutingDecisionPayloadSchema,
  compression: CompressionPayloadSchema,
  error: ErrorPayloadSchema,
  cost_record: CostRecordPayloadSchema,
  tool_start: ToolStartPayloadSchema,
  tool_end: ToolEndPayloadSchema,
  trace_gap: TraceGapPayloadSchema,
};
