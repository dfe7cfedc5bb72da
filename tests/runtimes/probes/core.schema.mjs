import { parseTraceEvent, PAYLOAD_SCHEMAS, TraceEventSchema } from '@pyagent-trace/core/schema';

export const features = {
  events: () => {
    const line = '{"timestamp":1,"event_type":"llm_call","payload":{"__proto__":{"a":1}}}';
    const event = parseTraceEvent(JSON.parse(line));
    try {
      return parseTraceEvent({ ...event, timestamp: 1e12 });
    } catch (error) {
      return [JSON.stringify(event), error.code, error.message];
    }
  },
  payloads: () => [
    Object.keys(PAYLOAD_SCHEMAS),
    PAYLOAD_SCHEMAS.llm_call.safeParse({ model: 1 }).error?.issues,
    TraceEventSchema.safeParse({}).success,
  ],
};
