import { hostilePayloads, MemoryExporter, sampleRun } from '@pyagent-trace/core/testing';
import { brokenRules } from '../contract.mjs';

const options = { cannot: ['refuse', 'hang'] };

/** The memory exporter behind one that breaks a rule. */
const subjectOf = (Exporter) => () => {
  const exporter = new Exporter();
  return {
    exporter,
    arrivedSpanIds: () => [...new Set(exporter.events.map(({ payload }) => payload.span_id))],
  };
};

class Restless extends MemoryExporter {
  constructor() {
    super();
    const { exportEvent } = this;
    this.exportEvent = (event) => {
      setTimeout(() => {}, 500);
      exportEvent(event);
    };
  }
}

export const features = {
  'the exporter contract': () => brokenRules(subjectOf(MemoryExporter), options),
  'finding a timer that keeps the process alive': async () => {
    const broken = await brokenRules(subjectOf(Restless), options);
    return broken.map((line) => line.split(':')[0]);
  },
  samples: () => [sampleRun().length, hostilePayloads().map(({ name }) => name)],
};
