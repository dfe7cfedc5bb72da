import { requireFunction, requireFunctions } from './check.ts';
import { TraceError } from './errors.ts';
import { createTraceEvent, isCheckedEvent, problemOf, type TraceEvent } from './event.ts';
import type { ErrorHandler } from './report.ts';

/** Hands an event on, changed or not, or drops it by returning `undefined`. */
export type Processor = (event: TraceEvent) => TraceEvent | undefined;

/** What a bus needs of a schema: `TraceEventSchema`, or any with zod's `safeParse`. */
export interface EventSchema {
  safeParse(value: unknown): {
    readonly success: boolean;
    readonly error?:
      | { readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[] }
      | undefined;
  };
}

/** Why an event did not reach the subscribers. */
export type DropReason = 'invalid' | 'filtered' | 'processor_error' | 'reentrant' | 'disabled';

/** Where events come in: checked, processed, and counted when they get no further. */
export class Gate {
  readonly reasons: Record<DropReason, number> = {
    invalid: 0,
    filtered: 0,
    processor_error: 0,
    reentrant: 0,
    disabled: 0,
  };
  accepted = 0;
  readonly #processors: readonly Processor[];
  readonly #schema: EventSchema | undefined;
  readonly #report: (...args: [...Parameters<ErrorHandler>, place: string]) => void;
  readonly #disabled: boolean;

  constructor(
    processors: readonly Processor[],
    schema: EventSchema | undefined,
    report: (...args: [...Parameters<ErrorHandler>, place: string]) => void,
  ) {
    requireFunctions(processors, 'TraceEventBus: processors');
    if (schema !== undefined) requireFunction(schema?.safeParse, 'TraceEventBus: schema.safeParse');
    this.#processors = [...processors];
    this.#schema = schema;
    this.#report = report;
    this.#disabled = globalThis.process?.env?.['PYAGENT_TRACE_DISABLED'] === '1';
  }

  /** The event as the subscribers get it, or `undefined`. Never throws. */
  admit(event: TraceEvent): TraceEvent | undefined {
    if (this.#disabled) return this.#drop('disabled');
    let current = this.#check(event);
    if (current === undefined) return undefined;
    for (const processor of this.#processors) {
      let processed: TraceEvent | undefined;
      try {
        processed = processor(current);
      } catch (error) {
        // privacy fails closed: what redaction could not read goes nowhere
        this.#report(error, current, processor.name || 'a processor');
        return this.#drop('processor_error');
      }
      if (processed === undefined) return this.#drop('filtered');
      if (processed !== current) {
        current = this.#check(processed);
        if (current === undefined) return undefined;
      }
    }
    this.accepted += 1;
    return current;
  }

  #drop(reason: DropReason): undefined {
    this.reasons[reason] += 1;
  }

  #check(event: TraceEvent): TraceEvent | undefined {
    let problem: string | undefined;
    let checked = event;
    try {
      if (!isCheckedEvent(event)) {
        problem = problemOf(event);
        const { agent_name, pattern_type, payload } = event;
        if (agent_name === undefined || pattern_type === undefined || payload === undefined)
          checked = createTraceEvent(event);
      }
      if (problem === undefined && this.#schema !== undefined)
        problem = this.#problemOfPayload(checked, this.#schema);
    } catch {
      problem = 'a getter threw'; // or a proxy's trap, or a primitive was emitted
    }
    if (problem === undefined) return checked;
    this.#report(new TraceError('invalid_event', `trace event: ${problem}`), event, 'emit');
    return this.#drop('invalid');
  }

  #problemOfPayload(event: TraceEvent, schema: EventSchema): string | undefined {
    const result = schema.safeParse(event);
    if (result.success) return undefined;
    const issue = result.error?.issues[0];
    return issue === undefined
      ? 'refused by the schema'
      : `${issue.path.join('.')}: ${issue.message}`;
  }
}
