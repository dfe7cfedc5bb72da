// OpenTelemetry as an app sets it up, with a backend in this very process: what it shows has been over HTTP.
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { OTelExporter, PyAgentIdGenerator } from '@pyagent-trace/exporter-otel';
import { startOtlpReceiver } from './otlp-receiver.ts';
import { formatSpanTree } from './span-tree.ts';

export interface OpenTelemetry {
  readonly exporter: OTelExporter;
  /** Ends the SDK and says what the backend received. */
  end(): Promise<string>;
}

export async function startOpenTelemetry(): Promise<OpenTelemetry> {
  const receiver = await startOtlpReceiver();
  // Given to the SDK and to the exporter, so that spans have the ids of the events.
  const idGenerator = new PyAgentIdGenerator();
  const sdk = new NodeSDK({
    serviceName: 'pyagent-trace-demo',
    idGenerator,
    traceExporter: new OTLPTraceExporter({ url: receiver.url }),
    // traces alone
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return {
    exporter: new OTelExporter({ idGenerator }),
    async end() {
      await sdk.shutdown();
      await receiver[Symbol.asyncDispose]();
      return `Received over OTLP: ${receiver.spans.length} spans\n${formatSpanTree(receiver.spans)}`;
    },
  };
}
