import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { TraceEventBus } from '@pyagent-trace/core';
import { flushOnExit } from '@pyagent-trace/core/process';
import { keepErrors, redact, sample } from '@pyagent-trace/core/processors';
import { createTracer } from '@pyagent-trace/core/tracer';
import { CostTracker, createBudget, usageFrom } from '@pyagent-trace/cost';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
import { LangfuseExporter } from '@pyagent-trace/exporter-langfuse';
import { OTelExporter, PyAgentIdGenerator } from '@pyagent-trace/exporter-otel';
import OpenAI from 'openai';

const idGenerator = new PyAgentIdGenerator();
const sdk = new NodeSDK({ serviceName: 'answers', idGenerator });
sdk.start();

const bus = new TraceEventBus({ processors: [redact()] });
const rotate = { maxBytes: 200_000, compress: 'gzip' } as const;
bus.attach(new JsonlExporter('traces/server.jsonl', { rotate }));
const otel = new OTelExporter({ idGenerator });
bus.attach(otel, { processors: [sample({ ratio: 0.5 })] });
bus.attach(keepErrors(new LangfuseExporter({ environment: 'test' })));
const costs = new CostTracker({ bus });
bus.attach(costs);
const budget = createBudget({ limitUsd: 0.01, per: 'session', bus });
const tracer = createTracer(bus, { interceptors: [budget, otel.interceptor] });
flushOnExit(bus, { timeoutMs: 3_000 });

const client = new OpenAI({ maxRetries: 0 });

function answer(question: string, gone: AbortSignal): AsyncGenerator<string> {
  const model = 'gpt-4o-mini';
  const messages = [{ role: 'user' as const, content: question }];
  const stream = { stream: true, stream_options: { include_usage: true } } as const;
  const request = { model, max_tokens: 100, ...stream };
  return tracer.llmCall(
    { provider: 'openai', ...request, messages_in: messages, signal: gone },
    async function* ({ respond, signal }) {
      const chunks = await client.chat.completions.create({ ...request, messages }, { signal });
      for await (const chunk of chunks) {
        respond({ ...usageFrom(chunk) });
        yield chunk.choices[0]?.delta.content ?? '';
      }
    },
  );
}

async function search(question: string, index: number): Promise<string> {
  return tracer.agent('searcher', { agent_id: `${index}` }, () =>
    tracer.tool('search', { question, index }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (question.startsWith('fail')) throw new Error(`no index, DB_PASSWORD=swordfish`);
      return `fact ${index} about ${question}`;
    }),
  );
}

async function inParallel<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const input = await text(request);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { 'x-session': session_id, 'x-user': user_id } = request.headers as Record<string, string>;
  try {
    await tracer.pattern('answer', { input, session_id, user_id, tags: ['http'] }, async () => {
      const facts = await inParallel([search(input, 1), search(input, 2)]);
      await tracer.agent('writer', async () => {
        const question = [input, ...facts].join('; ');
        for await (const piece of answer(question, gone.signal)) response.write(piece);
      });
    });
  } catch {
    if (!response.headersSent) response.statusCode = 500;
  }
  response.end();
}

const server = createServer((request, response) => void handle(request, response));

async function end(): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(idle);
  const receipts = await bus.shutdown({ timeoutMs: 5_000 });
  await sdk.shutdown();
  const sessions = Object.keys(costs.bySession()).length;
  process.stdout.write(`${JSON.stringify({ receipts, sessions, bus: bus.stats() })}\n`, () =>
    process.exit(0),
  );
}

process.once('SIGTERM', () => void end());

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify(address));
});
