// The tables of docs/runtimes.md, as cells.
import { readdirSync, readFileSync } from 'node:fs';

const REPO = new URL('../../', import.meta.url);

/**
 * Every entry of every package that a program can import: `@pyagent-trace/core/read`. What registers with a
 * test runner, which `sideEffects` names, is loaded by that alone.
 */
export function listEntries(): readonly string[] {
  return readdirSync(new URL('packages/', REPO)).flatMap((folder) => {
    const manifest = readFileSync(new URL(`packages/${folder}/package.json`, REPO), 'utf8');
    const { name, exports, sideEffects } = JSON.parse(manifest) as {
      name: string;
      exports: Readonly<Record<string, string | { readonly default: string }>>;
      sideEffects: false | readonly string[];
    };
    return Object.entries(exports)
      .filter(
        ([, target]) => typeof target === 'object' && !(sideEffects || []).includes(target.default),
      )
      .map(([entry]) => `${name}${entry.slice(1)}`);
  });
}

/**
 * What the page says of the entries of a column; an entry without a row is not there.
 *
 * @param column what its head says: `Browser`, or a runtime with its version
 */
export function readColumn(column: string): Readonly<Record<string, string>> {
  const page = readFileSync(new URL('docs/runtimes.md', REPO), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const head = rows.find((cells) => cells.includes(column));
  if (head === undefined) throw new Error(`docs/runtimes.md has no column "${column}"`);
  const index = head.indexOf(column);
  return Object.fromEntries(
    rows
      .filter((cells) => cells.length === head.length && cells[0]?.startsWith('`@') === true)
      .map((cells) => [cells[0]?.replaceAll('`', ''), cells[index] ?? '']),
  );
}
