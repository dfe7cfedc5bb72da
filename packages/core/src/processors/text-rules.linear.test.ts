// Regular expressions that backtrack let one hostile answer stall the app for minutes. recheck knows which do.
import { check } from 'recheck';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { KEYS } from './keys.ts';
import { EMAILS, RULE_GROUPS, START } from './text-rules.ts';

/** On a busy machine; the longest takes 10 s of a free one. */
const TIMEOUT_MS = 120_000;

/** `prefix[class]{20,}`, and nothing after it: it fails within 20 characters, or takes all of them. */
const OPEN_END = /^(?:[\w-]|\\\.|\[[^\]]+\]|\(\?:[\w|?]+\))+(?:\[[^\]]+\]|\\w)\{\d+,\}$/;

describe('the text rules', () => {
  beforeEach(() => {
    vi.stubEnv('RECHECK_BACKEND', 'pure');
    return () => vi.unstubAllEnvs();
  });

  const groups = [...RULE_GROUPS, EMAILS];
  const closed = Object.entries(KEYS).flatMap(([name, source]) =>
    alternatives(source)
      .filter((alternative) => !OPEN_END.test(alternative))
      .map((alternative): [string, RegExp] => [name, new RegExp(START + alternative, 'g')]),
  );

  test('all keys but two end with an open run of characters, which cannot backtrack', () => {
    expect(closed.map(([name]) => name)).toEqual(['sendgrid_key', 'jwt']);
  });

  const patterns = groups
    .flatMap(({ hints, rules }) => [hints, rules.map(({ pattern }) => pattern)].flat())
    .filter(({ source }) => !source.startsWith(START))
    .map((pattern): [string, RegExp] => [pattern.source.slice(0, 40), pattern]);

  test.each([...closed, ...patterns])(
    'recheck finds no backtracking in %s',
    { timeout: TIMEOUT_MS },
    async (_, pattern) => {
      expect(await statusOf(pattern)).toBe('safe');
    },
  );

  test('recheck would find it', { timeout: TIMEOUT_MS }, async () => {
    expect(await statusOf(/eyJ[\w-]{8,}\.eyJ[\w-]{8,}/)).toBe('vulnerable');
  });
});

async function statusOf({ source, flags }: RegExp): Promise<string> {
  // it looks for an attack at random: with a fixed seed and without clocks, it finds the same each time
  const { status } = await check(source, flags, {
    checker: 'fuzz',
    randomSeed: 1,
    maxIteration: 1,
    timeout: null,
    attackTimeout: null,
    incubationTimeout: null,
  });
  return status;
}

/** What stands between the bars that are in no group. */
function alternatives(source: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of source) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}
