// Runs the benches and prints their tables. Arguments: names of benches (all without), and --write to
// write docs/benchmarks.md.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { benches } from './benches.ts';
import type { Result } from './harness.ts';
import { environment, table } from './report.ts';

const run = promisify(execFile);

const PEERS = ['@opentelemetry/api', '@opentelemetry/sdk-trace', 'zod'];

const INTRODUCTION = `<!-- Written by \`pnpm bench --write\`. Do not edit. -->

# Benchmarks

One question per file of \`bench/\`, always beside a peer. All subjects of a table run in one process of
their own, in turn, round by round, with fixed iteration counts, after two rounds that only warm up; the
garbage of one is collected before the next one's time starts. A time is the median of the rounds, with
the smallest and the largest. "By its peer" is the median of what each round took divided by what the
peer took in the same round: 0.5 × is half the time, 2 × is twice the time.

Figures depend on the machine; ratios less so. To measure on yours: \`pnpm bench\`, or \`pnpm bench emit\`
for one file; \`pnpm bench --write\` writes this page.
`;

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (values.write && positionals.length > 0)
  throw new Error('--write is for all benches: the page is written whole');
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const page = [INTRODUCTION, environment(PEERS)];
console.log(page[1]);

for (const name of names) {
  const comparisons = benches[name];
  if (comparisons === undefined)
    throw new Error(`no such bench: ${name}; there are ${Object.keys(benches).join(', ')}`);
  page.push(`## ${name}\n`);
  for (const index of comparisons.keys()) {
    const text = table(await runAlone(name, index));
    console.log(text);
    page.push(text);
  }
}

if (values.write) {
  const file = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
  writeFileSync(file, page.join('\n'));
  await run('pnpm', ['exec', 'oxfmt', file], { cwd: join(import.meta.dirname, '..') });
}

async function runAlone(bench: string, index: number): Promise<Result> {
  const { stdout } = await run(
    process.execPath,
    [...process.execArgv, '--expose-gc', 'one.ts', bench, String(index)],
    { cwd: import.meta.dirname },
  );
  return JSON.parse(stdout) as Result;
}
