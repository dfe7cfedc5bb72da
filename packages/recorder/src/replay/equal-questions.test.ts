import { describe, expect, test } from 'vitest';
import { type EqualQuestion, EqualQuestions } from './equal-questions.ts';

const MEMBER = { session_id: '', exact: 1, pattern_type: '', whole: true, used: false };

function group(...members: readonly Partial<EqualQuestion>[]): EqualQuestions<EqualQuestion> {
  const all = new EqualQuestions<EqualQuestion>();
  for (const [order, member] of members.entries()) all.add({ ...MEMBER, order, ...member });
  return all;
}

function take(all: EqualQuestions<EqualQuestion>, asked: Partial<EqualQuestion> = {}): unknown {
  const next = all.next(() => ({ ...MEMBER, ...asked }));
  if (next !== undefined) next.used = true;
  return next?.order;
}

describe('EqualQuestions', () => {
  test('gives each once, in the order of asking', () => {
    const all = group({ order: 3 }, { order: 1 }, { order: 2 });
    expect([take(all), take(all), take(all), take(all)]).toEqual([1, 2, 3, undefined]);

    const one = group({});
    expect([take(one), take(one)]).toEqual([0, undefined]);
  });

  test('goes by what can be given, then by session, white space and pattern', () => {
    const all = group(
      { whole: false, session_id: 's', exact: 2, pattern_type: 'p' },
      {},
      { exact: 2, pattern_type: 'p' },
      { session_id: 's' },
      { session_id: 's', pattern_type: 'p' },
      { session_id: 's', exact: 2 },
    );
    const asked = { session_id: 's', exact: 2, pattern_type: 'p' };
    expect(Array.from({ length: 7 }, () => take(all, asked))).toEqual([
      5,
      4,
      3,
      2,
      1,
      0,
      undefined,
    ]);
  });

  test('looks at each a few times, however many there are', () => {
    const count = 10_000;
    let looks = 0;
    const all = new EqualQuestions<EqualQuestion>();
    for (let order = 0; order < count; order++)
      all.add({
        ...MEMBER,
        order,
        get session_id() {
          looks += 1;
          return 'recorded';
        },
      });
    for (let i = 0; i < count; i++) expect(take(all, { session_id: 'other' })).toBe(i);
    expect(looks).toBeLessThan(20 * count);
  });
});
