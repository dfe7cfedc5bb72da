// A Langfuse that takes everything, counts observations and keeps nothing. A process of its own: what it
// does with a request is nobody's time. Run by `fork`; its first message is its port.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';

interface Otlp {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly unknown[] }[];
  }[];
}

interface Ingestion {
  readonly batch: readonly { readonly id: string; readonly type: string }[];
}

let received = 0;

const server = createServer((request, response) => void take(request, response));

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  switch (request.url) {
    case '/received':
      answer(response, 200, received);
      break;
    case '/api/public/otel/v1/traces': {
      const spans = spansOf((await bodyOf(request)) as Otlp);
      received += spans; // not in one line with the await: two requests at once would count as one
      answer(response, 200, {});
      break;
    }
    case '/api/public/ingestion': {
      const { batch } = (await bodyOf(request)) as Ingestion;
      received += batch.filter(({ type }) => /^(?!trace-).*-create$/.test(type)).length;
      const successes = batch.map(({ id }) => ({ id, status: 201 }));
      answer(response, 207, { successes, errors: [] });
      break;
    }
    default:
      answer(response, 404, {});
  }
}

function bodyOf(request: IncomingMessage): Promise<unknown> {
  const zipped = request.headers['content-encoding'] === 'gzip';
  return json(zipped ? request.pipe(createGunzip()) : request);
}

function spansOf({ resourceSpans }: Otlp): number {
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .reduce((sum, { spans }) => sum + spans.length, 0);
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
