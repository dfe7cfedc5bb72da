// What a page does with core alone.
import {
  createTraceEvent,
  encodeTraceEvent,
  newSpanId,
  newTraceId,
  TraceEventBus,
} from '@pyagent-trace/core';

const lines = [];
const bus = new TraceEventBus({ processors: [(event) => event] });
bus.subscribe((event) => {
  lines.push(encodeTraceEvent(event));
});
const payload = { trace_id: newTraceId(), span_id: newSpanId(), model: 'm' };
bus.emit(createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload }));
bus.emit(createTraceEvent({ event_type: 'llm_response', payload }));
const { emitted, accepted, errors } = bus.stats();
const now = Date.now() / 1000;
const age = now - JSON.parse(lines[1]).timestamp;

globalThis.result = {
  line: lines[0].replaceAll(/[0-9a-f]{16,32}/g, '<id>'),
  stats: { emitted, accepted, errors },
  isNow: age > -1 && age < 60,
};
