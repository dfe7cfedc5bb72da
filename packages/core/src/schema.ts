export { objectWith, parseOptions } from './schema/options.ts';
export type {
  AgentEndPayload,
  AgentStartPayload,
  CommonPayload,
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
} from './schema/payloads.ts';
export { parseTraceEvent, TraceEventSchema } from './schema/event.ts';
export {
  AgentEndPayloadSchema,
  AgentStartPayloadSchema,
  CompressionPayloadSchema,
  CostRecordPayloadSchema,
  ErrorPayloadSchema,
  LlmCallPayloadSchema,
  LlmResponsePayloadSchema,
  PatternEndPayloadSchema,
  PatternStartPayloadSchema,
  PAYLOAD_SCHEMAS,
  RoutingDecisionPayloadSchema,
  ToolEndPayloadSchema,
  ToolStartPayloadSchema,
  TraceGapPayloadSchema,
} from './schema/payload-schemas.ts';
