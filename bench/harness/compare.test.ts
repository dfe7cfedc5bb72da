import { describe, expect, test } from 'vitest';
import { compare, type Comparison, type Subject, type Timed, toTable } from './compare.ts';

describe('compare', () => {
  test('runs the subjects in turn and keeps no warm-up round', async () => {
    const order: string[] = [];
    const timed = await compare({
      ...QUESTION,
      subjects: [fake('a', 30, order)],
      peer: fake('b', 60, order),
    });
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b']);
    expect(timed).toEqual([
      { name: 'a', goal: undefined, ns: [15e6, 15e6], rates: [] },
      { name: 'b', goal: undefined, ns: [30e6, 30e6], rates: [] },
    ]);
  });

  test('counts the megabytes per second of a subject that counts its bytes', async () => {
    const peer: Subject = {
      name: 'writer',
      start: () => ({ round: (n) => n, elapsedMs: () => 50, bytes: () => 5e6 }),
    };
    const timed = await compare({ ...QUESTION, subjects: [], peer });
    expect(timed.map(({ rates }) => rates)).toEqual([[100, 100]]);
  });

  test('fails a subject that cannot show the work it is timed for', async () => {
    const lazy: Subject = { name: 'lazy', start: () => ({ round: () => 1 }) };
    await expect(compare({ ...QUESTION, subjects: [], peer: lazy })).rejects.toThrow(
      'lazy: did 1 of 2 iterations',
    );
  });

  test('stops what it started when a later subject cannot start', async () => {
    let stopped = 0;
    const first: Subject = {
      name: 'first',
      start: () => ({ round: (n) => n, stop: () => void (stopped += 1) }),
    };
    const broken: Subject = {
      name: 'broken',
      start() {
        throw new Error('no port');
      },
    };
    await expect(compare({ ...QUESTION, subjects: [first], peer: broken })).rejects.toThrow(
      'no port',
    );
    expect(stopped).toBe(1);
  });
});

describe('toTable', () => {
  test('says which goal was met and which was missed, and what stands in the way', () => {
    const ours = { ns: [3e6, 3e6, 9e6], rates: [] };
    const rows: Timed[] = [
      { name: 'ours', ...ours, goal: { ratio: 2, ms: 10, remains: 'Not said.' } },
      { name: 'ours, safe', ...ours, goal: { ratio: 1.25, remains: 'It copies.' } },
      { name: 'other', ns: [6e6, 6e6, 6e6], rates: [100, 300, 200] },
      { name: 'ours, ahead', ...ours, goal: { ahead: ['other', 'theirs'] } },
      { name: 'theirs', ns: [2e6, 2e6, 2e6], rates: [] },
    ];
    expect(toTable({ ...QUESTION, note: 'A note.', rounds: 3 }, rows)).toEqual({
      title: 'reading',
      note: 'A note.',
      head: ['', 'per line', 'MB/s', 'by its peer', 'goal'],
      rows: [
        [
          'ours',
          '3.00 ms (3.00 – 9.00)',
          '',
          '1.50 × (1.50 – 4.50)',
          'at most 2 ×: met; under 10 ms: met',
        ],
        [
          'ours, safe',
          '3.00 ms (3.00 – 9.00)',
          '',
          '1.50 × (1.50 – 4.50)',
          'at most 1.25 ×: **missed**. It copies.',
        ],
        ['other', '6.00 ms (6.00 – 6.00)', '200', '3.00 × (3.00 – 3.00)', ''],
        [
          'ours, ahead',
          '3.00 ms (3.00 – 9.00)',
          '',
          '1.50 × (1.50 – 4.50)',
          'ahead of other (0.50 ×): met; ahead of theirs (1.50 ×): **missed**',
        ],
        ['theirs', '2.00 ms (2.00 – 2.00)', '', '1 (the peer)', ''],
      ],
      foot: '3 rounds of 2.',
    });
  });

  test('fails a goal that names nobody', () => {
    const rows: Timed[] = [{ name: 'ours', ns: [1], rates: [], goal: { ahead: ['pino'] } }];
    expect(() => toTable(QUESTION, rows)).toThrow('ours: its goal names no subject: pino');
  });
});

const QUESTION: Omit<Comparison, 'subjects' | 'peer'> = {
  title: 'reading',
  per: 'line',
  iterations: 2,
  rounds: 2,
};

/** Takes a hundred times as long in the two rounds that warm up. */
function fake(name: string, elapsedMs: number, order: string[]): Subject {
  return {
    name,
    start() {
      let rounds = 0;
      return {
        round(iterations) {
          rounds += 1;
          order.push(name);
          return iterations;
        },
        elapsedMs: () => (rounds > 2 ? elapsedMs : 100 * elapsedMs),
      };
    },
  };
}
