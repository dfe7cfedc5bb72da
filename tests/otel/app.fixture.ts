// For tests: a program that is traced through OpenTelemetry and ends by itself. The SDK is set up by the
// environment; the first argument says how the program ends.
import { NodeSDK } from '@opentelemetry/sdk-node';
import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';
import { OTelExporter, PyAgentIdGenerator } from '@pyagent-trace/exporter-otel';

const [, , how = 'in order'] = process.argv;
const RUNS = 100;

const idGenerator = new PyAgentIdGenerator();
const sdk = new NodeSDK({ serviceName: 'app', idGenerator });
if (how !== 'without an SDK') sdk.start();
const exporter = new OTelExporter({ idGenerator });
const bus = new TraceEventBus();
bus.attach(exporter);
const tracer = createTracer(bus, { interceptors: [exporter.interceptor] });

for (let run = 0; run < RUNS; run++)
  await tracer.pattern('debate', () =>
    tracer.agent('bull', () =>
      tracer.llmCall({ provider: 'openai', model: 'gpt-4o' }, async (call) => {
        call.respond({ input_tokens: 512, output_tokens: 20 });
      }),
    ),
  );

if (how !== 'without a word') {
  await exporter.shutdown();
  // rejects when the backend is down: that is the app's own SDK, and its own business
  await sdk.shutdown().catch(() => {});
}
console.log(JSON.stringify(exporter.stats()));
