import { describe, expect, test } from 'vitest';
import { Ledgers, type Reservation } from './budget-ledger.ts';

const reservationOf = (usd: number): Reservation => ({ usd, controller: new AbortController() });

function spend(ledgers: Ledgers, key: string, usd: number): void {
  const reservation = reservationOf(usd);
  const ledger = ledgers.get(key);
  ledgers.reserve(ledger, reservation);
  ledgers.settle(ledger, reservation, usd);
}

describe('Ledgers', () => {
  test('forget the one that was used longest ago, and none that a call uses', () => {
    const ledgers = new Ledgers(10, 2);
    ledgers.reserve(ledgers.get('busy'), reservationOf(3));
    for (const key of ['a', 'b', 'a', 'c', 'd']) spend(ledgers, key, 1);
    expect(['busy', 'a', 'b', 'c', 'd'].map((key) => ledgers.get(key).spent)).toEqual([
      0, 0, 0, 1, 1,
    ]);
    expect(ledgers.get('busy').reserved).toBe(3);
    expect(ledgers.size).toBe(3);
    spend(ledgers, 'c', 1);
    spend(ledgers, 'e', 1);
    expect(['c', 'd', 'e'].map((key) => ledgers.get(key).spent)).toEqual([2, 0, 1]);
  });

  test('keep nothing of a key that was only asked for, or that spent nothing', () => {
    const ledgers = new Ledgers(10, 2);
    ledgers.get('asked');
    spend(ledgers, 'free', 0);
    expect(ledgers.size).toBe(0);
  });

  test('settle a reservation once', () => {
    const ledgers = new Ledgers(10, 2);
    const ledger = ledgers.get('a');
    const first = reservationOf(2);
    ledgers.reserve(ledger, first);
    ledgers.reserve(ledger, reservationOf(3));
    ledgers.settle(ledger, first, 1);
    ledgers.settle(ledger, first, 1);
    expect(ledger).toMatchObject({ spent: 1, reserved: 3 });
  });
});
