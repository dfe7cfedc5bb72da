export {
  type ContractCase,
  exporterContract,
  type ExporterContractOptions,
} from './exporter-contract.ts';
export type { ExporterSubject } from './exporter-subject.ts';
export { type HostilePayload, hostilePayloads } from './hostile-payloads.ts';
export { MemoryExporter } from './memory-exporter.ts';
export { sampleRun, type SampleRunOptions } from './sample-run.ts';
