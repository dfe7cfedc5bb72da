/** Sent by all clients that Stainless makes: those of OpenAI and Anthropic among others. */
const STAINLESS_HEADER = 'x-stainless-lang';

/** Of a request that is wrong: who tries again looks for it on an error too, as LangChain does, and gives up. */
const STATUS = 400;

/**
 * Makes an error reach the one who called the client.
 *
 * The clients of OpenAI and Anthropic take whatever `fetch` rejects with for a lost connection: they try
 * again, wait in between, and throw "Connection error." at last. What is thrown when they look at an answer
 * goes through them as it is, at once.
 */
export function refuse(error: unknown, headers: Headers): Response {
  if (error instanceof Error) Object.defineProperty(error, 'status', { value: STATUS });
  if (!headers.has(STAINLESS_HEADER)) throw error;
  return new Proxy(Response.error(), {
    get(target, key) {
      if (key === 'headers' || key === 'status' || key === 'ok') throw error;
      return Reflect.get(target, key, target) as unknown;
    },
  });
}
