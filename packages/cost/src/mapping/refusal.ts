/**
 * Whether an error is a provider's answer that it did not do what was asked, which none bills: a status
 * of 4xx (not 408 and 499, which come after a wait) or an overload (503, Anthropic's 529). Of other
 * errors nobody knows how far the request came.
 */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined || status === 408 || status === 499) return false;
  return (status >= 400 && status < 500) || status === 503 || status === 529;
}

/** The HTTP status, where the SDKs of OpenAI, Anthropic, Google, Vercel and AWS, and axios, put it. */
function statusOf(error: unknown): number | undefined {
  return [
    read(error, 'status'),
    read(error, 'statusCode'),
    read(read(error, '$metadata'), 'httpStatusCode'),
    read(read(error, 'response'), 'status'),
  ].find((value) => typeof value === 'number');
}

function read(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined; // a getter that throws
  }
}
