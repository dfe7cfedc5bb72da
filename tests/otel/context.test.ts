import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { describe, expect, test } from 'vitest';
import { type Pipeline, startPipeline } from './pipeline.ts';

const HEADER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('spans of other instrumentations', () => {
  test('of an HTTP request made by a model call or a tool stand under it', async () => {
    await using pipeline = await startPipeline({
      sdk: { instrumentations: [new UndiciInstrumentation()] },
    });
    const { tracer } = pipeline;
    await using model = await startModel();

    await tracer.pattern('debate', async () => {
      await tracer.agent('bull', async () => {
        await tracer.llmCall({ provider: 'openai', model: 'gpt-4o' }, async () => {
          await (await fetch(model.url, { method: 'POST' })).text();
        });
        await tracer.tool('look_up', {}, async () => {
          await (await fetch(model.url)).text();
        });
      });
    });
    await pipeline.end();

    expect(parents(pipeline)).toEqual([
      ['GET', 'execute_tool look_up'],
      ['POST', 'chat gpt-4o'],
      ['chat gpt-4o', 'invoke_agent bull'],
      ['execute_tool look_up', 'invoke_agent bull'],
      ['invoke_agent bull', 'invoke_workflow debate'],
      ['invoke_workflow debate', undefined],
    ]);
    // the model gets the header of the request, which is in the same trace
    const [header] = model.headers;
    expect(header?.split('-')[1]).toBe(pipeline.receiver.spans[0]?.trace_id);
  });

  test('of parallel calls each stand under their own', async () => {
    await using pipeline = await startPipeline();
    const { tracer, receiver } = pipeline;
    const otherTracer = trace.getTracer('database');

    await tracer.pattern('debate', () =>
      Promise.all(
        ['a', 'b', 'c'].map((name) =>
          tracer.tool(name, {}, async () => {
            await Promise.resolve();
            otherTracer.startSpan(`query ${name}`).end();
          }),
        ),
      ),
    );
    await pipeline.end();

    expect(receiver.spans).toHaveLength(7);
    expect(parents(pipeline)).toEqual([
      ['execute_tool a', 'invoke_workflow debate'],
      ['execute_tool b', 'invoke_workflow debate'],
      ['execute_tool c', 'invoke_workflow debate'],
      ['invoke_workflow debate', undefined],
      ['query a', 'execute_tool a'],
      ['query b', 'execute_tool b'],
      ['query c', 'execute_tool c'],
    ]);
  });

  test('of a request handler are the parent of the run, unless told otherwise', async () => {
    for (const parent of ['active', 'none'] as const) {
      await using pipeline = await startPipeline({ exporter: { parent } });
      const { tracer } = pipeline;

      await trace
        .getTracer('http')
        .startActiveSpan('GET /answer', { kind: SpanKind.SERVER }, async (span) => {
          await tracer.pattern('debate', async () => 'Yes.');
          span.end();
        });
      await pipeline.end();

      expect(parents(pipeline)).toEqual([
        ['GET /answer', undefined],
        ['invoke_workflow debate', parent === 'active' ? 'GET /answer' : undefined],
      ]);
    }
  });
});

describe('traceparent', () => {
  test('that came with a request is the parent of the run', async () => {
    await using pipeline = await startPipeline();
    const { tracer, receiver } = pipeline;

    await tracer.withRemoteParent(HEADER, () => tracer.pattern('debate', async () => 'Yes.'));
    await pipeline.end();

    expect(receiver.spans).toMatchObject([
      {
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        parent_span_id: '00f067aa0ba902b7',
        name: 'invoke_workflow debate',
      },
    ]);
  });

  test('that is sent along names the span that the backend has', async () => {
    await using pipeline = await startPipeline();
    const { tracer, receiver } = pipeline;

    const header = await tracer.pattern('debate', () =>
      tracer.agent('bull', async () => tracer.traceparent()),
    );
    await pipeline.end();

    const agent = receiver.spans.find(({ name }) => name === 'invoke_agent bull');
    expect(header).toBe(`00-${agent?.trace_id}-${agent?.span_id}-01`);
  });

  test('under an active span is OpenTelemetry’s to send, or of a run with no such parent', async () => {
    for (const parent of ['active', 'none'] as const) {
      await using pipeline = await startPipeline({ exporter: { parent } });
      const { tracer, receiver } = pipeline;

      const headers: unknown[] = [];
      await trace.getTracer('http').startActiveSpan('GET /answer', async (span) => {
        await tracer.tool('ask', {}, async () => {
          const carrier: { traceparent?: string } = {};
          propagation.inject(context.active(), carrier);
          headers.push(carrier.traceparent, tracer.traceparent());
        });
        span.end();
      });
      await pipeline.end();

      const tool = receiver.spans.find(({ name }) => name === 'execute_tool ask');
      const header = `00-${tool?.trace_id}-${tool?.span_id}-01`;
      const ownHeader = `00-${String(tool?.attributes['pyagent.trace_id'])}-${tool?.span_id}-01`;
      expect(headers).toEqual([header, ownHeader]);
      expect(header === ownHeader).toBe(parent === 'none');
    }
  });

  test('joins a run of two processes into one trace', async () => {
    await using pipeline = await startPipeline();
    const { tracer } = pipeline;

    const header = await tracer.pattern('caller', async () => tracer.traceparent());
    await tracer.withRemoteParent(header, () => tracer.pattern('callee', async () => 'Yes.'));
    await pipeline.end();

    expect(parents(pipeline)).toEqual([
      ['invoke_workflow callee', 'invoke_workflow caller'],
      ['invoke_workflow caller', undefined],
    ]);
  });
});

/** Name of each span and of its parent, in the order of names. */
function parents({ receiver: { spans } }: Pipeline): (string | undefined)[][] {
  const names = new Map(spans.map(({ trace_id, span_id, name }) => [trace_id + span_id, name]));
  return spans
    .map(({ trace_id, parent_span_id, name }) => [name, names.get(trace_id + parent_span_id)])
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

async function startModel(): Promise<{
  readonly url: string;
  readonly headers: string[];
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const headers: string[] = [];
  const server = createServer((message, response) => {
    headers.push(String(message.headers['traceparent']));
    response.end('Yes.');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
