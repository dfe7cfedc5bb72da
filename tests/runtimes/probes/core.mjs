import {
  createTraceEvent,
  encodeTraceEvent,
  newSpanId,
  newTraceId,
  TraceError,
  TraceEventBus,
} from '@pyagent-trace/core';

const hostile = () => {
  const cycle = { name: 'cycle', big: 10n, at: new Date(0), not: NaN, map: new Map([['a', 1]]) };
  cycle.self = cycle;
  return cycle;
};

export const features = {
  events: () => {
    const event = createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload: hostile() });
    return [Object.isFrozen(event), encodeTraceEvent(event)];
  },
  ids: () => [/^[0-9a-f]{32}$/.test(newTraceId()), /^[0-9a-f]{16}$/.test(newSpanId())],
  bus: async () => {
    const heard = [];
    const bus = new TraceEventBus({
      onError: (error) => heard.push(`error ${error.message}`),
      processors: [(event) => (event.agent_name === 'hidden' ? undefined : event)],
    });
    bus.subscribeFilter(['error'], () => heard.push('filtered'));
    bus.subscribe((event) => heard.push(event.event_type));
    bus.subscribe(() => {
      throw new Error('mine alone');
    });
    bus.subscribe(async () => {
      await Promise.resolve();
      heard.push('later');
    });
    bus.emit(createTraceEvent({ event_type: 'error' }));
    bus.emit(createTraceEvent({ event_type: 'llm_call', agent_name: 'hidden' }));
    bus.emit({ event_type: 'error', timestamp: 1.7e12 });
    await bus.emitAsync(createTraceEvent({ event_type: 'agent_end' }));
    const receipts = await bus.shutdown();
    return { heard, stats: bus.stats(), receipts };
  },
  errors: () => {
    try {
      return new TraceEventBus({ onEror: () => {} });
    } catch (error) {
      return [TraceError.isInstance(error), error.code, error.message];
    }
  },
};
