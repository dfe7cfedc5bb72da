import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../fixtures/record-many.ts', import.meta.url));
/** `COST_RECORDS=10000000` takes a minute. */
const RECORDS = Number(process.env['COST_RECORDS'] ?? 100_000);
/** The tables of maps grow and shrink with what was deleted from them; 200,000 entries are 50 MB. */
const MAX_GROWTH = 4e6;

describe('CostTracker', () => {
  test.for([
    ['recorded, with traces and users of their own', 'record'],
    ['heard of on a bus, answered and priced', 'hear'],
  ] as const)(
    `takes no more memory after ${RECORDS.toLocaleString('en')} calls that are %s`,
    { timeout: 600_000 },
    async ([, how]) => {
      const args = ['--expose-gc', '--conditions=@pyagent-trace/source', PROGRAM];
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...args,
        String(RECORDS),
        how,
      ]);
      const { entries, before, after } = JSON.parse(stdout) as Record<string, number>;
      expect(entries).toBe(50_000 + RECORDS);
      expect((after ?? 0) - (before ?? 0)).toBeLessThan(MAX_GROWTH);
    },
  );
});
