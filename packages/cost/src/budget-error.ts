import { TraceError } from '@pyagent-trace/core';

/** Who shares one limit: the calls of one trace, of one session, of all agents of one name, or all calls. */
export type BudgetScope = 'trace' | 'session' | 'agent' | 'total';

export interface BudgetExceededDetails {
  /**
   * - `limit`: the call could have cost more than is left. It was not made.
   * - `unknown`: nobody knows what the call could cost. It was not made.
   * - `stopped`: the call was running when its budget ran out, and was aborted.
   */
  readonly reason: 'limit' | 'unknown' | 'stopped';
  readonly per: BudgetScope;
  /** Which trace, session or agent; empty for `total`, and for calls that have none. */
  readonly key: string;
  readonly limitUsd: number;
  /** What ended calls cost. */
  readonly spentUsd: number;
  /** The worst case of the calls that run, without this one. */
  readonly reservedUsd: number;
  /** The worst case of this call; `undefined` when it is unknown. */
  readonly askedUsd: number | undefined;
}

const CODE = 'budget_exceeded';

/** A budget refused a model call, or stopped one. Its code is `budget_exceeded`. */
export class BudgetExceededError extends TraceError implements BudgetExceededDetails {
  override readonly name = 'BudgetExceededError';
  readonly reason: BudgetExceededDetails['reason'];
  readonly per: BudgetScope;
  readonly key: string;
  readonly limitUsd: number;
  readonly spentUsd: number;
  readonly reservedUsd: number;
  readonly askedUsd: number | undefined;

  /** @param problem what makes the worst case unknown, and what `reserve` threw */
  constructor(
    details: BudgetExceededDetails,
    problem: { readonly text?: string; readonly cause?: unknown } = {},
  ) {
    const { text = '', ...options } = problem;
    super(CODE, `budget of ${nameOf(details)}: ${explain(details, text)}`, options);
    this.reason = details.reason;
    this.per = details.per;
    this.key = details.key;
    this.limitUsd = details.limitUsd;
    this.spentUsd = details.spentUsd;
    this.reservedUsd = details.reservedUsd;
    this.askedUsd = details.askedUsd;
  }

  /** Works across copies and versions of this package, where `instanceof` does not. */
  static override isInstance(value: unknown): value is BudgetExceededError {
    return TraceError.isInstance(value) && value.code === CODE;
  }
}

function nameOf({ per, key }: BudgetExceededDetails): string {
  if (per === 'total') return 'all calls';
  return key === '' ? `calls without ${per}` : `${per} ${JSON.stringify(key)}`;
}

function explain(details: BudgetExceededDetails, problem: string): string {
  const { reason, limitUsd, spentUsd, reservedUsd, askedUsd } = details;
  if (reason === 'unknown')
    return `a call was refused, since nobody knows what it could cost: ${problem}`;
  const taken = `${usd(spentUsd)} of ${usd(limitUsd)} spent, ${usd(reservedUsd)} reserved`;
  const call = `a call for at most ${usd(askedUsd ?? 0)}`;
  return reason === 'limit' ? `${call} was refused: ${taken}` : `${call} was stopped: ${taken}`;
}

const MONEY = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  maximumSignificantDigits: 6,
});

function usd(amount: number): string {
  return MONEY.format(amount);
}
