import { createServer } from 'node:http';
import { TraceEventBus } from '@pyagent-trace/core';
import { sampleRun } from '@pyagent-trace/core/testing';
import { LangfuseExporter } from '@pyagent-trace/exporter-langfuse';

const HEALTH = '/api/public/health';

function answerTo(url, body) {
  if (url.startsWith(HEALTH)) return { status: 'OK', version: '3.222.0' };
  if (!url.includes('ingestion')) return {};
  return { successes: JSON.parse(body).batch.map(({ id }) => ({ id, status: 201 })), errors: [] };
}

/** Stands for a server of Langfuse that takes whatever comes. */
function startServer(port = 0) {
  const requests = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      requests.push([request.method, request.url, Buffer.concat(chunks).length > 0]);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answerTo(request.url, Buffer.concat(chunks).toString())));
    });
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const stop = () =>
        new Promise((done) => {
          server.close(done);
          server.closeAllConnections();
        });
      resolve({ requests, stop, port: server.address().port });
    });
  });
}

const create = (port, transport) =>
  new LangfuseExporter({
    publicKey: 'pk-lf-1',
    secretKey: 'sk-lf-1',
    baseUrl: `http://127.0.0.1:${port}`,
    transport,
    // who waited for the end of this after a request would be taken for hanging
    requestTimeoutMs: 60_000,
  });

async function deliver(transport) {
  const server = await startServer();
  const bus = new TraceEventBus();
  bus.attach(create(server.port, transport));
  for (const event of sampleRun()) bus.emit(event);
  const receipts = await bus.shutdown();
  await server.stop();
  return [receipts, server.requests];
}

/** What is given while nothing listens, and whether it comes once something does. */
async function outlast(transport) {
  const { port, stop } = await startServer();
  await stop();
  const exporter = create(port, transport);
  for (const event of sampleRun()) exporter.exportEvent(event);
  await exporter.flush({ timeoutMs: 300 });
  const { delivered, failed, pending } = exporter.stats();
  const server = await startServer(port);
  await exporter.shutdown({ timeoutMs: 10_000 });
  await server.stop();
  return { while: { delivered, failed, pending }, after: exporter.stats().delivered };
}

export const features = {
  otlp: () => deliver('otlp'),
  'transport auto': () => deliver('auto'),
  'the package langfuse': () => deliver('langfuse'),
  'otlp to a server that was down': () => outlast('otlp'),
  'the package langfuse, to a server that was down': () => outlast('langfuse'),
};
