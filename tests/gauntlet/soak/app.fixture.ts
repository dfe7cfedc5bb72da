// A service that is traced by every exporter at once, for as long as it is told. stdout is the console
// exporter's; what there is to say goes to file descriptor 3.
import { writeSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { type TraceExporter, TraceEventBus } from '@pyagent-trace/core';
import { redact, sample as sampleRuns } from '@pyagent-trace/core/processors';
import { createTracer } from '@pyagent-trace/core/tracer';
import { CostTracker, priceTable } from '@pyagent-trace/cost';
import { ConsoleExporter } from '@pyagent-trace/exporter-console';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
import { LangfuseExporter } from '@pyagent-trace/exporter-langfuse';
import { OTelExporter, PyAgentIdGenerator } from '@pyagent-trace/exporter-otel';
import { Watched } from '../app/watched.ts';
import { SPANS_PER_CONVERSATION } from '../scenario.ts';
import { CountingExporter } from './counting-exporter.ts';
import {
  EVENTS_PER_CONVERSATION,
  type ExporterAccount,
  type Sample,
  SECRET,
  type SoakPlan,
  type SoakReport,
} from './plan.ts';

const ROTATE_BYTES = 32 * 1024 * 1024;
const TICK_MS = 10;
const LOOK_EVERY = 97;
/** With more that waits, the machine is too busy to go on: the program waits as well. */
const MAX_WAITING_EVENTS = 20_000;
const SAMPLE_RATIO = 0.1;
const MAX_CATCH_UP_MS = 500;
const REPORT_FD = 3;

const plan = JSON.parse(process.argv[2] ?? '') as SoakPlan;

let told = 0;
const tell = (): void => void (told += 1);
const ignore = (): void => {};
diag.setLogger({ error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore });
process.env['OTEL_BSP_SCHEDULE_DELAY'] = '500';
process.env['OTEL_BSP_MAX_QUEUE_SIZE'] = '65536';
const sent = new CountingExporter(new OTLPTraceExporter({ url: plan.otelUrl }));
const idGenerator = new PyAgentIdGenerator();
const sdk = new NodeSDK({
  serviceName: 'soak',
  idGenerator,
  traceExporter: sent,
  metricReaders: [],
  logRecordProcessors: [],
  autoDetectResources: false,
});
sdk.start();

const redactor = redact();
const bus = new TraceEventBus({ processors: [redactor] });
const keys = { publicKey: 'pk-lf-soak', secretKey: 'sk-lf-soak' };
const otel = new OTelExporter({ idGenerator, captureContent: true });
const prices = priceTable({ 'gpt-4o': { inputUsdPerMillion: 2.5, outputUsdPerMillion: 10 } });
const tracker = new CostTracker({ bus, prices });
const watch = (exporter: TraceExporter): Watched => new Watched(exporter, LOOK_EVERY);
const exporters = {
  console: watch(new ConsoleExporter({ format: 'line' })),
  jsonl: watch(new JsonlExporter(plan.file, { rotate: { maxBytes: ROTATE_BYTES } })),
  otel: watch(otel),
  'langfuse-otlp': watch(
    new LangfuseExporter({ ...keys, baseUrl: plan.langfuseUrl, transport: 'otlp' }),
  ),
  'langfuse-package': watch(
    new LangfuseExporter({ ...keys, baseUrl: plan.langfusePackageUrl, transport: 'langfuse' }),
  ),
  cost: watch(tracker),
};
for (const [name, exporter] of Object.entries(exporters)) {
  // the package takes some hundred observations a second
  const processors = name === 'langfuse-package' ? [sampleRuns({ ratio: SAMPLE_RATIO })] : [];
  bus.attach(exporter, { processors });
}
const tracer = createTracer(bus, { interceptors: [otel.interceptor] });

const ASKED = { role: 'user', content: `Should we buy? The key is ${SECRET}.` };

let blockedMs = 0;
let roundMs = performance.now();
const startMs = roundMs;
const samples: Sample[] = [];
setInterval(() => {
  const nowMs = performance.now();
  blockedMs = Math.max(blockedMs, nowMs - roundMs - TICK_MS);
  roundMs = nowMs;
}, TICK_MS).unref();
setInterval(sample, plan.sampleEveryMs).unref();

const conversations = await emitSteadily();
const seconds = (performance.now() - startMs) / 1_000;
await bus.flush({ timeoutMs: 30_000 });
sample();
await bus.shutdown({ timeoutMs: 30_000 });
await sdk.shutdown();
const { user, system } = process.cpuUsage();
const report: SoakReport = {
  seconds,
  conversations,
  exporters: {
    console: accountOf(exporters.console),
    jsonl: accountOf(exporters.jsonl),
    otel: accountOf(exporters.otel),
    'langfuse-otlp': accountOf(exporters['langfuse-otlp']),
    'langfuse-package': accountOf(exporters['langfuse-package']),
    cost: accountOf(exporters.cost),
  },
  bus: bus.stats(),
  redacted: redactor.stats().redacted,
  cost: { entries: tracker.summary().entries, usd: tracker.totalCost },
  samples,
  blockedMs: Math.round(blockedMs),
  cpuSeconds: (user + system) / 1e6,
  told,
};
writeSync(REPORT_FD, JSON.stringify(report));

/** As many conversations as are due, every few milliseconds. Returns how many there were. */
async function emitSteadily(): Promise<number> {
  const perMs = plan.eventsPerSecond / EVENTS_PER_CONVERSATION / 1_000;
  let held = 0;
  let due = 0;
  for (let beforeMs = startMs; ;) {
    const nowMs = performance.now();
    if (nowMs - startMs >= plan.seconds * 1_000) return held;
    // what the machine had no time for is not made up for
    due += Math.min(nowMs - beforeMs, MAX_CATCH_UP_MS) * perMs;
    beforeMs = nowMs;
    const count = Math.floor(due);
    if (waiting(held) > MAX_WAITING_EVENTS) due = 0;
    else {
      await Promise.all(Array.from({ length: count }, converse));
      held += count;
      due -= count;
    }
    await setTimeout(TICK_MS);
  }
}

/** Events that the slowest exporter has yet to deliver, the SDK's included. */
function waiting(conversations_: number): number {
  const unsent = (conversations_ - sent.spans / SPANS_PER_CONVERSATION) * EVENTS_PER_CONVERSATION;
  const pending = Object.values(exporters).map((exporter) => exporter.stats().pending);
  return Math.max(unsent, ...pending);
}

async function converse(): Promise<void> {
  await tracer.pattern('debate', { input: 'Should we buy?' }, () =>
    tracer.agent('bull', { role: 'advocate' }, () =>
      tracer.llmCall(
        { provider: 'openai', model: 'gpt-4o', messages_in: [ASKED] },
        async (call) => {
          await setImmediate();
          call.respond({ response: 'Buy.', input_tokens: 12, output_tokens: 2 });
        },
      ),
    ),
  );
}

function accountOf(exporter: Watched): ExporterAccount {
  const { given, looks, broken } = exporter;
  return { given, looks, broken, stats: exporter.stats() };
}

/** What is in use once everything is collected that can be. */
function sample(): void {
  if (gc === undefined) throw new Error('run it with --expose-gc');
  gc();
  const { heapUsed, rss } = process.memoryUsage();
  samples.push({
    atSeconds: Math.round((performance.now() - startMs) / 100) / 10,
    heapBytes: heapUsed,
    rssBytes: rss,
  });
}
