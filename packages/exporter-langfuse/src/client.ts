/** What is needed of a client of the `langfuse` package, version 3. */
export interface LangfuseClient {
  trace(body: object): unknown;
  span(body: object): unknown;
  generation(body: object): unknown;
  event(body: object): unknown;
  flushAsync(): Promise<unknown>;
  /** Without it a failure that the client does not throw goes unseen. */
  on?(event: string, listener: (payload: unknown) => void): unknown;
}

const METHODS = ['trace', 'span', 'generation', 'event', 'flushAsync'] as const;

/** The methods that a value lacks to be a client. */
export function missingMethods(value: unknown): string[] {
  return METHODS.filter(
    (name) => typeof (value as Partial<LangfuseClient> | null | undefined)?.[name] !== 'function',
  );
}
