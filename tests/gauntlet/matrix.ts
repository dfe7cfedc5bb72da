// Every exporter through every fault.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observe, type Observation } from './cell.ts';
import type { Fault, Scale } from './faults/fault.ts';
import { judge, type Verdict } from './judge.ts';
import type { Subject } from './subjects.ts';

export interface Round extends Verdict {
  readonly seen: Observation;
  /** The same program without an exporter. */
  readonly control: Observation;
}

/** What stands at one place of the table. */
export type Cell =
  | { readonly kind: 'run'; readonly rounds: readonly Round[] }
  /** The cell makes no sense. */
  | { readonly kind: 'none'; readonly reason: string }
  /** This machine lacks what it needs. */
  | { readonly kind: 'not run'; readonly reason: string };

/** For the suite: a second for most cells. */
export const SHORT: Scale = { conversations: 40, burst: 1_000, rounds: 1 };
export const LONG: Scale = { conversations: 200, burst: 2_000, rounds: 20 };

/** Why a cell is not run, or `undefined`. */
export function omission(
  subject: Subject,
  fault: Fault,
): Exclude<Cell, { kind: 'run' }> | undefined {
  const reason = fault.without?.[subject.name];
  if (reason !== undefined) return { kind: 'none', reason };
  const behaviours = (fault.destination ?? []).map(({ behaviour }) => behaviour);
  for (const behaviour of behaviours) {
    const never = subject.cannot[behaviour];
    if (never !== undefined) return { kind: 'none', reason: never };
  }
  for (const behaviour of behaviours) {
    const lack = subject.lacks[behaviour];
    if (lack !== undefined) return { kind: 'not run', reason: lack };
  }
  return undefined;
}

export function problemsOf(cell: Cell): string[] {
  return cell.kind === 'run' ? cell.rounds.flatMap(({ counts, app }) => [...counts, ...app]) : [];
}

export class Matrix implements Disposable {
  readonly #scale: Scale;
  readonly #cache = mkdtempSync(join(tmpdir(), 'gauntlet-cache-'));
  readonly #controls = new Map<Fault, Promise<Observation>>();

  constructor(scale: Scale) {
    this.#scale = scale;
  }

  async run(subject: Subject, fault: Fault): Promise<Cell> {
    const omitted = omission(subject, fault);
    if (omitted !== undefined) return omitted;
    const rounds: Round[] = [];
    const count = fault.killWithinMs === undefined ? 1 : this.#scale.rounds;
    for (let round = 0; round < count; round++) {
      const [control, seen] = await Promise.all([
        this.#control(fault),
        observe(subject, fault, this.#scale, this.#cache),
      ]);
      rounds.push({ ...judge(subject, fault, seen, control), seen, control });
    }
    return { kind: 'run', rounds };
  }

  [Symbol.dispose](): void {
    rmSync(this.#cache, { recursive: true, force: true });
  }

  #control(fault: Fault): Promise<Observation> {
    const control =
      this.#controls.get(fault) ?? observe(undefined, fault, this.#scale, this.#cache);
    this.#controls.set(fault, control);
    return control;
  }
}
