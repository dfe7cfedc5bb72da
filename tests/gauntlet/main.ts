// The long form. Arguments: parts (`cells`, `fuzz`, `soak`; all without), --write to put the results into
// docs/reliability.md, --short for a look of a minute or two.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { environment } from '../../bench/harness/environment.ts';
import { faults } from './faults.ts';
import type { Fault } from './faults/fault.ts';
import { fuzz } from './fuzz.ts';
import { type Cell, LONG, Matrix, problemsOf, SHORT } from './matrix.ts';
import { fuzzText, soakText, tableOf } from './report.ts';
import { problemsOf as problemsOfSoak } from './soak/judge.ts';
import { soak } from './soak/soak.ts';
import { type Subject, subjects } from './subjects.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const PEERS = ['@opentelemetry/api', '@opentelemetry/sdk-trace', 'langfuse'];
/** Cells side by side: most of them wait. */
const SIDE_BY_SIDE = 3;
const EVENTS_PER_SECOND = 5_000;

interface Part {
  readonly text: string;
  readonly problems: readonly string[];
}

const parts: Record<string, (isShort: boolean) => Promise<Part>> = {
  cells: runCells,
  fuzz: async (isShort) => {
    const seed = Date.now() % 2 ** 31; // another one each time; the page says which
    const results = await fuzz(isShort ? 30_000 : 1_000_000, seed);
    return { text: fuzzText(results), problems: results.flatMap(({ problems }) => problems) };
  },
  soak: async (isShort) => {
    const result = await soak(isShort ? 20 : 1_800, EVENTS_PER_SECOND);
    return { text: soakText(result), problems: [...problemsOfSoak(result)] };
  },
};

async function runCells(isShort: boolean): Promise<Part> {
  using matrix = new Matrix(isShort ? SHORT : LONG);
  const results = new Map<Fault, Map<Subject, Cell>>();
  const left = Object.values(faults)
    .flat()
    .flatMap((fault) => subjects.map((subject) => ({ subject, fault })));
  const problems: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { subject, fault } = next;
      const cell = await matrix.run(subject, fault);
      const row = results.get(fault) ?? new Map<Subject, Cell>();
      results.set(fault, row.set(subject, cell));
      for (const problem of problemsOf(cell))
        problems.push(`${subject.title}, ${fault.name}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  return { text: tableOf(results), problems };
}

/** Puts a text between two comments of the page. */
function write(part: string, text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = ['begin', 'end'].map((edge) => `<!-- ${part}: ${edge} -->`) as [
    string,
    string,
  ];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/reliability.md: no place for ${part}`);
  writeFileSync(PAGE, `${page.slice(0, from)}${begin}\n\n${text}\n${page.slice(to)}`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      write: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
    const part = parts[name];
    if (part === undefined)
      throw new Error(`no such part: ${name}; there are ${Object.keys(parts).join(', ')}`);
    const before = environment(new URL('../package.json', import.meta.url), PEERS);
    const startMs = performance.now();
    const { text, problems } = await part(values.short);
    const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
    const date = new Date().toISOString().slice(0, 10);
    const whole = `${before}- ${date}, ${minutes} min${values.short ? ', the short form' : ''}\n\n${text}`;
    console.log(`\n${name}\n\n${whole}`);
    if (problems.length > 0) {
      console.error(`${name}: ${problems.length} problems\n${problems.join('\n')}`);
      process.exitCode = 1;
    }
    if (values.write) {
      write(name, whole);
      await promisify(execFile)('pnpm', ['exec', 'oxfmt', PAGE], { cwd: ROOT });
    }
  }
}

await main();
