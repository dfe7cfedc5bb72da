// What does a span made of events cost, beside the same span written by hand with the OpenTelemetry API?
import { ROOT_CONTEXT, SpanKind, trace, type Tracer } from '@opentelemetry/api';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import type { TraceEvent } from '@pyagent-trace/core';
import { OTelExporter } from '@pyagent-trace/exporter-otel';
import { comparing, type Goal, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import { EVENTS_PER_TRIPLE, sampleTriples } from './samples.ts';

const SPANS_PER_TRIPLE = 3;
const GOAL: Goal = {
  ratio: 1.5,
  remains:
    'The two events of a span are paired first, which takes as long as the span itself (see spans); ' +
    'code written by hand has its span in a variable.',
};

export const measurements: readonly Measurement[] = comparing({
  title: 'a span of a pattern, an agent or a model call',
  per: 'span',
  iterations: 8_000 * SPANS_PER_TRIPLE,
  rounds: 15,
  subjects: [exported()],
  peer: handWritten(),
  note:
    'Both make the same three spans with the same attributes, through the same SDK, for a span ' +
    'processor that only counts. The exporter begins with events, whose making is measured under tracer.',
});

function exported(): Subject {
  return subject('OTelExporter', GOAL, (onEnd) => {
    const exporter = new OTelExporter({ tracerProvider: providerFor(onEnd) });
    return { write: (events) => exportAll(exporter, events), stop: () => exporter.shutdown() };
  });
}

function handWritten(): Subject {
  return subject('hand-written OpenTelemetry spans', undefined, (onEnd) => {
    const tracer = providerFor(onEnd).getTracer('bench');
    return { write: (events) => writeAll(tracer, events) };
  });
}

interface Writer {
  /** Makes the spans of the events of whole triples. */
  readonly write: (events: readonly TraceEvent[]) => void;
  readonly stop?: () => Promise<void>;
}

function subject(
  name: string,
  goal: Goal | undefined,
  open: (onEnd: () => void) => Writer,
): Subject {
  return {
    name,
    goal,
    start() {
      let ended = 0;
      const { write, stop } = open(() => {
        ended += 1;
      });
      let events: TraceEvent[] = [];
      return {
        prepare(iterations) {
          events = sampleTriples(iterations / SPANS_PER_TRIPLE);
        },
        round() {
          const before = ended;
          write(events);
          return ended - before;
        },
        ...(stop && { stop }),
      };
    },
  };
}

export function providerFor(onEnd: (span: ReadableSpan) => void): TracerProvider {
  return new TracerProvider({
    spanProcessors: [{ onStart() {}, onEnd, forceFlush: async () => {}, shutdown: async () => {} }],
  });
}

export function exportAll(exporter: OTelExporter, events: readonly TraceEvent[]): void {
  for (const event of events) exporter.exportEvent(event);
}

/** What an app would write around its own pattern, agent and call; the values are those of the events. */
export function writeAll(tracer: Tracer, events: readonly TraceEvent[]): void {
  for (let i = 0; i < events.length; i += EVENTS_PER_TRIPLE) {
    const [patternStart, agentStart, callStart, callEnd, agentEnd, patternEnd] = events
      .slice(i, i + EVENTS_PER_TRIPLE)
      .map(({ payload }) => payload) as unknown as Payloads;

    const pattern = tracer.startSpan(
      'invoke_workflow debate',
      {
        kind: SpanKind.INTERNAL,
        attributes: {
          'gen_ai.operation.name': 'invoke_workflow',
          'gen_ai.workflow.name': 'debate',
          'openinference.span.kind': 'CHAIN',
          'pyagent.pattern.type': 'debate',
          'pyagent.trace_id': patternStart.trace_id,
          'pyagent.span_id': patternStart.span_id,
        },
      },
      ROOT_CONTEXT,
    );
    const inPattern = trace.setSpan(ROOT_CONTEXT, pattern);

    const agent = tracer.startSpan(
      'invoke_agent bull',
      {
        kind: SpanKind.INTERNAL,
        attributes: {
          'gen_ai.operation.name': 'invoke_agent',
          'gen_ai.agent.name': 'bull',
          'openinference.span.kind': 'AGENT',
          'pyagent.pattern.type': 'debate',
          'pyagent.agent.name': 'bull',
          'pyagent.agent.role': 'optimist',
          'pyagent.trace_id': agentStart.trace_id,
          'pyagent.span_id': agentStart.span_id,
          'pyagent.parent_span_id': patternStart.span_id,
        },
      },
      inPattern,
    );
    const inAgent = trace.setSpan(inPattern, agent);

    const call = tracer.startSpan(
      'chat gpt-4o',
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'gpt-4o',
          'gen_ai.request.temperature': 0,
          'gen_ai.agent.name': 'bull',
          'openinference.span.kind': 'LLM',
          'pyagent.pattern.type': 'debate',
          'pyagent.agent.name': 'bull',
          'pyagent.trace_id': callStart.trace_id,
          'pyagent.span_id': callStart.span_id,
          'pyagent.parent_span_id': agentStart.span_id,
        },
      },
      inAgent,
    );
    call.setAttributes({
      'gen_ai.usage.input_tokens': callEnd.input_tokens,
      'gen_ai.usage.output_tokens': callEnd.output_tokens,
      'gen_ai.usage.cost': callEnd.cost_usd,
      'pyagent.cost.input_tokens': callEnd.input_tokens,
      'pyagent.cost.output_tokens': callEnd.output_tokens,
      'pyagent.cost.total_usd': callEnd.cost_usd,
      'pyagent.cost.model': 'gpt-4o',
      'pyagent.exec.duration_ms': callEnd.duration_ms,
    });
    call.end();

    const totals = {
      'pyagent.cost.input_tokens': callEnd.input_tokens,
      'pyagent.cost.output_tokens': callEnd.output_tokens,
      'pyagent.cost.total_usd': callEnd.cost_usd,
      'pyagent.exec.llm_calls': 1,
    };
    agent.setAttributes({ ...totals, 'pyagent.exec.duration_ms': agentEnd.duration_ms });
    agent.end();
    pattern.setAttributes({ ...totals, 'pyagent.exec.duration_ms': patternEnd.duration_ms });
    pattern.end();
  }
}

type Payloads = readonly [Payload, Payload, Payload, Payload, Payload, Payload];

/** Of the sample's payloads what goes onto spans. */
interface Payload {
  readonly trace_id: string;
  readonly span_id: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
  readonly duration_ms: number;
}
