import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { startOtlpReceiver } from './otlp-receiver.ts';

const START = [1_767_225_600, 123_457_000] as [number, number];
const MIDDLE = [1_767_225_601, 1000] as [number, number];
const END = [1_767_225_602, 999_999_000] as [number, number];

describe('startOtlpReceiver', () => {
  test.for([
    { Exporter: ProtobufExporter, type: 'application/x-protobuf', compression: undefined },
    { Exporter: ProtobufExporter, type: 'application/x-protobuf', compression: 'gzip' },
    { Exporter: JsonExporter, type: 'application/json', compression: undefined },
    { Exporter: JsonExporter, type: 'application/json', compression: 'gzip' },
  ])(
    'reads what the official exporter sends as $type, compression $compression',
    async ({ Exporter, type, compression }) => {
      await using receiver = await startOtlpReceiver();
      const exporter = new Exporter({
        url: receiver.url,
        ...(compression && { compression: compression as never }),
      });
      const provider = new TracerProvider({
        spanProcessors: [new BatchSpanProcessor({ exporter })],
      });
      const tracer = provider.getTracer('receiver-test', '1.2.3');

      const root = tracer.startSpan('root', { startTime: START });
      const child = tracer.startSpan(
        'Zürich 🚆',
        {
          kind: SpanKind.CLIENT,
          startTime: START,
          attributes: {
            text: 'ä',
            int: 512,
            negative: -1,
            large: Number.MAX_SAFE_INTEGER,
            double: 0.5,
            flag: false,
            list: ['a', 'b'],
            nothing: [],
            deep: { level: { numbers: [1, 2] } },
          },
        },
        trace.setSpan(ROOT_CONTEXT, root),
      );
      child.addEvent('happened', { why: 'because' }, MIDDLE);
      child.setStatus({ code: SpanStatusCode.ERROR, message: 'failed' });
      child.end(END);
      root.setStatus({ code: SpanStatusCode.OK });
      root.end(END);
      await provider.shutdown();

      const common = {
        trace_id: root.spanContext().traceId,
        start_ns: 1_767_225_600_123_457_000n,
        end_ns: 1_767_225_602_999_999_000n,
        scope: { name: 'receiver-test', version: '1.2.3' },
        resource: expect.objectContaining({ 'telemetry.sdk.language': 'nodejs' }),
      };
      expect({ requests: receiver.requests, spans: receiver.spans }).toEqual({
        requests: [{ content_type: type, content_encoding: compression ?? '', spans: 2 }],
        spans: [
          {
            ...common,
            span_id: child.spanContext().spanId,
            parent_span_id: root.spanContext().spanId,
            name: 'Zürich 🚆',
            kind: 'client',
            attributes: {
              text: 'ä',
              int: 512,
              negative: -1,
              large: Number.MAX_SAFE_INTEGER,
              double: 0.5,
              flag: false,
              list: ['a', 'b'],
              nothing: [],
              deep: { level: { numbers: [1, 2] } },
            },
            events: [
              {
                name: 'happened',
                time_ns: 1_767_225_601_000_001_000n,
                attributes: { why: 'because' },
              },
            ],
            status: 'error',
            status_message: 'failed',
          },
          {
            ...common,
            span_id: root.spanContext().spanId,
            parent_span_id: '',
            name: 'root',
            kind: 'internal',
            attributes: {},
            events: [],
            status: 'ok',
            status_message: '',
          },
        ],
      });
    },
  );

  test.for([
    { type: 'application/json', body: '{"resourceSpans":[{"scopeSpans":[]}]}', status: 400 },
    { type: 'application/json', body: '{', status: 400 },
    { type: 'application/x-protobuf', body: 'no protobuf', status: 400 },
    { type: 'text/plain', body: '', status: 400 },
    { type: 'application/json', body: '{}', status: 200 },
  ])('answers $status to $body as $type', async ({ type, body, status }) => {
    await using receiver = await startOtlpReceiver();

    const response = await fetch(receiver.url, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });

    expect({ status: response.status, spans: receiver.spans }).toEqual({ status, spans: [] });
  });

  test('has one path', async () => {
    await using receiver = await startOtlpReceiver();

    const response = await fetch(receiver.url.replace('traces', 'metrics'), { method: 'POST' });

    expect(response.status).toBe(404);
  });
});
