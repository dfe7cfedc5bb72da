import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { TraceEventBus } from '@pyagent-trace/core';
import { sampleRun } from '@pyagent-trace/core/testing';
import { createTracer } from '@pyagent-trace/core/tracer';
import { OTelExporter, PyAgentIdGenerator, tracedAgent } from '@pyagent-trace/exporter-otel';

function start() {
  const spans = new InMemorySpanExporter();
  const idGenerator = new PyAgentIdGenerator();
  const spanProcessors = [new SimpleSpanProcessor({ exporter: spans })];
  const tracerProvider = new TracerProvider({ idGenerator, spanProcessors });
  return { spans, idGenerator, tracerProvider };
}

const shape = (span) => [
  span.name,
  span.spanContext().spanId,
  span.parentSpanContext?.spanId,
  span.attributes,
];

export const features = {
  spans: async () => {
    const { spans, ...options } = start();
    const bus = new TraceEventBus();
    bus.attach(new OTelExporter(options));
    for (const event of sampleRun()) bus.emit(event);
    return [await bus.flush(), spans.getFinishedSpans().map(shape)];
  },
  'spans of other instrumentations': async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const { spans, ...options } = start();
    const bus = new TraceEventBus();
    const exporter = new OTelExporter(options);
    bus.attach(exporter);
    const tracer = createTracer(bus, { interceptors: [exporter.interceptor] });
    await tracer.agent('bull', () =>
      tracer.tool('fetch', {}, async () => {
        await Promise.resolve();
        options.tracerProvider.getTracer('http').startSpan('GET').end();
      }),
    );
    await bus.flush();
    const named = new Map(spans.getFinishedSpans().map((span) => [span.name, span]));
    const parent = named.get('GET').parentSpanContext?.spanId;
    return [...named].find(([, span]) => span.spanContext().spanId === parent)?.[0];
  },
  helpers: async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const { spans, tracerProvider } = start();
    const agent = tracedAgent(
      { name: 'bull', run: async (task) => [task, trace.getActiveSpan() !== undefined] },
      { tracerProvider },
    );
    return [await agent.run('Buy?'), spans.getFinishedSpans().map(({ name }) => name)];
  },
};
