// The exporters as an app sets them up. Each is loaded alone: a program that prints loads no SDK.
import type { TraceExporter } from '@pyagent-trace/core';
import type { Interceptor } from '@pyagent-trace/core/tracer';
import type { Scenario, SubjectName } from '../scenario.ts';

export interface Opened {
  readonly exporter: TraceExporter;
  readonly interceptors?: readonly Interceptor[];
  /** What the app does after the shutdown of its bus. */
  end?(): Promise<void>;
  /** How many lines the vendor's SDK gave its logger. */
  told?(): number;
}

/** How long one request may take: short, since most destinations here do not answer in any time. */
const REQUEST_TIMEOUT_MS = 1_000;

const ignore = (): void => {};

const openers: Record<SubjectName, (scenario: Scenario) => Promise<Opened>> = {
  console: async () => {
    const { ConsoleExporter } = await import('@pyagent-trace/exporter-console');
    return { exporter: new ConsoleExporter({ format: 'line' }) };
  },
  jsonl: async ({ address }) => {
    const { JsonlExporter } = await import('@pyagent-trace/exporter-jsonl');
    return { exporter: new JsonlExporter(address) };
  },
  otel: openOTel,
  'langfuse-otlp': (scenario) => openLangfuse(scenario, 'otlp'),
  'langfuse-package': (scenario) => openLangfuse(scenario, 'langfuse'),
};

export async function open({ subject, ...scenario }: Scenario): Promise<Opened | undefined> {
  return subject === 'none' ? undefined : openers[subject]({ subject, ...scenario });
}

async function openOTel({ address, littleRoom }: Scenario): Promise<Opened> {
  const { diag } = await import('@opentelemetry/api');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const { OTelExporter, PyAgentIdGenerator } = await import('@pyagent-trace/exporter-otel');
  let lines = 0;
  const tell = (): void => void (lines += 1);
  diag.setLogger({ error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore });
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '100';
  process.env['OTEL_BSP_EXPORT_TIMEOUT'] = String(REQUEST_TIMEOUT_MS);
  process.env['OTEL_BSP_MAX_QUEUE_SIZE'] = littleRoom ? '64' : '8192';
  if (littleRoom) process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'] = '64';
  const idGenerator = new PyAgentIdGenerator();
  const sdk = new NodeSDK({
    serviceName: 'gauntlet',
    idGenerator,
    traceExporter: new OTLPTraceExporter({ url: address, timeoutMillis: REQUEST_TIMEOUT_MS }),
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  });
  sdk.start();
  const exporter = new OTelExporter({ idGenerator, captureContent: true });
  return {
    exporter,
    interceptors: [exporter.interceptor],
    end: () => sdk.shutdown().catch(tell),
    told: () => lines,
  };
}

async function openLangfuse(
  { address, littleRoom }: Scenario,
  transport: 'otlp' | 'langfuse',
): Promise<Opened> {
  const { LangfuseExporter } = await import('@pyagent-trace/exporter-langfuse');
  const exporter = new LangfuseExporter({
    publicKey: 'pk-lf-gauntlet',
    secretKey: 'sk-lf-gauntlet',
    baseUrl: address,
    transport,
    flushIntervalMs: 100,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ...(littleRoom && { maxQueueBytes: 1024 * 1024 }),
  });
  return { exporter };
}
