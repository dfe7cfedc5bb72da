import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** A header that tells one request from all others of the process. */
const HEADER = 'x-request-id';

const CREATED = 'undici:request:create';
const SENT = 'undici:client:sendHeaders';

/**
 * Watches whether a request has left for the server, which `fetch` does not say and an error does not show:
 * a timeout is the same before and after. https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
export class Departure {
  readonly headers: Readonly<Record<string, string>>;
  readonly #id: string;
  #created = false;
  #sent = false;

  constructor(id: string) {
    this.#id = id;
    this.headers = { [HEADER]: id };
    subscribe(CREATED, this.#onCreated);
    subscribe(SENT, this.#onSent);
  }

  /** Whether a byte of it may have reached the server: yes, unless it was seen before it left. */
  get mayHaveLeft(): boolean {
    return this.#sent || !this.#created;
  }

  stop(): void {
    unsubscribe(CREATED, this.#onCreated);
    unsubscribe(SENT, this.#onSent);
  }

  readonly #onCreated = (message: unknown): void => {
    if (this.#isAbout(message)) this.#created = true;
  };

  readonly #onSent = (message: unknown): void => {
    if (this.#isAbout(message)) this.#sent = true;
  };

  #isAbout(message: unknown): boolean {
    const { request } = message as { request?: { headers?: unknown } };
    const headers = request?.headers;
    return (Array.isArray(headers) ? headers : [String(headers)]).some((text) =>
      String(text).includes(this.#id),
    );
  }
}
