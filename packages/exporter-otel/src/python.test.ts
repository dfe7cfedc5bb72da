import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { describe, expect, test } from 'vitest';
import { setUp } from '../testing/exporter-spans.ts';
import { PyAgentIdGenerator } from './index.ts';

const FILES = ['events.jsonl', 'recording.jsonl'].map((name) => ({
  name,
  path: fileURLToPath(new URL(`../../../../shared/vectors/${name}`, import.meta.url)),
}));

describe.each(FILES)('Python’s $name', ({ path }) => {
  const missing = !existsSync(path);
  test.skipIf(missing)(
    `becomes spans, each under one that exists, and every event is counted${missing ? ' (skipped: the file is absent)' : ''}`,
    async () => {
      const { exporter, spans } = setUp({
        captureContent: true,
        idGenerator: new PyAgentIdGenerator(),
      });
      let given = 0;
      for await (const event of readTraceEvents(path)) {
        exporter.exportEvent(event);
        given += 1;
      }
      await exporter.shutdown();
      const { accepted, delivered, failed, pending } = exporter.stats();
      expect([accepted, delivered + failed, pending]).toEqual([given, given, 0]);
      expect(delivered).toBeGreaterThan(given / 2);
      const known = new Set(spans().map(({ traceId, spanId }) => traceId + spanId));
      const lost = spans().filter(
        ({ traceId, parentId }) => parentId !== undefined && !known.has(traceId + parentId),
      );
      expect(lost).toEqual([]);
      for (const { attributes } of spans())
        for (const value of Object.values(attributes))
          expect(['string', 'number', 'boolean', 'object']).toContain(typeof value);
    },
  );
});
