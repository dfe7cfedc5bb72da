// What docs/runtimes.md says of the runtimes is what they do. Needs them: npm run test:runtimes.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isInstalled, type Outcome, run, type Runtime, RUNTIMES, THIS_NODE } from './runtimes.ts';
import { listEntries, readColumn } from './table.ts';

const TIMEOUT_MS = 180_000;
/** Known by having been run once on the Node that runs this test. */
const expected = new Map<string, Promise<Outcome>>();

function onThisNode(...args: readonly string[]): Promise<Outcome> {
  const key = args.join(' ');
  const known = expected.get(key) ?? run(THIS_NODE, 'probe.mjs', ...args);
  expected.set(key, known);
  return known;
}

async function featuresOf(entry: string): Promise<readonly string[]> {
  const probe = new URL(`probes/${entry.split('/').slice(1).join('.')}.mjs`, import.meta.url);
  if (!existsSync(probe)) return [];
  const { features } = (await import(probe.href)) as { features: object };
  return Object.keys(features);
}

async function isLikeNode(runtime: Runtime, ...args: readonly string[]): Promise<boolean> {
  const { stderr: complaint, ...wanted } = await onThisNode(...args);
  if (complaint !== '') throw new Error(`${args.join(' ')} on this Node: ${complaint}`);
  const { stderr: _, ...got } = await run(runtime, 'probe.mjs', ...args);
  return JSON.stringify(got) === JSON.stringify(wanted);
}

/** A cell of the table. */
async function findOut(runtime: Runtime, entry: string): Promise<string> {
  if (!(await isLikeNode(runtime, entry))) return 'no';
  const missing: string[] = [];
  for (const feature of await featuresOf(entry))
    if (!(await isLikeNode(runtime, entry, feature))) missing.push(feature);
  return missing.length === 0 ? 'yes' : `not: ${missing.join(', ')}`;
}

for (const runtime of RUNTIMES)
  describe.skipIf(!isInstalled(runtime))(
    `${runtime.name} (skipped until npm run test:runtimes has installed it)`,
    { timeout: TIMEOUT_MS },
    () => {
      test('runs a program with the same output as Node', async () => {
        expect(await run(runtime, 'program.mjs')).toEqual(await run(THIS_NODE, 'program.mjs'));
      });

      test.for(listEntries())('does with %s what docs/runtimes.md says', async (entry) => {
        const cells = readColumn(runtime.name);

        expect({ [entry]: await findOut(runtime, entry) }).toEqual({ [entry]: cells[entry] });
      });
    },
  );
