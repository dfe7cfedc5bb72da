import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { OTelExporter } from '@pyagent-trace/exporter-otel';
import { describe, expect, test } from 'vitest';
import { exportAll, providerFor, writeAll } from './otel.ts';
import { sampleTriples } from './samples.ts';

describe('the spans of the otel bench', () => {
  test('are the same by hand as by the exporter', async () => {
    const events = sampleTriples(2);
    const byHand: ReadableSpan[] = [];
    const exported: ReadableSpan[] = [];

    writeAll(providerFor((span) => byHand.push(span)).getTracer('bench'), events);
    const exporter = new OTelExporter({
      tracerProvider: providerFor((span) => exported.push(span)),
    });
    exportAll(exporter, events);

    expect(exported.map(content)).toEqual(byHand.map(content));
    expect(byHand).toHaveLength(6);
    await exporter.shutdown();
  });
});

function content({ name, kind, attributes, status, events }: ReadableSpan): object {
  return { name, kind, attributes, status, events };
}
