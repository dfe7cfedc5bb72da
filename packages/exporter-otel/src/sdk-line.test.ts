import { trace } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { destination } from '../testing/exporter-spans.ts';

/** Where every copy of the API keeps what is registered, and its version. */
const API = Symbol.for('opentelemetry.js.api.1');

describe('OpenTelemetry SDK', () => {
  test('these tests run on the line that the project says, with the API that it asks for', () => {
    trace.setGlobalTracerProvider(destination().tracerProvider);
    const { version } = (globalThis as { [API]?: { version: string } })[API] ?? {};
    trace.disable();
    const is2x = process.env['OTEL_SDK_LINE'] === '2';
    expect(version).toMatch(is2x ? /^1\.9\./ : /^1\.10\./);
    const { resource } = new TracerProvider().getTracer('x').startSpan('x') as unknown as {
      resource: { attributes: Record<string, unknown> };
    };
    expect(resource.attributes['telemetry.sdk.version']).toMatch(is2x ? /^2\./ : /^3\./);
  });
});
