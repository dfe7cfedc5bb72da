import * as z from 'zod';
import type { Processor } from '../bus/gate.ts';
import { parseOptions } from '../schema/options.ts';
import { traceOf } from './read-payload.ts';

export interface SampleOptions {
  /** The share of traces that pass, from 0 to 1. */
  readonly ratio: number;
}

const OptionsSchema = z.strictObject({ ratio: z.number().min(0).max(1) });

const MAX_UINT32 = 0xffffffff;
const W3C_TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/i;

/**
 * Lets a share of the traces pass, whole: which ones follows from `trace_id` alone, so that every process
 * decides the same. A W3C id is judged as OpenTelemetry's `TraceIdRatioBasedSampler` for JavaScript does.
 *
 * Events without a trace id are judged by `pattern_type`, which is their trace; events without either
 * pass. What does not pass is counted by the bus: as `filtered`, or as `dropped` of the exporter.
 *
 * @throws {TraceError} `invalid_option`
 *
 * @example
 * ```ts
 * bus.attach(service, { processors: [sample({ ratio: 0.1 })] });
 * ```
 */
export function sample(options: SampleOptions): Processor {
  const { ratio } = parseOptions(OptionsSchema, options, 'sample');
  const bound = ratio === 1 ? MAX_UINT32 + 1 : Math.floor(ratio * MAX_UINT32);
  const sampleTrace: Processor = (event) => {
    const trace = traceOf(event);
    return trace === '' || scoreOf(trace) < bound ? event : undefined;
  };
  return sampleTrace;
}

/** From 0 to 2^32 - 1, evenly, and the same in every process. */
function scoreOf(trace: string): number {
  return W3C_TRACE_ID.test(trace) ? foldHex(trace) : hash(trace);
}

/** The four words of the id, each a part of it that is random. */
function foldHex(trace: string): number {
  let folded = 0;
  for (let i = 0; i < trace.length; i += 8) folded ^= Number.parseInt(trace.slice(i, i + 8), 16);
  return folded >>> 0;
}

/** FNV-1a, and a step of MurmurHash3: FNV alone leaves names that differ at their end close together. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
