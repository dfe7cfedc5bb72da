// How many bytes does an import add to a bundle?
import { isBuiltin } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { type Entry, OURS, PEERS } from './harness/entries.ts';
import { goalCell, kilobytes, type Measurement, type Table } from './harness/table.ts';

const CORE = '@pyagent-trace/core';
const TITLE = 'gzipped bytes of a bundle';

export const measurements: readonly Measurement[] = [
  {
    title: TITLE,
    async measure(scale) {
      const count = scale === 'full' ? undefined : 1;
      const ours = await all([...OURS.slice(0, count), TRACING], true);
      return toTable(ours, await all(PEERS.slice(0, count), false));
    },
  },
];

/** What an app imports that traces, as it does of the peers. */
const TRACING: Entry = {
  name: `${CORE} and ${CORE}/tracer together`,
  modules: Object.assign(
    {},
    ...OURS.filter(({ name }) => name === CORE || name === `${CORE}/tracer`).map(
      ({ modules }) => modules,
    ),
  ),
};

interface Size {
  readonly name: string;
  /** Without the dependencies. */
  readonly own?: number;
  readonly whole: number;
}

async function all(entries: readonly Entry[], ours: boolean): Promise<readonly Size[]> {
  const sizes: Size[] = [];
  for (const entry of entries)
    sizes.push({
      name: entry.name,
      ...(ours && { own: await bundle(entry, isForeign) }),
      whole: await bundle(entry, isBuiltin),
    });
  return sizes;
}

function toTable(ours: readonly Size[], peers: readonly Size[]): Table {
  const rows = [...ours, ...peers].map(({ name, own, whole }) => [
    name,
    own === undefined ? '' : kilobytes(own),
    kilobytes(whole),
    name === CORE ? goal(whole, peers) : '',
  ]);
  return {
    title: TITLE,
    note:
      'Bundled and minified by rolldown, then gzip. Of ours the whole entry, nothing shaken off; of the ' +
      'others the names that the benches import, and what hangs on them. "Without dependencies" is what ' +
      '`pnpm check:packages` holds down: core counts as a dependency of the other packages. What is loaded ' +
      'only on demand is left out.',
    head: ['', 'without dependencies', 'with dependencies', 'goal'],
    rows,
    foot: 'kB of 1,024 bytes.',
  };
}

function goal(size: number, peers: readonly Size[]): string {
  const smaller = peers.filter(({ whole }) => whole <= size).map(({ name }) => name);
  return goalCell(
    [{ demand: 'smaller than every peer', met: smaller.length === 0 }],
    `Smaller: ${smaller.join(', ')}, which only emit or only write.`,
  );
}

async function bundle(entry: Entry, external: (specifier: string) => boolean): Promise<number> {
  const build = await rolldown({
    input: ENTRY,
    plugins: [virtualEntry(entry)],
    external,
    platform: 'node',
    logLevel: 'silent',
  });
  const { output } = await build.generate({ format: 'es', minify: true });
  await build.close();
  const chunks = output.filter((chunk) => chunk.type === 'chunk');
  const code = loadedAtOnce(chunks).map((chunk) => chunk.code);
  return gzipSync(code.join('\n')).length;
}

/** The entry and what it imports statically. */
function loadedAtOnce(chunks: readonly OutputChunk[]): readonly OutputChunk[] {
  const found = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const chunk of found)
    for (const other of chunks) if (chunk.imports.includes(other.fileName)) found.add(other);
  return [...found];
}

/** Beside this file, so that packages are found from here. */
const ENTRY = join(import.meta.dirname, 'virtual-entry.js');

function virtualEntry({ modules }: Entry): Plugin {
  const code = Object.entries(modules)
    .map(([specifier, names], i) => {
      const from = JSON.stringify(
        specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier,
      );
      return names === undefined
        ? `export * from ${from};`
        : names.map((name) => `export { ${name} as ${name}_${i} } from ${from};`).join('\n');
    })
    .join('\n');
  return {
    name: 'virtual-entry',
    resolveId: (id) => (id === ENTRY ? id : undefined),
    load: (id) => (id === ENTRY ? code : undefined),
  };
}

function isForeign(id: string): boolean {
  return !id.startsWith('.') && !isAbsolute(id);
}
