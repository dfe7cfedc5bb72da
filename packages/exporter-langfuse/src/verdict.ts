import { oneLine, type Reply } from './request.ts';
import type { Verdict } from './sink.ts';

/**
 * What a reply that is no success says about the batch. Langfuse 4 stores a span that comes twice as two,
 * with twice the cost, so that nothing may be sent again but what was not stored for certain.
 *
 * - Certain: there was no connection; 408, 425, 429; 500, since Langfuse answers it when it could not store
 *   or queue the request; 503, nobody took it; Cloudflare's 521, 522, 523, 525, 526 and 530, which had no connection either.
 * - Uncertain: the connection broke or was silent after the request was sent; 502, 504, 520, 524: a proxy
 *   handed it on and heard nothing of use.
 */
export function verdictOf(reply: Reply, place: string): Verdict {
  if (reply.kind === 'none') {
    const error = `${place}: ${reply.error}`;
    return reply.sent ? { kind: 'unknown', error } : { kind: 'unavailable', error };
  }
  const { status, text, retryAfterMs } = reply;
  const words = oneLine(text);
  const error = `${place}: ${status}${words === '' ? '' : ` ${words}`}`;
  if (status === 413) return { kind: 'too-large', error };
  if (UNCERTAIN.has(status)) return { kind: 'unknown', error };
  if (status >= 500 || PASSING.has(status))
    return {
      kind: 'unavailable',
      error,
      ...(retryAfterMs !== undefined && { afterMs: retryAfterMs }),
    };
  if (status < 400 || BLOCKING.has(status)) return { kind: 'blocked', error };
  return { kind: 'refused', error };
}

const UNCERTAIN: ReadonlySet<number> = new Set([502, 504, 520, 524]);
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);
/** A wrong key, a project that is suspended, an address that is not Langfuse's. */
const BLOCKING: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 407, 410, 415]);
