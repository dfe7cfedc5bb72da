import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';

type ExportArguments = Parameters<OTLPTraceExporter['export']>;

/** Counts the spans that OpenTelemetry's SDK has sent, or given up. */
export class CountingExporter {
  spans = 0;
  readonly #exporter: OTLPTraceExporter;

  constructor(exporter: OTLPTraceExporter) {
    this.#exporter = exporter;
  }

  export(...[spans, done]: ExportArguments): void {
    this.#exporter.export(spans, (result) => {
      this.spans += spans.length;
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush();
  }
}
