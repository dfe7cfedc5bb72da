export { JsonlExporter, type JsonlExporterStats } from './jsonl-exporter.ts';
export type { JsonlExporterOptions, RotateOptions } from './options.ts';
export type { RotationStats } from './rotation.ts';
