import { SpanAssembler } from '@pyagent-trace/core/spans';
import { sampleRun } from '@pyagent-trace/core/testing';

export const features = {
  spans: () => {
    const spans = [];
    const assembler = new SpanAssembler({ onEnd: (span) => spans.push(span) });
    for (const event of sampleRun().slice(0, -1)) assembler.add(event);
    assembler.shutdown();
    return { spans, stats: assembler.stats() };
  },
};
