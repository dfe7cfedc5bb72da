import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TraceEventBus } from '@pyagent-trace/core';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { sampleRun } from '@pyagent-trace/core/testing';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
import { brokenRules } from '../contract.mjs';
import { inFolder } from '../folder.mjs';

const rotation = (compress) =>
  inFolder(async (folder) => {
    const rotate = { maxBytes: 4_000, compress };
    const exporter = new JsonlExporter(join(folder, 'run.jsonl'), { rotate });
    for (let run = 1; run <= 5; run++) {
      for (const event of sampleRun({ run })) exporter.exportEvent(event);
      await exporter.flush();
    }
    await exporter.shutdown();
    const events = [];
    const files = readdirSync(folder);
    for (const file of files)
      for await (const event of readTraceEvents(join(folder, file))) events.push(event.event_type);
    return [events.length, files.length > 1, exporter.stats()];
  });

export const features = {
  'a file': inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    const bus = new TraceEventBus();
    bus.attach(new JsonlExporter(path));
    for (const event of sampleRun()) bus.emit(event);
    return [await bus.shutdown(), readFileSync(path, 'utf8')];
  }),
  'process.exit without a flush': inFolder((folder) => {
    const path = join(folder, 'run.jsonl');
    const exporter = new JsonlExporter(path);
    for (const event of sampleRun()) exporter.exportEvent(event);
    // after the exporter's own listener
    process.on('exit', () => console.log(readFileSync(path, 'utf8')));
    process.exit(0);
  }),
  'rotation with gzip': rotation('gzip'),
  'rotation with zstd': rotation('zstd'),
  'durability fsync': inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    const exporter = new JsonlExporter(path, { durability: 'fsync' });
    for (const event of sampleRun()) exporter.exportEvent(event);
    await exporter.shutdown();
    return [exporter.stats(), readFileSync(path, 'utf8')];
  }),
  'the exporter contract': inFolder((folder) => {
    let count = 0;
    return brokenRules(
      () => {
        const path = join(folder, `${(count += 1)}.jsonl`);
        const exporter = new JsonlExporter(path);
        const arrivedSpanIds = () =>
          readFileSync(path, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line).payload.span_id);
        return { exporter, arrivedSpanIds };
      },
      { cannot: ['refuse', 'hang'] },
    );
  }),
};
