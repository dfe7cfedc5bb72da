import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';

export interface LocalServer extends AsyncDisposable {
  readonly url: string;
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<LocalServer> {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/**
 * Speaks as OpenAI does: asks for a tool where there is one, and answers what it found. A stream repeats the
 * question, word by word.
 */
export function startProvider(): Promise<LocalServer> {
  return serve(async (request, response) => {
    const { model, messages, tools, stream } = JSON.parse(await text(request)) as {
      readonly model: string;
      readonly messages: readonly ChatMessage[];
      readonly tools?: unknown;
      readonly stream?: boolean;
    };
    const last = messages.at(-1)!;
    const usage = { prompt_tokens: 300, completion_tokens: 50 };
    if (stream) {
      response.setHeader('content-type', 'text/event-stream');
      for (const word of last.content.split(' ')) {
        response.write(event({ model, choices: [{ delta: { content: `${word} ` } }] }));
        await new Promise((resolve) => setImmediate(resolve)); // others are served in between
      }
      response.end(event({ model, choices: [], usage }));
      return;
    }
    const wantsTool = tools !== undefined && last.role !== 'tool';
    const call = {
      id: 'call_1',
      type: 'function',
      function: { name: 'look_up', arguments: '{"topic":"price"}' },
    };
    const message = wantsTool
      ? { role: 'assistant', content: null, tool_calls: [call] }
      : { role: 'assistant', content: 'I agree.' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ model, usage, choices: [{ message }] }));
  });
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
}

/** Takes spans as OTLP JSON, on the paths of a collector and of Langfuse. */
export async function startReceiver(): Promise<
  LocalServer & { readonly spans: readonly ReceivedSpan[] }
> {
  const spans: ReceivedSpan[] = [];
  const server = await serve(async (request, response) => {
    const packed = request.headers['content-encoding'] === 'gzip';
    const body = await text(packed ? request.pipe(createGunzip()) : request);
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET') {
      response.end('{"status":"OK","version":"4.16.0"}');
      return;
    }
    for (const { scopeSpans } of JSON.parse(body).resourceSpans)
      for (const scope of scopeSpans) spans.push(...scope.spans);
    response.end('{}');
  });
  return { ...server, spans };
}
