export { ConsoleExporter, type ConsoleExporterOptions } from './console-exporter.ts';
export type { ConsoleOutput } from './sink.ts';
