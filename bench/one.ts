// Runs one measurement and writes its table as JSON: a process of its own, so that no bench runs in code
// that another one has made polymorphic, or with what a peer's import changes. Arguments: bench, index;
// without an index it writes the titles, with --tiny instead of it the tables of a tiny round of each.
import { parseArgs } from 'node:util';
import { benches } from './benches.ts';
import { refuseConnections } from './harness/offline.ts';
import type { Measurement, Table } from './harness/table.ts';

refuseConnections();
const { values, positionals } = parseArgs({
  options: { tiny: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [bench = '', index] = positionals;
const measurements = await benches[bench]?.();
if (measurements === undefined) throw new Error(`no such bench: ${bench}`);
process.stdout.write(JSON.stringify(await answer(measurements)));

async function answer(all: readonly Measurement[]): Promise<Table | Table[] | string[]> {
  if (index !== undefined) return (all[Number(index)] as Measurement).measure('full');
  if (!values.tiny) return all.map(({ title }) => title);
  const tables: Table[] = [];
  for (const { measure } of all) tables.push(await measure('tiny'));
  return tables;
}
