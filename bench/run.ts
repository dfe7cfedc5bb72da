// Runs the benches and prints their tables. Arguments: names of benches (all without), and --write to
// write docs/benchmarks.md.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { benches } from './benches.ts';
import { environment } from './harness/environment.ts';
import { markdown, type Table } from './harness/table.ts';

const run = promisify(execFile);

const INTRODUCTION = `<!-- Written by \`pnpm bench --write\`. Do not edit. -->

# Benchmarks

One question per file of \`bench/\`, always beside a peer. All subjects of a table run in one process of
their own, in turn, round by round, with fixed iteration counts, after two rounds that only warm up; the
garbage of one is collected before the next one's time starts. A time is the median of the rounds, with
the smallest and the largest. "By its peer" is the median of what each round took divided by what the
peer took in the same round: 0.5 × is half the time, 2 × is twice the time. Where a row of ours is above
1 ×, or above another's, we lose. A goal that is missed says what stands in the way.

Tables of growth have no peer: the same work on more and more items, beside itself on the fewest. Sizes
are no times and have no spread.

Figures depend on the machine; ratios less so. To measure on yours: \`pnpm bench\`, or \`pnpm bench emit\`
for one file; \`pnpm bench --write\` writes this page. Nothing in it connects to another machine.
`;

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (values.write && positionals.length > 0)
  throw new Error('--write is for all benches: the page is written whole');
const names = positionals.length > 0 ? positionals : Object.keys(benches);
for (const name of names)
  if (benches[name] === undefined)
    throw new Error(`no such bench: ${name}; there are ${Object.keys(benches).join(', ')}`);
const page = [INTRODUCTION, environment(new URL('package.json', import.meta.url))];
console.log(page[1]);

for (const name of names) {
  page.push(`## ${name}\n`);
  const titles = await runAlone<string[]>(name);
  for (const index of titles.keys()) {
    const text = markdown(await runAlone<Table>(name, String(index)));
    console.log(text);
    page.push(text);
  }
}

if (values.write) {
  const file = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
  writeFileSync(file, page.join('\n'));
  await run('pnpm', ['exec', 'oxfmt', file], { cwd: join(import.meta.dirname, '..') });
}

async function runAlone<Answer>(...args: readonly string[]): Promise<Answer> {
  const { stdout } = await run(
    process.execPath,
    [...process.execArgv, '--expose-gc', 'one.ts', ...args],
    { cwd: import.meta.dirname },
  );
  return JSON.parse(stdout) as Answer;
}
