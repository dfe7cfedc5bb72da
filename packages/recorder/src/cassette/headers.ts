/** Who asks. Neither written nor compared, in requests and answers. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'anthropic-organization-id',
  'api-key',
  'authorization',
  'cookie',
  'openai-organization',
  'openai-project',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
  'x-goog-api-key',
]);

/** How the bytes travelled: `fetch` gives them unpacked, and a replay sends none. */
const TRANSPORT_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'transfer-encoding',
]);

/** What else than method, address and body changes what is answered. */
const ASKING_HEADERS: readonly string[] = [
  'anthropic-beta',
  'anthropic-version',
  'openai-beta',
  'range',
];

export function isSecretHeader(name: string): boolean {
  return SECRET_HEADERS.has(name.toLowerCase());
}

/** The headers of an answer that a replay gives. */
export function keptHeaders(headers: Headers): [name: string, value: string][] {
  return [...headers].filter(([name]) => !SECRET_HEADERS.has(name) && !TRANSPORT_HEADERS.has(name));
}

/** The headers of a request that are compared. */
export function askingHeaders(headers: Headers): Record<string, string> {
  const entries = ASKING_HEADERS.map((name) => [name, headers.get(name)] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
