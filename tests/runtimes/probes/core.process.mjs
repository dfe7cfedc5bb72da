import { TraceEventBus } from '@pyagent-trace/core';
import { flushOnExit } from '@pyagent-trace/core/process';
import { MemoryExporter } from '@pyagent-trace/core/testing';

function start() {
  const exporter = new MemoryExporter();
  exporter.flush = async () => {
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
    console.log('flushed');
  };
  const bus = new TraceEventBus();
  bus.attach(exporter);
  flushOnExit(bus, { timeoutMs: 2_000 });
}

/** Something left to do: a signal alone does not keep a process alive. */
const stayAlive = () => setTimeout(() => {}, 5_000);

export const features = {
  'a natural end': () => start(),
  'SIGTERM that nobody else hears': () => {
    start();
    stayAlive();
    process.kill(process.pid, 'SIGTERM');
  },
  'SIGTERM that the app hears': () => {
    start();
    stayAlive();
    process.once('SIGTERM', () => setTimeout(() => process.exit(3), 100));
    process.kill(process.pid, 'SIGTERM');
  },
};
