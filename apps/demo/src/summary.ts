// What a trace file says of itself: the demo counts nothing while it runs.
import { type Span, SpanAssembler } from '@pyagent-trace/core/spans';
import { readTraceEvents } from '@pyagent-trace/core/read';

export interface Summary {
  readonly events: number;
  readonly runs: number;
  /** Of all runs together. */
  readonly duration_seconds: number;
  readonly agents: number;
  readonly model_calls: number;
  /** Calls that tell their cost. */
  readonly priced_calls: number;
  /** Calls that say they are not the first attempt. */
  readonly retries: number;
  readonly tool_calls: number;
  readonly errors: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
  /** What the last run gave back. */
  readonly output: string;
}

/** @throws {TraceError} when the file cannot be read, or is no trace */
export async function summarise(path: string): Promise<Summary> {
  const spans: Span[] = [];
  const assembler = new SpanAssembler({ onEnd: (span) => void spans.push(span) });
  let errors = 0;
  for await (const event of readTraceEvents(path)) {
    assembler.add(event);
    if (event.event_type === 'error') errors += 1;
  }
  // What never ended is handed on too, marked incomplete.
  assembler.shutdown();

  const ofKind = (kind: Span['kind']): Span[] => spans.filter((span) => span.kind === kind);
  const runs = ofKind('pattern');
  const calls = ofKind('llm');
  const output = runs.at(-1)?.attributes['output'];
  return {
    events: assembler.stats().events,
    runs: runs.length,
    duration_seconds: sum(runs, (run) => (run.end_time ?? run.start_time) - run.start_time),
    agents: ofKind('agent').length,
    model_calls: calls.length,
    priced_calls: sum(calls, ({ attributes }) => Number('cost_usd' in attributes)),
    retries: sum(calls, ({ attributes }) => Number(attemptOf(attributes['metadata']) > 1)),
    tool_calls: ofKind('tool').length,
    errors,
    input_tokens: sum(calls, ({ attributes }) => Number(attributes['input_tokens'] ?? 0)),
    output_tokens: sum(calls, ({ attributes }) => Number(attributes['output_tokens'] ?? 0)),
    cost_usd: sum(calls, ({ attributes }) => Number(attributes['cost_usd'] ?? 0)),
    output: typeof output === 'string' ? output : '',
  };
}

export function formatSummary(summary: Summary): string {
  const { runs, duration_seconds, model_calls, priced_calls, retries } = summary;
  const { input_tokens, output_tokens, cost_usd } = summary;
  const rows = {
    runs: `${runs}, ${duration_seconds.toFixed(1)} s`,
    agents: summary.agents,
    'model calls': `${model_calls}${retries > 0 ? `, ${retries} of them a retry` : ''}`,
    'tool calls': summary.tool_calls,
    tokens: `${input_tokens} in, ${output_tokens} out`,
    cost:
      priced_calls === 0
        ? 'unknown: no call told its price'
        : `${cost_usd.toFixed(7)} USD, of ${priced_calls} calls that told their price`,
    errors: summary.errors,
    events: summary.events,
  };
  return Object.entries(rows)
    .map(([name, value]) => `  ${name.padEnd(12)} ${value}`)
    .join('\n');
}

function sum<T>(items: readonly T[], figureOf: (item: T) => number): number {
  return items.reduce((total, item) => total + figureOf(item), 0);
}

/** `metadata` is the app's own: here the debate's. */
function attemptOf(metadata: unknown): number {
  return Number((metadata as { attempt?: unknown } | undefined)?.attempt ?? 1);
}
