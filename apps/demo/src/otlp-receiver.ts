// A small OpenTelemetry backend: takes traces over HTTP, as protobuf or as JSON, and keeps the spans.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { decodeTraces, type ReceivedSpan } from './otlp-decode.ts';

export interface ReceivedRequest {
  readonly content_type: string;
  readonly content_encoding: string;
  /** How many spans it brought. */
  readonly spans: number;
}

export interface OtlpReceiver {
  /** What an OTLP exporter gets as its `url`, with the path of traces. */
  readonly url: string;
  /** In the order they came. */
  readonly spans: readonly ReceivedSpan[];
  readonly requests: readonly ReceivedRequest[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Listens on a free port of this machine. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: ReceivedRequest[] = [];

  async function receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { 'content-type': content_type = '', 'content-encoding': content_encoding = '' } =
      message.headers;
    const bytes = await buffer(message);
    if (message.method !== 'POST' || message.url !== '/v1/traces') {
      response.writeHead(404).end();
      return;
    }
    const received = decodeTraces(
      content_type,
      content_encoding === 'gzip' ? gunzipSync(bytes) : bytes,
    );
    spans.push(...received);
    requests.push({ content_type, content_encoding, spans: received.length });
    // An empty ExportTraceServiceResponse says that all was taken: no bytes, or an empty object.
    response
      .writeHead(200, { 'content-type': content_type })
      .end(content_type === 'application/json' ? '{}' : '');
  }

  const server = createServer((message, response) => {
    receive(message, response).catch((error: Error) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(error.message);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans,
    requests,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
