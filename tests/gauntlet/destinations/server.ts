// An OTLP backend and a Langfuse in one, over HTTP: counts the spans it takes, and fails as it is told.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { decodeTraces } from '../../../apps/demo/src/otlp-decode.ts';
import type { Arrived, Behaviour, Destination } from './destination.ts';

export const OTLP_PATH = '/v1/traces';
const LANGFUSE_OTLP_PATH = '/api/public/otel/v1/traces';
const HEALTH_PATH = '/api/public/health';
const SLOW_MS = 300;
const KEEP_ALIVE_MS = 65_000;
/** A span is a start and an end. */
const EVENTS_PER_SPAN = 2;

/** What it answers without looking at what came. */
const ANSWERS: Partial<Record<Behaviour, readonly [status: number, text: string]>> = {
  full: [507, '{"message":"no room"}'],
  'full for now': [507, '{"message":"no room"}'],
  refuses: [401, '{"message":"who are you"}'],
  unavailable: [503, '{"message":"come again"}'],
  limits: [429, '{"message":"too fast"}'],
  'finds it wrong': [400, '{"message":"what is this"}'],
  'finds it too large': [413, 'too large'],
  'answers nonsense': [200, '<html>Sign in</html>'],
};

interface Taken {
  readonly ids: readonly string[];
  readonly answer: {
    readonly status: number;
    readonly type: string;
    readonly content: string | Buffer;
  };
}

export class ServerDestination implements Destination {
  readonly #server: Server;
  readonly #path: string;
  readonly #forget: boolean;
  #port = 0;
  #behaviour: Behaviour = 'well';
  #ids = new Set<string>();
  #spans = 0;
  #twice = 0;
  /** Texts that must never arrive, and whether one did. */
  readonly #secret: string | undefined;
  leaked = 0;

  private constructor(path: string, { forget = false, secret }: ServerOptions) {
    this.#path = path;
    this.#forget = forget;
    this.#secret = secret;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
    // as long as load balancers do: a client closes first what it does not use
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
  }

  /** @param path what follows the port in the address that exporters get */
  static async start(path: string, options: ServerOptions = {}): Promise<ServerDestination> {
    const destination = new ServerDestination(path, options);
    await destination.#listen();
    return destination;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}${this.#path}`;
  }

  async behave(behaviour: Behaviour): Promise<void> {
    this.#behaviour = behaviour;
    if ((behaviour === 'down') === !this.#server.listening) return;
    if (behaviour === 'down') await this.#close();
    else await this.#listen();
  }

  get spans(): number {
    return this.#spans;
  }

  arrived(): Arrived {
    const [events, twice] = [this.#spans, this.#twice].map((spans) => spans * EVENTS_PER_SPAN);
    return { events: events ?? 0, twice: twice ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.#close();
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port; // the same each time
  }

  async #close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const behaviour = this.#behaviour;
    const bytes = await buffer(request);
    if (behaviour === 'hangs') return;
    if (behaviour === 'slow') await setTimeout(SLOW_MS);
    const [status, text] = ANSWERS[behaviour] ?? [];
    if (status !== undefined) {
      const headers = status === 429 ? { 'retry-after': '1' } : {};
      response.writeHead(status, headers).end(text);
      return;
    }
    if (request.url === HEALTH_PATH) {
      response.writeHead(200).end('{"status":"OK","version":"3.100.0"}');
      return;
    }
    const { 'content-encoding': encoding, 'content-type': type = '' } = request.headers;
    const body = encoding === 'gzip' ? gunzipSync(bytes) : bytes;
    if (this.#secret !== undefined && body.includes(this.#secret)) this.leaked += 1;
    const isOtlp = request.url === OTLP_PATH || request.url === LANGFUSE_OTLP_PATH;
    const refuse = behaviour === 'takes a part' ? 1 : 0;
    const { ids, answer } = isOtlp ? takeSpans(type, body, refuse) : takeBatch(body, refuse);
    for (const id of ids) this.#keep(id, isOtlp);
    if (behaviour === 'hangs up') response.destroy();
    else response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.content);
  }

  #keep(id: string, isOtlp: boolean): void {
    if (!this.#ids.has(id)) this.#spans += 1;
    else if (isOtlp) this.#twice += 1; // the batch API stores one id once
    this.#ids.add(id);
    if (this.#forget && this.#ids.size > MAX_REMEMBERED) this.#ids = new Set([id]);
  }
}

export interface ServerOptions {
  /** Remembers ids for a while only, for runs of hours. */
  readonly forget?: boolean;
  readonly secret?: string;
}

const MAX_REMEMBERED = 100_000;

function takeSpans(type: string, body: Buffer, refuse: number): Taken {
  const isJson = type.includes('json');
  const ids = decodeTraces(isJson ? 'application/json' : type, body).map(({ span_id }) => span_id);
  const partial = { partialSuccess: { rejectedSpans: String(refuse), errorMessage: 'too large' } };
  const jsonText = JSON.stringify(refuse > 0 ? partial : {});
  const bytes = refuse > 0 ? partialSuccess(refuse, 'too large') : '';
  return {
    ids: ids.slice(refuse),
    answer: { status: 200, type, content: isJson ? jsonText : bytes },
  };
}

/** An `ExportTraceServiceResponse` in protobuf: field 1, of it the spans rejected (1) and the message (2). */
function partialSuccess(rejected: number, message: string): Buffer {
  const text = Buffer.from(message);
  const inner = Buffer.from([0x08, rejected, 0x12, text.length, ...text]);
  return Buffer.from([0x0a, inner.length, ...inner]);
}

interface Item {
  readonly id: string;
  readonly type: string;
  readonly body: { readonly id: string };
}

/** `POST /api/public/ingestion` */
function takeBatch(body: Buffer, refuse: number): Taken {
  const { batch } = JSON.parse(body.toString()) as { batch: readonly Item[] };
  const kept = batch.slice(0, batch.length - refuse);
  const answer = {
    successes: kept.map(({ id }) => ({ id, status: 201 })),
    errors: batch.slice(kept.length).map(({ id }) => ({ id, status: 400, message: 'too large' })),
  };
  return {
    ids: kept.filter(({ type }) => type !== 'trace-create').map((item) => item.body.id),
    answer: { status: 207, type: 'application/json', content: JSON.stringify(answer) },
  };
}
