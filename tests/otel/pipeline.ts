// OpenTelemetry as an app sets it up, from the bus to a backend that listens on this machine.
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { type TraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import {
  OTelExporter,
  type OTelExporterOptions,
  PyAgentIdGenerator,
} from '@pyagent-trace/exporter-otel';
import { type OtlpReceiver, startOtlpReceiver } from '../../apps/demo/src/otlp-receiver.ts';

export interface PipelineOptions {
  readonly encoding?: 'protobuf' | 'json';
  /** Without it spans have ids of OpenTelemetry's own. */
  readonly sameIds?: boolean;
  readonly sdk?: Partial<NodeSDKConfiguration>;
  readonly exporter?: OTelExporterOptions;
}

export interface Pipeline {
  readonly receiver: OtlpReceiver;
  readonly exporter: OTelExporter;
  readonly bus: TraceEventBus;
  readonly tracer: Tracer;
  /** All that the bus carried. */
  readonly events: readonly TraceEvent[];
  /** Ends exporter and SDK, as an app does before it ends itself. */
  end(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startPipeline({
  encoding = 'protobuf',
  sameIds = true,
  sdk: sdkOptions,
  exporter: exporterOptions,
}: PipelineOptions = {}): Promise<Pipeline> {
  const receiver = await startOtlpReceiver();
  const Exporter = encoding === 'json' ? JsonExporter : ProtobufExporter;
  const idGenerator = sameIds ? { idGenerator: new PyAgentIdGenerator() } : {};
  const sdk = new NodeSDK({
    serviceName: 'otel-tests',
    ...idGenerator,
    traceExporter: new Exporter({ url: receiver.url }),
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
    ...sdkOptions,
  });
  sdk.start();

  const bus = new TraceEventBus();
  const exporter = new OTelExporter({ ...idGenerator, ...exporterOptions });
  bus.attach(exporter);
  const events: TraceEvent[] = [];
  bus.subscribe((event) => void events.push(event));

  async function end(): Promise<void> {
    await bus.shutdown();
    await sdk.shutdown();
  }
  return {
    receiver,
    exporter,
    bus,
    tracer: createTracer(bus, { interceptors: [exporter.interceptor] }),
    events,
    end,
    async [Symbol.asyncDispose]() {
      await end();
      await receiver[Symbol.asyncDispose]();
      // the SDK registers itself for the whole process
      for (const api of [trace, context, propagation, metrics]) api.disable();
    },
  };
}
