export { LangfuseExporter, type LangfuseExporterStats } from './langfuse-exporter.ts';
export type { LangfuseClient } from './client.ts';
export type { Mask } from './content.ts';
export type { LangfuseExporterOptions } from './options.ts';
