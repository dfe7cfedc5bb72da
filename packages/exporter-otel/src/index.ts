export { PyAgentAttributes } from './attributes.ts';
export { PyAgentIdGenerator, type SpanIds } from './id-generator.ts';
export type { OTelExporterOptions } from './options.ts';
export { OTelExporter } from './otel-exporter.ts';
