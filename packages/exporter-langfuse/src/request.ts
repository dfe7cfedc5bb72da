import { messageOf, newSpanId } from '@pyagent-trace/core';
import { cutToLength } from './cut.ts';
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

/** Makes one request, without redirects: they would take the keys to another server. Never rejects. */
export async function request(
  { url, body, headers }: Request,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Reply> {
  const departure = new Departure(newSpanId());
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...departure.headers },
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const { status } = response;
    const retryAfterMs = toRetryAfterMs(response.headers.get('retry-after'));
    const text = await response.text().catch(() => ''); // the status says it all
    return { kind: 'answer', status, ...(retryAfterMs !== undefined && { retryAfterMs }), text };
  } catch (error) {
    return { kind: 'none', sent: departure.mayHaveLeft, error: problemOf(error, timeoutMs) };
  } finally {
    departure.stop();
  }
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function toRetryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

function problemOf(error: unknown, timeoutMs: number): string {
  const { name, cause } = error as { name?: unknown; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  if (name === 'AbortError') return 'no answer before shutdown';
  const code = cause?.code;
  return typeof code === 'string' ? code : messageOf(cause ?? error);
}

/** The first words of an answer: what a server writes is no text of ours. */
export function excerptOf(text: string): string {
  return cutToLength(text.replaceAll(/[\p{C}\s]+/gu, ' ').trim(), 200);
}
