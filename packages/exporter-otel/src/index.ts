export { PyAgentAttributes } from './attributes.ts';
export { PyAgentIdGenerator, type SpanIds } from './id-generator.ts';
export type { OTelExporterOptions } from './options.ts';
export { OTelExporter } from './otel-exporter.ts';
export { PatternSpanEmitter, type PatternResult } from './pattern-span-emitter.ts';
export type { SpanHelperOptions } from './helper-span.ts';
export { type PatternClass, tracedPattern } from './traced-pattern.ts';
export { tracedAgent } from './traced-agent.ts';
export type { Runnable } from './trace-run.ts';
