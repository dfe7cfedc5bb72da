import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ids, setUp } from '../testing/exporter-spans.ts';

interface Series {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Record<string, unknown>;
  readonly sum: number | undefined;
  readonly boundaries: readonly number[];
}

function memory(): { meterProvider: MeterProvider; series: () => Promise<Series[]> } {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  return {
    meterProvider,
    series: async () => {
      await meterProvider.forceFlush();
      const all = exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(({ metrics: each }) => each);
      await meterProvider.shutdown();
      return (all ?? []).flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => {
          const { sum, buckets } = value as {
            sum?: number;
            buckets: { boundaries: number[] };
          };
          const { name, unit } = descriptor;
          return { name, unit, attributes, sum, boundaries: buckets.boundaries };
        }),
      );
    },
  };
}

afterEach(() => metrics.disable());

describe('CallMetrics', () => {
  test('counts the time and tokens of model calls, by what they are', async () => {
    const { meterProvider, series } = memory();
    const { exporter, give } = setUp({ metrics: true, meterProvider });
    const model = { provider: 'openai', model: 'gpt-4o', session_id: 's' };
    give(
      ['agent_start', 1, ids(1), { agent_name: 'bull' }],
      ['llm_call', 1, { ...ids(2, 1), ...model }],
      ['llm_response', 2.5, { ...ids(2, 1), model: 'gpt-4o-x', input_tokens: 9, output_tokens: 3 }],
      ['llm_call', 3, { ...ids(3, 1), ...model }],
      ['error', 4, { ...ids(3, 1), error_type: 'APIError' }],
    );
    await exporter.shutdown();
    const common = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
    };
    const answered = { ...common, 'gen_ai.response.model': 'gpt-4o-x' };
    const failed = { ...common, 'error.type': 'APIError' }; // nobody answered
    const duration = {
      name: 'gen_ai.client.operation.duration',
      unit: 's',
      boundaries: [
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
      ],
    };
    const tokens = {
      name: 'gen_ai.client.token.usage',
      unit: '{token}',
      boundaries: [
        1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
        67_108_864,
      ],
    };
    expect(await series()).toEqual([
      { ...duration, attributes: answered, sum: 1.5 },
      { ...duration, attributes: failed, sum: 1 },
      { ...tokens, attributes: { ...answered, 'gen_ai.token.type': 'input' }, sum: 9 },
      { ...tokens, attributes: { ...answered, 'gen_ai.token.type': 'output' }, sum: 3 },
    ]);
  });

  test('goes to the global provider, also one that is registered late, and flushes it', async () => {
    const { meterProvider, series } = memory();
    const { exporter, give } = setUp({ metrics: true });
    give(['llm_call', 1, { ...ids(1), response: 'x', cost_usd: 1, duration_ms: 1000 }]);
    metrics.setGlobalMeterProvider(meterProvider);
    const flush = vi.spyOn(meterProvider, 'forceFlush');
    give(['llm_call', 2, { ...ids(2), response: 'x', cost_usd: 1, duration_ms: 1000 }]);
    await exporter.flush();
    expect(flush).toHaveBeenCalledTimes(1);
    expect((await series()).map(({ name, sum }) => [name, sum])).toEqual([
      ['gen_ai.client.operation.duration', 1],
    ]);
  });

  test('are not made unless they are asked for', async () => {
    const { meterProvider, series } = memory();
    const { exporter, give } = setUp({ meterProvider });
    give(['llm_call', 1, { ...ids(1), response: 'x' }]);
    await exporter.shutdown();
    expect(await series()).toEqual([]);
  });
});
