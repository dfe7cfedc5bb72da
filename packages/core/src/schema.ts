export { parseOptions } from './options.ts';
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
} from './payloads.ts';
export { parseTraceEvent, TraceEventSchema } from './schema-event.ts';
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
} from './schema-payloads.ts';
