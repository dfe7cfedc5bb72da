import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { benches } from './benches.ts';
import { OURS } from './harness/entries.ts';
import type { Table } from './harness/table.ts';

const run = promisify(execFile);

/** These load what is built. */
const OF_BUILT = new Set(['imports', 'sizes']);

const built = OURS.flatMap(({ modules }) => Object.keys(modules)).every((file) =>
  existsSync(fileURLToPath(file)),
);

describe('benches', { concurrent: true, timeout: 30_000 }, () => {
  for (const bench of Object.keys(benches)) {
    const ofBuilt = OF_BUILT.has(bench);
    test.skipIf(ofBuilt && !built)(
      `${bench}: every subject does what it is measured for${ofBuilt ? ' (skipped unless the packages are built)' : ''}`,
      async () => {
        const tables = await tinyRound(bench);
        expect(tables).not.toEqual([]);
        for (const { head, rows } of tables) {
          expect(rows.length).toBeGreaterThan(1);
          for (const row of rows) expect(row).toHaveLength(head.length);
          expect(rows.flat().filter((cell) => cell.includes('NaN'))).toEqual([]);
        }
      },
    );
  }
});

/** In a process like that of a measurement: what the imports of peers change stays there. */
async function tinyRound(bench: string): Promise<readonly Table[]> {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=@pyagent-trace/source', 'one.ts', bench, '--tiny'],
    { cwd: import.meta.dirname },
  );
  return JSON.parse(stdout) as Table[];
}
