import type { Observation } from './observation.ts';

/** What became of a batch. `error` says why, for people. */
export type Verdict =
  | {
      readonly kind: 'stored';
      /** Of the batch, what the destination will never take. */
      readonly refused?: readonly Observation[];
      /** Of the batch, what it did not take this time, for certain. */
      readonly again?: readonly Observation[];
      readonly error?: string;
    }
  /** Nothing of it was stored, and nothing of it ever will be. */
  | { readonly kind: 'refused'; readonly error: string }
  /** Nothing of it was stored: it is too large as one request. */
  | { readonly kind: 'too-large'; readonly error: string }
  /** Nothing of it was stored; the destination takes nothing from us at all: a wrong key, a wrong address. */
  | { readonly kind: 'blocked'; readonly error: string }
  /** Nothing of it was stored this time, or nothing that is stored again if it is sent again. */
  | {
      readonly kind: 'unavailable';
      readonly error: string;
      readonly afterMs?: number;
      readonly mayBeStored?: boolean;
    }
  /** It may have been stored or not. */
  | { readonly kind: 'unknown'; readonly error: string };

/** One way to send observations. */
export interface Sink {
  /** Observations in one batch. */
  readonly maxBatch: number;
  /** Sends observations. Never rejects, and ends soon after the signal aborts. */
  send(batch: readonly Observation[], signal: AbortSignal): Promise<Verdict>;
}
