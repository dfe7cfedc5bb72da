import type { Measurement } from './harness/table.ts';

/** All benches, by file name. Each is loaded where it runs: what a peer's import does stays with that bench. */
export const benches: Readonly<Record<string, () => Promise<readonly Measurement[]>>> = {
  emit: async () => (await import('./emit.ts')).measurements,
  create: async () => (await import('./create.ts')).measurements,
  tracer: async () => (await import('./tracer.ts')).measurements,
  jsonl: async () => (await import('./jsonl.ts')).measurements,
  spans: async () => (await import('./spans.ts')).measurements,
  otel: async () => (await import('./otel.ts')).measurements,
  langfuse: async () => (await import('./langfuse.ts')).measurements,
  read: async () => (await import('./read.ts')).measurements,
  redact: async () => (await import('./redact.ts')).measurements,
  cost: async () => (await import('./cost.ts')).measurements,
  replay: async () => (await import('./replay.ts')).measurements,
  imports: async () => (await import('./imports.ts')).measurements,
  sizes: async () => (await import('./sizes.ts')).measurements,
  growth: async () => (await import('./growth.ts')).measurements,
};
