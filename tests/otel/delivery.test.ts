import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import type { Tracer } from '@pyagent-trace/core/tracer';
import { describe, expect, test } from 'vitest';
import { traceConversation } from '../../apps/demo/src/conversations.ts';
import { Debate } from '../../apps/demo/src/debate.ts';
import { CONVERSATIONS, readConversations } from '../../apps/demo/src/read-conversations.ts';
import { createScriptedModel } from '../../apps/demo/src/scripted-model.ts';
import { startPipeline } from './pipeline.ts';
import { shapesOfEvents, shapesOfSpans } from './shape.ts';

async function runAgent(tracer: Tracer, name: string, turns = 1): Promise<void> {
  await tracer.agent(name, { role: 'optimist' }, async () => {
    for (let turn = 0; turn < turns; turn++) {
      await nextTurn();
      await tracer.llmCall({ provider: 'openai', model: 'gpt-4o' }, async (call) => {
        await nextTurn();
        call.respond({ response: 'Yes.', input_tokens: 512, output_tokens: 20, cost_usd: 0.0015 });
      });
      await tracer.tool('look_up', { turn }, () => nextTurn());
    }
  });
}

describe('OTelExporter through NodeSDK and OTLP', { timeout: 30_000 }, () => {
  test.for([{ encoding: 'protobuf' }, { encoding: 'json' }] as const)(
    'delivers each span of a run with its ids, times and parent, as $encoding',
    async ({ encoding }) => {
      await using pipeline = await startPipeline({ encoding });
      const { tracer, events, receiver, exporter } = pipeline;

      await tracer.pattern('debate', { input: 'Buy?', session_id: 'chat-7' }, async () => {
        await runAgent(tracer, 'bull');
        await runAgent(tracer, 'bear');
      });
      await pipeline.end();

      expect(receiver.spans).toHaveLength(7);
      expect(shapesOfSpans(receiver.spans)).toEqual(shapesOfEvents(events));
      expect(exporter.stats()).toEqual(allDelivered(events));
      expect(new Set(receiver.requests.map(({ content_type }) => content_type))).toEqual(
        new Set([encoding === 'json' ? 'application/json' : 'application/x-protobuf']),
      );
      expect(receiver.spans[0]).toMatchObject({
        resource: { 'service.name': 'otel-tests' },
        scope: { name: '@pyagent-trace/exporter-otel' },
      });
    },
  );

  test('keeps two interleaved runs apart', async () => {
    await using pipeline = await startPipeline();
    const { tracer, events, receiver } = pipeline;

    await Promise.all(
      ['chat-1', 'chat-2'].map((session_id) =>
        tracer.pattern('debate', { session_id }, async () => {
          await runAgent(tracer, 'bull', 3);
          await runAgent(tracer, 'bear', 3);
        }),
      ),
    );
    await pipeline.end();

    expect(shapesOfSpans(receiver.spans)).toEqual(shapesOfEvents(events));
    const sessions = new Map(
      receiver.spans
        .filter(({ parent_span_id }) => parent_span_id === '')
        .map(({ trace_id, attributes }) => [trace_id, String(attributes['session.id'])]),
    );
    const wrong = receiver.spans.filter(
      ({ trace_id, attributes }) => attributes['session.id'] !== sessions.get(trace_id),
    );
    expect({ sessions: [...sessions.values()].toSorted(), wrong }).toEqual({
      sessions: ['chat-1', 'chat-2'],
      wrong: [],
    });
  });

  test.for([{ sameIds: true }, { sameIds: false }])(
    'gives 100 parallel agents of one name their own calls, with $sameIds',
    async ({ sameIds }) => {
      await using pipeline = await startPipeline({ sameIds });
      const { tracer, events, receiver, exporter } = pipeline;

      await tracer.pattern('swarm', () =>
        Promise.all(Array.from({ length: 100 }, () => runAgent(tracer, 'worker'))),
      );
      await pipeline.end();

      expect(receiver.spans).toHaveLength(301);
      expect(exporter.stats()).toEqual(allDelivered(events));
      // Without ids of ours the tree is the same, told by the ids of OpenTelemetry.
      const ours = new Map(
        receiver.spans.map(({ span_id, attributes }) => [
          span_id,
          String(attributes['pyagent.span_id']),
        ]),
      );
      const spans = receiver.spans.map((span) => ({
        ...span,
        trace_id: String(span.attributes['pyagent.trace_id']),
        span_id: ours.get(span.span_id) ?? '',
        parent_span_id: ours.get(span.parent_span_id) ?? '',
      }));
      expect(shapesOfSpans(spans)).toEqual(shapesOfEvents(events));
      expect(new Set(receiver.spans.map(({ trace_id }) => trace_id)).size).toBe(1);
    },
  );

  test("delivers the demo's debate", async () => {
    await using pipeline = await startPipeline();
    const { tracer, events, receiver, exporter } = pipeline;

    await new Debate(tracer, createScriptedModel()).run('Build it?');
    await pipeline.end();

    expect(receiver.spans).toHaveLength(14);
    expect(shapesOfSpans(receiver.spans)).toEqual(shapesOfEvents(events));
    expect(exporter.stats()).toEqual(allDelivered(events));
  });

  // the recordings are not part of the repository
  test.skipIf(!existsSync(CONVERSATIONS))(
    'delivers 40 recorded conversations that run at once (skipped without the recordings)',
    async () => {
      await using pipeline = await startPipeline();
      const { tracer, events, receiver, exporter } = pipeline;

      const conversations = await readConversations(CONVERSATIONS);
      await Promise.all(
        conversations.map((conversation) => traceConversation(tracer, conversation)),
      );
      await pipeline.end();

      const operations = receiver.spans.map(({ attributes }) =>
        String(attributes['gen_ai.operation.name']),
      );
      expect(Object.fromEntries(countBy(operations))).toMatchObject({
        invoke_workflow: 40,
        chat: 928,
        execute_tool: 254,
      });
      expect(shapesOfSpans(receiver.spans)).toEqual(shapesOfEvents(events));
      expect(exporter.stats()).toEqual(allDelivered(events));
    },
  );
});

describe('a replay of 5,000 spans', () => {
  test('loses none, and no cost, when it awaits flush() every 500 events but not after an answer', async () => {
    await using pipeline = await startPipeline();
    const { exporter, receiver } = pipeline;

    const events = recordedRuns(1000);
    let since = 0;
    for (const event of events) {
      exporter.exportEvent(event);
      since += 1;
      if (since < 500 || event.event_type === 'llm_response') continue;
      await exporter.flush();
      since = 0;
    }
    await pipeline.end();

    expect(receiver.spans).toHaveLength(5000);
    expect(shapesOfSpans(receiver.spans)).toEqual(shapesOfEvents(events));
    expect(exporter.stats()).toEqual(allDelivered(events));
  });

  test('loses none in one burst when the queue of the batch processor is long enough', async () => {
    process.env['OTEL_BSP_MAX_QUEUE_SIZE'] = '5000';
    try {
      await using pipeline = await startPipeline();
      const { exporter, receiver } = pipeline;

      for (const event of recordedRuns(1000)) exporter.exportEvent(event);
      await pipeline.end();

      expect(receiver.spans).toHaveLength(5000);
    } finally {
      delete process.env['OTEL_BSP_MAX_QUEUE_SIZE'];
    }
  });
});

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function allDelivered({ length }: readonly TraceEvent[]): object {
  return { accepted: length, delivered: length, failed: 0, dropped: 0, pending: 0 };
}

/** The events of runs that ended long ago: each a pattern, two agents and two calls, which are five spans. */
function recordedRuns(count: number): TraceEvent[] {
  return Array.from({ length: count }, (_, run) => recordedRun(run)).flat();
}

function recordedRun(run: number): TraceEvent[] {
  const trace_id = (run + 1).toString(16).padStart(32, '0');
  let timestamp = 1_767_225_600 + run;
  const id = (span: number): string => (run * 8 + span).toString(16).padStart(16, '0');
  const event = (event_type: string, span: number, parent: number, payload: object): TraceEvent =>
    createTraceEvent({
      timestamp: (timestamp = Math.round((timestamp + 0.001) * 1e6) / 1e6),
      event_type,
      agent_name: parent === 0 ? '' : 'bull',
      pattern_type: 'debate',
      payload: {
        trace_id,
        span_id: id(span),
        ...(parent > 0 && { parent_span_id: id(parent) }),
        ...payload,
      },
    });
  const agent = (span: number): TraceEvent[] => [
    event('agent_start', span, 1, {}),
    event('llm_call', span + 1, span, { provider: 'openai', model: 'gpt-4o' }),
    event('llm_response', span + 1, span, { input_tokens: 512, output_tokens: 20 }),
    event('cost_record', span + 1, span, { cost_usd: 0.0015 }),
    event('agent_end', span, 1, { status: 'ok' }),
  ];
  return [
    event('pattern_start', 1, 0, {}),
    ...agent(2),
    ...agent(4),
    event('pattern_end', 1, 0, { status: 'ok' }),
  ];
}
