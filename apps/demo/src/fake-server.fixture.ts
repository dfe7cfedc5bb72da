// For tests: a server that speaks the chat completions API, as far as the demo does.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface SeenRequest {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface FakeServer {
  /** What `OPENAI_BASE_URL` is set to. */
  readonly url: string;
  readonly requests: SeenRequest[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startFakeServer(
  answer: (response: ServerResponse, request: SeenRequest) => unknown,
): Promise<FakeServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((message, response) => {
    void json(message).then((body) => {
      const { url, headers } = message;
      const request = { url, headers, body: body as SeenRequest['body'] };
      requests.push(request);
      return answer(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Sends the bytes in small pieces, so that lines and characters are cut anywhere. */
export async function sendStream(
  response: ServerResponse,
  events: readonly unknown[],
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const bytes = Buffer.from(
    events
      .map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\r\n\r\n`)
      .join(''),
  );
  for (let start = 0; start < bytes.length; start += 7) {
    response.write(bytes.subarray(start, start + 7));
    await new Promise(setImmediate);
  }
  response.end();
}
