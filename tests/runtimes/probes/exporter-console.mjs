import { spawn } from 'node:child_process';
import { TraceEventBus } from '@pyagent-trace/core';
import { sampleRun } from '@pyagent-trace/core/testing';
import { ConsoleExporter } from '@pyagent-trace/exporter-console';

async function print(options) {
  const bus = new TraceEventBus();
  bus.attach(new ConsoleExporter(options));
  for (const event of sampleRun()) bus.emit(event);
  return bus.shutdown();
}

export const features = {
  'one line per event': () => print({ format: 'line' }),
  'a tree': () => print({ format: 'pretty', columns: 80, color: true }),
  'a pipe that nobody reads': async () => {
    // the reader of this process's own standard output has gone: `probe | true` by hand
    if (process.argv[4] === undefined) {
      const args = [...process.execArgv, ...process.argv.slice(1), 'writes'];
      const shell = ['-c', '{ "$0" "$@"; } | true', process.execPath, ...args];
      const child = spawn('sh', shell, { stdio: ['ignore', 'ignore', 'pipe'] });
      const chunks = [];
      child.stderr.on('data', (chunk) => chunks.push(chunk));
      await new Promise((resolve) => {
        child.on('close', resolve);
      });
      return Buffer.concat(chunks).toString();
    }
    const bus = new TraceEventBus();
    bus.attach(new ConsoleExporter({ format: 'line' }));
    const end = Date.now() + 3_000;
    for (;;) {
      for (const event of sampleRun()) bus.emit(event);
      const [receipt] = await bus.flush();
      if (receipt.dropped > 0) break;
      if (Date.now() > end) throw new Error('nothing is dropped');
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    }
    const [receipt] = await bus.shutdown();
    console.error('dropped, and', receipt.pending, 'pending');
    return undefined;
  },
};
