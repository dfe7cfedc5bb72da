import type { Frame } from './context.ts';

/** What following a result tells the operation it came from. The first ending counts. */
export interface Outcome {
  /** Where the result was made: a generator's body runs here when it is pulled. */
  readonly frame: Frame | undefined;
  succeed(value: unknown): void;
  fail(error: unknown): void;
  /** The app stopped reading, or let go of the result without reading it. */
  cancel(): void;
  chunk(value: unknown): void;
  /** All chunks were read. */
  complete(): void;
}

/** Ends what the app let go of: a stream that nobody read, a lazy promise that nobody awaited. */
export const abandoned = new FinalizationRegistry<Outcome>((outcome) => outcome.cancel());

/** Replaces methods on one object, not on its class. Returns false where it is frozen. */
export function redefine(target: object, methods: Record<PropertyKey, unknown>): boolean {
  return Reflect.ownKeys(methods).every((key) =>
    Reflect.defineProperty(target, key, {
      value: methods[key as string],
      configurable: true,
      writable: true,
      enumerable: false,
    }),
  );
}
