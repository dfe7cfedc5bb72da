export { JsonlExporter, type JsonlExporterOptions } from './jsonl-exporter.ts';
