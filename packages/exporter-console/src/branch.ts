import { escapeControls } from '@pyagent-trace/core';
import { fit } from './text.ts';
import { Totals } from './totals.ts';

/** Columns of a name on every line about it. */
const MAX_LABEL = 32;

/** A pattern or agent that is open, or the root above all patterns. */
export class Branch {
  readonly parent: Branch | undefined;
  readonly name: string;
  /** The name as it is printed; the third of one name that is open at once is `worker #3`. */
  readonly label: string;
  readonly totals: Totals = new Totals();
  /** Model and tool calls that have begun and are not printed. */
  calls = 0;
  /** Its input, so that a task handed down is not shown again at every level. */
  asked: string | undefined;
  /** The last answer in here, so that one handed up is not shown again at every level. */
  said: string | undefined;
  /** Children that are open. */
  #open = 0;
  /** Of the children's names: how many are open, and the last number given. */
  readonly #names = new Map<string, { open: number; last: number }>();

  constructor(name = '', parent?: Branch) {
    this.parent = parent;
    this.name = name;
    const number = parent === undefined ? 1 : parent.#admit(name);
    this.label = labelOf(name) + (number > 1 ? ` #${number}` : '');
  }

  get isOneOfSeveral(): boolean {
    return this.parent !== undefined && this.parent.#open > 1;
  }

  close(): void {
    const { parent, name } = this;
    if (parent === undefined) return;
    parent.#open -= 1;
    const entry = parent.#names.get(name);
    if (entry !== undefined && --entry.open === 0) parent.#names.delete(name);
  }

  /** Numbers start again when none of the name is open: agents one after another have none. */
  #admit(name: string): number {
    const entry = this.#names.get(name) ?? { open: 0, last: 0 };
    this.#names.set(name, entry);
    this.#open += 1;
    entry.open += 1;
    return (entry.last += 1);
  }
}

/** From a branch up to, and without, the root. */
export function* lineageOf(branch: Branch): Iterable<Branch> {
  for (let at = branch; at.parent !== undefined; at = at.parent) yield at;
}

export function labelOf(name: string): string {
  return fit(escapeControls(name.slice(0, MAX_LABEL * 8)), MAX_LABEL);
}
