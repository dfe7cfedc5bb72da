import { createTraceEvent } from '@pyagent-trace/core';
import { keepErrors, redact, sample, truncate } from '@pyagent-trace/core/processors';
import { MemoryExporter, sampleRun } from '@pyagent-trace/core/testing';

const event = (payload) => createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload });

export const features = {
  redact: () => {
    const hide = redact({ emails: true, paths: ['user.name'] });
    const key = `sk-proj-${'a1B2'.repeat(12)}`;
    const text = `${key} of ann@example.org`;
    return [hide(event({ text, password: 'p', user: { name: 'Ann' } })), hide.stats()];
  },
  truncate: () => truncate({ maxValueBytes: 100 })(event({ text: 'é'.repeat(1000) })),
  sample: () => {
    const keep = sample({ ratio: 0.5 });
    return Array.from({ length: 64 }, (_, run) => sampleRun({ run: run + 1 })).map(
      (events) => events.filter((one) => keep(one) !== undefined).length,
    );
  },
  keepErrors: async () => {
    const kept = new MemoryExporter();
    const exporter = keepErrors(kept, { minCostUsd: 1 });
    for (const one of sampleRun({ run: 1 })) exporter.exportEvent(one);
    for (const one of sampleRun({ run: 2 }))
      exporter.exportEvent({ ...one, payload: { ...one.payload, cost_usd: 2 } });
    await exporter.shutdown();
    return [kept.events.length, exporter.stats()];
  },
};
