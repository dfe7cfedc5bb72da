import type { Behaviour } from '../destinations/destination.ts';
import type { Scenario, SubjectName } from '../scenario.ts';

/**
 * What has to become of the events, beside the sums, which have to hold in every cell.
 *
 * - `all`: each is delivered, and has arrived; those that come after `shutdown` are dropped.
 * - `nothing`: none has arrived, and none is said to have been delivered.
 * - `counted`: some may be lost; what arrived is what the counts say.
 * - `acknowledged`: the program is killed; what a flush has acknowledged has arrived.
 * - `all, unsaid`: each has arrived; the program ends too suddenly to say so.
 */
export type Expected = 'all' | 'nothing' | 'counted' | 'acknowledged' | 'all, unsaid';

export interface Step {
  readonly behaviour: Behaviour;
  /** Since the step before; the first begins before the program does. */
  readonly afterMs?: number;
}

/** How large the cells are. */
export interface Scale {
  readonly conversations: number;
  /** In the one synchronous run of a burst. */
  readonly burst: number;
  /** Of cells in which chance decides when a process is killed. */
  readonly rounds: number;
}

export interface Fault {
  readonly name: string;
  /** Without it the destination does well. */
  readonly destination?: readonly Step[];
  /** What differs from a program that works, shuts down and ends. */
  readonly app?: (scale: Scale) => Partial<Scenario>;
  readonly nodeOptions?: readonly string[];
  /** SIGKILL comes so many milliseconds after the first acknowledgement, at a random moment of them. */
  readonly killWithinMs?: number;
  readonly expected: { readonly others: Expected } & Partial<Record<SubjectName, Expected>>;
  /** Exporters for which the cell makes no sense, and why. */
  readonly without?: Partial<Record<SubjectName, string>>;
  /** Events that come in no known number of spans: at least those of the conversations must arrive. */
  readonly hasOddEvents?: boolean;
  /** How long the event loop may stand still, by default 1 s: the machine may be busy with something else. */
  readonly mayBlockMs?: number;
}
