import { requireFunction, requireFunctions } from '../check.ts';
import { forgetLine } from '../encode.ts';
import { messageOf, TraceError } from '../errors.ts';
import { createTraceEvent, isCheckedEvent, problemOf, type TraceEvent } from '../event.ts';
import type { Reporter } from './report.ts';
import { ignoreRejection, isThenable } from './promises.ts';

/**
 * Hands an event on, or a changed copy of it, or drops it by returning `undefined`.
 *
 * It never edits the event: every subscriber gets the very same object, and so does the app.
 */
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
  readonly #processors: readonly Processor[];
  readonly #schema: EventSchema | undefined;
  readonly #report: Reporter;
  readonly #disabled: boolean;
  /** There is nothing to do for an event that was checked before. */
  readonly #open: boolean;

  /** @param place what the processors are an option of */
  constructor(
    processors: readonly Processor[],
    schema: EventSchema | undefined,
    report: Reporter,
    place: string,
  ) {
    requireFunctions(processors, `${place}: processors`);
    if (schema !== undefined)
      requireFunction(Object(schema).safeParse, `${place}: schema.safeParse`);
    this.#processors = [...processors];
    this.#schema = schema;
    this.#report = report;
    this.#disabled = isSilenced();
    this.#open = !this.#disabled && schema === undefined && processors.length === 0;
  }

  get dropped(): number {
    return Object.values(this.reasons).reduce((sum, count) => sum + count, 0);
  }

  /** The event as the subscribers get it, or `undefined`. Never throws. */
  admit(event: TraceEvent): TraceEvent | undefined {
    const checked = isCheckedEvent(event);
    return checked && this.#open ? event : this.#examine(event, checked);
  }

  #examine(event: TraceEvent, checked: boolean): TraceEvent | undefined {
    if (this.#disabled) return this.#drop('disabled');
    let current = this.#check(event, checked, 'emit');
    if (current === undefined) return undefined;
    for (const processor of this.#processors) {
      const place = processor.name || 'a processor';
      let processed: TraceEvent | undefined;
      try {
        processed = processor(current);
        if (isThenable(processed)) {
          void ignoreRejection(processed);
          throw new TraceError('invalid_event', 'a processor cannot be asynchronous');
        }
      } catch (error) {
        // privacy fails closed: what redaction could not read goes nowhere
        this.#report(error, current, place);
        return this.#drop('processor_error');
      }
      if (processed === undefined) return this.#drop('filtered');
      if (processed !== current) {
        current = this.#check(processed, isCheckedEvent(processed), place);
        if (current === undefined) return undefined;
      }
    }
    if (this.#processors.length > 0) forgetLine(); // it may be of before they changed the event in place
    return current;
  }

  #drop(reason: DropReason): undefined {
    this.reasons[reason] += 1;
  }

  #check(event: TraceEvent, checked: boolean, place: string): TraceEvent | undefined {
    let problem = checked ? undefined : problemOf(event);
    if (problem === undefined && this.#schema !== undefined)
      problem = problemOfPayload(event, this.#schema);
    try {
      if (problem === undefined) return checked ? event : withDefaults(event);
    } catch (error) {
      problem = `cannot be read twice, ${messageOf(error)}`; // a getter or a proxy with a memory
    }
    this.#report(new TraceError('invalid_event', `trace event: ${problem}`), event, place);
    return this.#drop('invalid');
  }
}

function isSilenced(): boolean {
  try {
    return globalThis.process?.env?.['PYAGENT_TRACE_DISABLED'] === '1';
  } catch {
    return false; // Deno without --allow-env
  }
}

/** Every subscriber may rely on five keys. An event that has them stays the object it is. */
function withDefaults(event: TraceEvent): TraceEvent {
  const { agent_name, pattern_type, payload }: Partial<TraceEvent> = event;
  return agent_name === undefined || pattern_type === undefined || payload === undefined
    ? createTraceEvent(event)
    : event;
}

function problemOfPayload(event: TraceEvent, schema: EventSchema): string | undefined {
  try {
    const { success, error } = schema.safeParse(event);
    if (success) return undefined;
    const issue = error?.issues[0];
    return issue === undefined
      ? 'refused by the schema'
      : `${issue.path.map(String).join('.')}: ${issue.message}`;
  } catch (error) {
    return `the schema failed on it: ${messageOf(error)}`;
  }
}
