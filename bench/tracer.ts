// What does a traced pattern → agent → model call cost, beside three nested spans or runs of others?
import { comparing, type Goal } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import { bareAsync, bareSync } from './tracer/bare.ts';
import { langsmithAsync } from './tracer/langsmith.ts';
import { openaiAgentsAsync } from './tracer/openai-agents.ts';
import { openinferenceAsync, openinferenceSync } from './tracer/openinference.ts';
import { otelAsync, otelSync } from './tracer/otel.ts';
import { tracerAsync, tracerSync } from './tracer/pyagent-trace.ts';

const NOTE =
  'createTracer and OpenTelemetry record 13 attributes per triple besides names, ids, times and status, mark ' +
  'success, and would record a throw; OpenTelemetry gets its messages as a string made beforehand. ' +
  'The others record the same texts, names and token counts as their interfaces take them: LangSmith and ' +
  'OpenInference wrap each function once, OpenInference writes messages and parameters as attributes with ' +
  'getLLMAttributes, OpenAI Agents keeps what it is given. Nothing is exported: a subscriber, a span ' +
  'processor, a tracing processor and a LangSmith client count what they get.';

const GOAL: Goal = { ratio: 0.6, remains: 'It makes and delivers six events for three spans.' };

export const measurements: readonly Measurement[] = comparing(
  {
    title: 'a traced triple, asynchronous functions',
    per: 'triple',
    iterations: 10_000,
    rounds: 15,
    subjects: [tracerAsync(GOAL), langsmithAsync, openaiAgentsAsync, openinferenceAsync, bareAsync],
    peer: otelAsync,
    note: NOTE,
  },
  {
    title: 'a traced triple, synchronous functions',
    per: 'triple',
    iterations: 20_000,
    rounds: 15,
    subjects: [tracerSync(GOAL), openinferenceSync, bareSync],
    peer: otelSync,
    note: 'As above. LangSmith and OpenAI Agents make a promise of every result.',
  },
);
