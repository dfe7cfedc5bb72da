import { comparisons as cost } from './cost.ts';
import { comparisons as create } from './create.ts';
import { comparisons as emit } from './emit.ts';
import type { Comparison } from './harness.ts';
import { comparisons as imports } from './imports.ts';
import { comparisons as jsonl } from './jsonl.ts';
import { comparisons as otel } from './otel.ts';
import { comparisons as read } from './read.ts';
import { comparisons as redact } from './redact.ts';
import { comparisons as spans } from './spans.ts';
import { comparisons as tracer } from './tracer.ts';

/** All benches, by file name. */
export const benches: Readonly<Record<string, readonly Comparison[]>> = {
  emit,
  create,
  tracer,
  jsonl,
  spans,
  otel,
  read,
  redact,
  cost,
  imports,
};
