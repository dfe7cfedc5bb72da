/** Statuses of answers without a body. */
const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

export interface ResponseParts {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers | readonly (readonly [string, string])[];
  readonly url: string;
  readonly redirected: boolean;
}

/** A `Response` that says, as one of the network does, where it is from. */
export function makeResponse(
  body: ReadableStream<Uint8Array> | null,
  { status, statusText, headers, url, redirected }: ResponseParts,
): Response {
  const response = new Response(NULL_BODY_STATUSES.has(status) ? null : body, {
    status,
    statusText,
    headers: headers as Headers,
  });
  return withOrigin(response, url, redirected);
}

function withOrigin(response: Response, url: string, redirected: boolean): Response {
  const clone = (): Response =>
    withOrigin(Response.prototype.clone.call(response), url, redirected);
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    clone: { value: clone },
  });
}
