import type { Frame } from './context.ts';

/** What following a result tells the operation it came from. The first ending counts. */
export interface Outcome {
  /** Where the result was made: a generator's body runs here when it is pulled. */
  readonly frame: Frame | undefined;
  readonly ended: boolean;
  succeed(value: unknown): void;
  fail(error: unknown): void;
  /** The app stopped reading, or let go of the result without reading it. */
  cancel(): void;
  chunk(value: unknown): void;
  /** All chunks were read. */
  complete(): void;
}

/** All operations that one object is the result of: an agent may give back the stream of its call. */
class Audience implements Outcome {
  readonly frame: Frame | undefined;
  readonly #members = new Set<Outcome>();

  constructor(first: Outcome) {
    this.frame = first.frame;
    this.add(first);
  }

  get ended(): boolean {
    return this.#members.size === 0;
  }

  add(outcome: Outcome): void {
    // an app that returns one object again and again must not fill the memory
    for (const member of this.#members) if (member.ended) this.#members.delete(member);
    this.#members.add(outcome);
  }

  succeed(value: unknown): void {
    for (const member of this.#members) member.succeed(value);
  }

  fail(error: unknown): void {
    for (const member of this.#members) member.fail(error);
  }

  cancel(): void {
    for (const member of this.#members) member.cancel();
  }

  chunk(value: unknown): void {
    for (const member of this.#members) member.chunk(value);
  }

  complete(): void {
    for (const member of this.#members) member.complete();
  }
}

/** Ends what the app let go of: a stream that nobody read, a lazy promise that nobody awaited. */
const abandoned = new FinalizationRegistry<Outcome>((outcome) => outcome.cancel());
const audiences = new WeakMap<object, Audience>();

/**
 * Has an object tell an outcome what the app does with it. The object is changed the first time alone;
 * after that the outcome joins the others.
 *
 * @param watch replaces methods, and returns what to give back: the object, or a stand-in if it is frozen
 */
export function listen<Target extends object>(
  target: Target,
  outcome: Outcome,
  watch: (audience: Outcome) => Target,
): Target {
  const known = audiences.get(target);
  if (known !== undefined) {
    known.add(outcome);
    return target;
  }
  const audience = new Audience(outcome);
  const given = watch(audience);
  audiences.set(given, audience);
  abandoned.register(given, audience);
  return given;
}

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
