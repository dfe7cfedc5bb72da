import { createTraceEvent, type EventSink, type TracePayload } from '@pyagent-trace/core';
import type { InterceptedOperation, Interceptor } from '@pyagent-trace/core/tracer';
import {
  type BudgetExceededDetails,
  BudgetExceededError,
  type BudgetScope,
} from './budget-error.ts';
import { type Ledger, Ledgers, type Reservation } from './budget-ledger.ts';
import { costOf } from './budget-settlement.ts';
import { isCost } from './cost-entry.ts';
import type { PriceSource } from './prices.ts';
import { type WorstCase, worstCaseOf } from './worst-case.ts';

export interface KeeperOptions {
  readonly limitUsd: number;
  readonly per: BudgetScope;
  readonly reserve: (request: TracePayload) => number | undefined;
  readonly prices: PriceSource;
  readonly bus?: EventSink | undefined;
  /** Rising. */
  readonly warnAtShares: readonly number[];
}

/** The account of one trace, session or agent, or of all calls. */
export interface BudgetStats {
  readonly limitUsd: number;
  /** What ended calls cost. */
  readonly spentUsd: number;
  /** The worst case of the calls that run. */
  readonly reservedUsd: number;
  /** What a call may ask for now. */
  readonly remainingUsd: number;
  /** Calls. */
  readonly running: number;
}

/** Keys without a running call that are kept: 10 MB of trace ids. */
const MAX_IDLE = 20_000;

/**
 * Operations that a budget refused before the app's function ran. Shared by all budgets, so that one
 * around the one that refused gives its reservation back.
 */
const refused = new WeakSet<InterceptedOperation>();

/** Reserves before a model call, and settles after it. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #ledgers: Ledgers;
  readonly #reservations = new WeakMap<InterceptedOperation, Reservation>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#ledgers = new Ledgers(options.limitUsd, MAX_IDLE);
  }

  readonly intercept: Interceptor = (operation, next) => {
    if (operation.kind === 'llm_call') this.#admit(operation);
    return next();
  };

  readonly stats = (key = ''): BudgetStats => {
    const { limitUsd } = this.#options;
    const { spent, reserved, running } = this.#ledgers.get(key);
    return {
      limitUsd,
      spentUsd: spent,
      reservedUsd: reserved,
      remainingUsd: Math.max(0, limitUsd - spent - reserved),
      running: running.size,
    };
  };

  /** @throws {BudgetExceededError} */
  #admit(operation: InterceptedOperation): void {
    const timestamp = Date.now() / 1000;
    const key = KEYS[this.#options.per](operation);
    const earlier = this.#reservations.get(operation);
    // an interceptor around this one asks again: nobody knows what its first attempt cost
    if (earlier !== undefined) this.#settle(operation, key, earlier, earlier.usd);
    const worst = this.#worstCaseOf(operation.payload, timestamp);
    const ledger = this.#ledgers.get(key);
    if ('problem' in worst || !this.#ledgers.fits(ledger, worst.usd)) {
      if (earlier === undefined) refused.add(operation);
      throw this.#refusal(ledger, worst);
    }
    refused.delete(operation); // by another budget, the last time
    const reservation = { usd: worst.usd, controller: stopperOf(operation) };
    this.#reservations.set(operation, reservation);
    this.#ledgers.reserve(ledger, reservation);
    operation.onEnd((end, error) => {
      const cost = refused.has(operation)
        ? 0
        : costOf({ request: operation.payload, end, error, timestamp }, this.#options.prices);
      this.#settle(operation, key, reservation, cost ?? reservation.usd);
    });
  }

  /** Asks the app where the request does not tell. */
  #worstCaseOf(request: TracePayload, timestamp: number): WorstCase & { cause?: unknown } {
    const { prices, reserve } = this.#options;
    const worst = worstCaseOf(request, prices, timestamp);
    if ('usd' in worst) return worst;
    try {
      const usd = reserve(request);
      return isCost(usd) ? { usd } : worst;
    } catch (cause) {
      return { ...worst, cause };
    }
  }

  #refusal(ledger: Ledger, worst: WorstCase & { cause?: unknown }): BudgetExceededError {
    if ('usd' in worst) return new BudgetExceededError(this.#details(ledger, 'limit', worst.usd));
    const { problem: text, ...cause } = worst;
    return new BudgetExceededError(this.#details(ledger, 'unknown'), { text, ...cause });
  }

  #settle(
    operation: InterceptedOperation,
    key: string,
    reservation: Reservation,
    costUsd: number,
  ): void {
    const ledger = this.#ledgers.get(key);
    const spentBefore = ledger.spent;
    this.#ledgers.settle(ledger, reservation, costUsd);
    this.#warn(ledger, spentBefore, operation);
    // what runs may now cost more than is left
    if (!this.#ledgers.fits(ledger, 0)) this.#stopAll(ledger);
  }

  #stopAll(ledger: Ledger): void {
    for (const { usd, controller } of ledger.running)
      controller.abort(new BudgetExceededError(this.#details(ledger, 'stopped', usd)));
  }

  #warn(ledger: Ledger, spentBefore: number, operation: InterceptedOperation): void {
    const { bus, limitUsd, per, warnAtShares } = this.#options;
    const { trace_id, agent_name, pattern_type } = operation;
    // the call has ended, and what is said of an ended span comes late
    const span_id = operation.parent_span_ids[0] ?? operation.span_id;
    for (const threshold of warnAtShares) {
      const reachedAt = threshold * limitUsd;
      if (spentBefore >= reachedAt || ledger.spent < reachedAt) continue;
      const warning = createTraceEvent({
        event_type: 'budget_warning',
        agent_name,
        pattern_type,
        payload: {
          trace_id,
          span_id,
          per,
          key: ledger.key,
          threshold,
          limit_usd: limitUsd,
          spent_usd: ledger.spent,
          reserved_usd: ledger.reserved,
        },
      });
      try {
        bus?.emit(warning);
      } catch {
        // a bus never throws; another sink must not reach the app, nor keep running calls from being stopped
      }
    }
  }

  #details(
    { key, spent, reserved }: Ledger,
    reason: BudgetExceededDetails['reason'],
    askedUsd?: number,
  ): BudgetExceededDetails {
    const { per, limitUsd } = this.#options;
    return { reason, per, key, limitUsd, spentUsd: spent, reservedUsd: reserved, askedUsd };
  }
}

const KEYS: Readonly<Record<BudgetScope, (operation: InterceptedOperation) => string>> = {
  trace: ({ trace_id }) => trace_id,
  session: ({ session_id }) => session_id,
  agent: ({ agent_name }) => agent_name,
  total: () => '',
};

/** Stops the operation, beside the app's own signal. */
function stopperOf(operation: InterceptedOperation): AbortController {
  const controller = new AbortController();
  const { signal } = operation;
  operation.signal =
    signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
  return controller;
}
