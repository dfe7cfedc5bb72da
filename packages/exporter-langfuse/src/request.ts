import { messageOf, newSpanId } from '@pyagent-trace/core';
import { withDeadline } from './deadline.ts';
import { Departure } from './departure.ts';

export interface Request {
  readonly url: string;
  /** `GET` without. */
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back: an answer, or why there is none. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfterMs?: number;
      readonly text: string;
    }
  /** `sent`: the server may have got the request. */
  | { readonly kind: 'none'; readonly sent: boolean; readonly error: string };

const MAX_RETRY_AFTER_MS = 60_000;
/** Of an answer: a line for each observation of a batch that was not taken is a tenth of it. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Makes one request, without redirects: they would take the keys to another server. Never rejects. */
export async function request(
  given: Request,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Reply> {
  const departure = new Departure(newSpanId());
  try {
    return await withDeadline(signal, timeoutMs, (end) => ask(given, departure, end));
  } catch (error) {
    return { kind: 'none', sent: departure.mayHaveLeft, error: problemOf(error, timeoutMs) };
  } finally {
    departure.stop();
  }
}

async function ask(
  { url, body, headers }: Request,
  departure: Departure,
  end: AbortSignal,
): Promise<Reply> {
  const answer = fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...departure.headers },
    ...(body !== undefined && { body }),
    redirect: 'manual',
    signal: end,
  });
  const response = await until(end, answer);
  const { status } = response;
  const retryAfterMs = toRetryAfterMs(response.headers.get('retry-after'));
  const text = await until(end, readText(response)).catch(() => ''); // the status says it all
  return { kind: 'answer', status, ...(retryAfterMs !== undefined && { retryAfterMs }), text };
}

/** What an app puts in the place of `fetch` need not heed its signal. */
function until<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  return Promise.race([promise, aborted]);
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ANSWER_BYTES) break; // the rest is cancelled
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES));
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function toRetryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

function problemOf(error: unknown, timeoutMs: number): string {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  if (name === 'AbortError') return 'no answer before shutdown';
  const code = cause?.code;
  return typeof code === 'string' ? code : messageOf(cause ?? error);
}

/** What a server writes is no text of ours. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
}
