// Against a server that validates as the real ones do. It lies beside the repository.
import { createTraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { hostilePayloads, sampleRun } from '@pyagent-trace/core/testing';
import { createTracer } from '@pyagent-trace/core/tracer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ContractServer,
  hasContractServer,
  type Mode,
  type State,
} from '../fixtures/contract-server.ts';
import { hasConversations, traceConversations, traceDebate } from '../fixtures/runs.ts';
import { LangfuseExporter, type LangfuseExporterStats } from './langfuse-exporter.ts';

const MODES: readonly (readonly [Mode, 'auto' | 'otlp' | 'langfuse'])[] = [
  ['v2', 'auto'],
  ['v3', 'auto'],
  ['v4', 'auto'],
  ['v4-dual', 'auto'],
  ['v4-dual', 'langfuse'],
];

describe.skipIf(!hasContractServer).for(MODES)(
  'LangfuseExporter and a server of mode %s, transport %s (skipped without ../shared)',
  { timeout: 60_000 }, // the server takes seconds to show 5,000 observations
  ([mode, transport]) => {
    let server: ContractServer;
    let exporter: LangfuseExporter;
    let bus: TraceEventBus;

    beforeEach(async () => {
      server = await ContractServer.start(mode);
      exporter = new LangfuseExporter({
        ...server.options,
        transport,
        environment: 'test',
        release: 'r1',
        version: 'v1',
        requestTimeoutMs: 2_000,
      });
      bus = new TraceEventBus();
      bus.attach(exporter);
    });

    afterEach(async () => {
      await exporter.shutdown({ timeoutMs: 0 });
      await server[Symbol.asyncDispose]();
    });

    /** Everything arrived, and the server has nothing to complain of. */
    async function stateAfterShutdown(): Promise<State> {
      await bus.shutdown({ timeoutMs: 60_000 });
      const { accepted, ...stats } = exporter.stats();
      expect(stats).toEqual({ ...NOTHING_LOST, delivered: accepted });
      const state = await server.state();
      expect(state.rejected).toEqual([]);
      expect(state.warnings).toEqual([]);
      return state;
    }

    test('shows a debate with everything in it', async () => {
      await traceDebate(createTracer(bus), 'Build?');
      const { traces, observations } = await stateAfterShutdown();
      expect(Object.values(traces)).toEqual([
        expect.objectContaining({
          name: 'debate',
          sessionId: 's-1',
          userId: 'u-1',
          tags: ['debate', 'demo'],
          environment: 'test',
          release: 'r1',
          version: 'v1',
          input: 'Build?',
          output: 'Build it.',
          totalCost: expect.closeTo(0.004, 9),
        }),
      ]);
      const names = Object.values(observations).map(({ name, level }) => `${name} ${level}`);
      expect(names.toSorted()).toEqual(
        [
          ['bear DEFAULT', 'bull DEFAULT', 'bull ERROR', 'compression DEFAULT', 'debate DEFAULT'],
          ['judge DEFAULT', 'llm_call.bear DEFAULT', 'llm_call.bull DEFAULT'],
          ['llm_call.bull ERROR', 'llm_call.judge DEFAULT', 'look_up DEFAULT', 'look_up DEFAULT'],
          ['routing_decision DEFAULT'],
        ].flat(),
      );
    });

    test.skipIf(!hasConversations)('shows 40 conversations at once', async () => {
      const { calls, tools } = await traceConversations(createTracer(bus));
      const { traces, observations } = await stateAfterShutdown();
      expect(Object.keys(traces)).toHaveLength(40);
      // one agent around each call
      expect(Object.keys(observations)).toHaveLength(40 + 2 * calls + tools);
    });

    test('takes 10,000 events in one synchronous run', async () => {
      for (let run = 1; run <= 1_000; run++)
        for (const event of sampleRun({ run, calls: 3 })) bus.emit(event);
      const { observations } = await stateAfterShutdown();
      expect(Object.keys(observations)).toHaveLength(5_000);
    });

    test('puts each of 100 parallel agents of one name under its own', async () => {
      const tracer = createTracer(bus);
      await tracer.pattern('swarm', {}, () =>
        Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            tracer.agent('worker', { input: index }, async () => {
              await tracer.llmCall({ model: 'm' }, async (call) => {
                await new Promise((resolve) => setImmediate(resolve));
                call.respond({ response: String(index) });
              });
            }),
          ),
        ),
      );
      const { observations } = await stateAfterShutdown();
      const calls = Object.values(observations).filter(({ type }) => type === 'GENERATION');
      expect(calls).toHaveLength(100);
      for (const { parentObservationId, output } of calls)
        // 0 is falsy, which Langfuse does not show
        expect(observations[parentObservationId ?? '']?.['input'] ?? 0).toBe(Number(output));
    });

    test('cuts inputs of 5 MB below what the server takes', async () => {
      const long = 'Wörter '.repeat(800_000);
      for (const [run, messages] of [
        [{ role: 'user', content: long }],
        Array.from({ length: 50 }, () => ({ role: 'user', content: long.slice(0, 110_000) })),
      ].entries())
        for (const event of sampleRun({ run: run + 1 }))
          bus.emit(
            event.event_type === 'llm_call'
              ? createTraceEvent({ ...event, payload: { ...event.payload, messages_in: messages } })
              : event,
          );
      const { observations } = await stateAfterShutdown();
      const inputs = Object.values(observations)
        .filter(({ type }) => type === 'GENERATION')
        .map(({ input }) => input as { content: string }[]);
      expect(inputs.map((messages) => messages.length)).toEqual([1, 1, 50, 50]);
      for (const messages of inputs) {
        expect(messages.at(-1)?.content).toMatch(/Wörter.*\[Truncated: \d+ more characters\]$/);
        expect(Buffer.byteLength(JSON.stringify(messages))).toBeLessThan(900_000);
      }
    });

    test('loses nothing that can be kept and stores nothing twice, whatever fails', async () => {
      const byPackage = mode === 'v2' || transport === 'langfuse';
      const match = byPackage ? 'ingestion' : 'otlp';
      const faults = [
        { kind: 'status', status: 500, times: 2 },
        { kind: 'status', status: 429, retryAfter: 0 },
        { kind: 'drop' },
        { kind: 'status', status: 503, body: 'html' },
        { kind: 'accept-then-drop' },
        { kind: 'hang' },
        { kind: 'partial' },
      ];
      let run = 0;
      for (const fault of faults) {
        await server.setFaults({ times: 1, ...fault, match });
        for (const event of sampleRun({ run: ++run })) bus.emit(event);
        await exporter.flush({ timeoutMs: 20_000 });
      }
      const { delivered, failed, unconfirmed, pending } = exporter.stats();
      // three requests that may have been stored, of which one was
      const lost = byPackage ? 0 : 3 * 8;
      expect({ delivered, failed, unconfirmed, pending }).toEqual({
        delivered: run * 8 - lost,
        failed: lost,
        unconfirmed: lost,
        pending: 0,
      });
      const { observations, warnings, rejected } = await server.state();
      expect(Object.keys(observations)).toHaveLength((byPackage ? run : run - 2) * 4);
      expect(rejected).toEqual([]);
      expect(warnings).toEqual([]);
    });

    test('takes what Python writes without ids, and what is hostile', async () => {
      for (const [at, event_type] of [
        'pattern_start',
        'agent_start',
        'llm_call',
        'agent_end',
        'pattern_end',
      ].entries())
        bus.emit(
          createTraceEvent({
            timestamp: 1_735_689_600 + at,
            event_type,
            agent_name: at % 4 === 0 ? '' : 'bull',
            pattern_type: 'debate',
            payload:
              event_type === 'llm_call' ? { model: 'gpt-4o', response: 'up', input_tokens: 3 } : {},
          }),
        );
      for (const { payload } of hostilePayloads())
        exporter.exportEvent(
          createTraceEvent({ event_type: 'agent_end', agent_name: 'odd', payload }),
        );
      await bus.shutdown({ timeoutMs: 60_000 });
      const { rejected, warnings, traces } = await server.state();
      expect(rejected).toEqual([]);
      expect(warnings.map(({ kind }) => kind)).toEqual([]);
      expect(Object.values(traces).filter(({ name }) => name === 'debate')).toHaveLength(1);
      expect(exporter.stats()).toMatchObject({ failed: 0, dropped: 0, pending: 0 });
    });
  },
);

const NOTHING_LOST: Omit<LangfuseExporterStats, 'accepted' | 'delivered'> = {
  dropped: 0,
  failed: 0,
  pending: 0,
  unconfirmed: 0,
  maskFailures: 0,
};
