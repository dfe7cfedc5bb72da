import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { objectWith } from '@pyagent-trace/core/schema';
import * as z from 'zod';
import type { PyAgentIdGenerator } from './id-generator.ts';

export interface OTelExporterOptions {
  /** @default '@pyagent-trace/exporter-otel' */
  readonly tracerName?: string;
  /** @default the version of this package */
  readonly tracerVersion?: string;
  /** @default the global one, looked up for each span: it may be registered later */
  readonly tracerProvider?: TracerProvider;
  /** The instance that the app gave its SDK: then OpenTelemetry's ids are those of the events. */
  readonly idGenerator?: PyAgentIdGenerator;
  /**
   * Whether prompts, answers, arguments and results are on the spans.
   *
   * @default OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, else false
   */
  readonly captureContent?: boolean;
  /**
   * Of one text, in UTF-16 code units; the rest is cut off. An attribute has at most 256 KiB in any case.
   *
   * @default 16_384
   */
  readonly maxContentChars?: number;
  /**
   * What a run hangs under that begins inside a span of somebody else, such as an HTTP server's:
   * `active` makes it that span's child, `none` a root.
   *
   * @default 'active'
   */
  readonly parent?: 'active' | 'none';
  /**
   * Records the histograms `gen_ai.client.operation.duration` and `gen_ai.client.token.usage` of model
   * calls. Metrics have the time they are recorded at: leave it off for a replay of old events.
   *
   * @default false
   */
  readonly metrics?: boolean;
  /** @default the global one, looked up for each call */
  readonly meterProvider?: MeterProvider;
}

const CAPTURE_CONTENT = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
/** What the variable says where content belongs on spans. Its `event_only` means "not on spans". */
const ON = new Set(['true', '1', 'span', 'span_only', 'span_and_event']);

export const OptionsSchema = z.strictObject({
  tracerName: z.string().min(1).default('@pyagent-trace/exporter-otel'),
  tracerVersion: z.string().optional(),
  tracerProvider: objectWith<TracerProvider>('getTracer', 'a TracerProvider').optional(),
  idGenerator: objectWith<PyAgentIdGenerator>('withIds', 'a PyAgentIdGenerator').optional(),
  captureContent: z.boolean().default(() => {
    const setting = process.env[CAPTURE_CONTENT] ?? '';
    return ON.has(setting.trim().toLowerCase());
  }),
  maxContentChars: z.int().positive().default(16_384),
  parent: z.enum(['active', 'none']).default('active'),
  metrics: z.boolean().default(false),
  meterProvider: objectWith<MeterProvider>('getMeter', 'a MeterProvider').optional(),
});
