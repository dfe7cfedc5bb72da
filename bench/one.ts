// Runs one comparison and writes its result as JSON: a process of its own, so that no bench runs in
// code that another one has made polymorphic. Arguments: bench, index.
import { benches } from './benches.ts';
import { compare } from './harness.ts';

const [bench = '', index] = process.argv.slice(2);
const comparison = benches[bench]?.[Number(index)];
if (comparison === undefined) throw new Error(`no such comparison: ${bench} ${index}`);
process.stdout.write(JSON.stringify(await compare(comparison)));
