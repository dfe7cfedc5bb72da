import type { InterceptedOperation } from '@pyagent-trace/core/tracer';

export type ExchangeKind = InterceptedOperation['kind'];

/** What was asked, as plain data: the agent's name and the payload, without ids, times and chosen paths. */
export type Question = Readonly<Record<string, unknown>>;

/**
 * Which keys of the question a recording can vouch for.
 *
 * - `all`: it has exactly what was asked.
 * - `prompt`: Python's `Recorder` keeps agent, messages and, where the app says so, the model.
 * - `asked`: of a routing decision, what was asked and what came of it stand side by side in one event: it
 *   has to have every key that is asked.
 */
export type Compared = 'all' | 'prompt' | 'asked';

export interface Chunk {
  readonly at_ms: number;
  readonly chunk: unknown;
}

export interface Thrown {
  readonly message: string;
  readonly error_type: string;
  readonly code?: unknown;
  readonly stack?: unknown;
}

/** What came of a question, as plain data. */
export interface Answer {
  /** Keys of the end event. */
  readonly end: Readonly<Record<string, unknown>>;
  /** What the function returned; absent where it returned nothing. */
  readonly value?: unknown;
  /** What it gave instead, piece by piece. */
  readonly stream?: readonly Chunk[];
  /** What was thrown, in the end. */
  readonly error?: Thrown;
  /** Somebody asked for the end of it. */
  readonly cancelled?: boolean;
  /** Why it cannot be given again. */
  readonly problem?: string;
}

/** A question, what came of it, and where that stands. */
export interface Exchange {
  readonly kind: ExchangeKind;
  readonly question: Question;
  readonly compared: Compared;
  readonly answer: Answer;
  readonly agent_name: string;
  readonly pattern_type: string;
  readonly session_id: string;
  /** From 1. */
  readonly line: number;
  /** Of two equal questions, the one with the smaller order was asked first. */
  readonly order: number;
  /** Trace and span. */
  readonly span?: string | undefined;
  /** The span of the exchange around it: where that is answered, this one is not asked. */
  readonly inside?: string | undefined;
  /** Told rather than asked, or never answered: nobody has to ask for it. */
  readonly optional?: boolean;
}
