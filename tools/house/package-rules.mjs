// What every package under packages/ has, and what its package.json says.
import { isDeepStrictEqual } from 'node:util';
import { CORE, SCOPE } from '../lib/repo.mjs';

const REQUIRED_FILES = [
  'README.md',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'src/index.ts',
];
/** Node 22.15 is the oldest release with everything the libraries use. */
const ENGINES_NODE = '>=22.15';
const SOURCE_CONDITION = '@pyagent-trace/source';

export function layoutProblems({ dir }, files) {
  return REQUIRED_FILES.filter((name) => !files.has(`${dir}/${name}`)).map(
    (name) => `${dir}: no ${name}`,
  );
}

/** The front page leads to every package and to every page of docs/. */
export function frontPageProblems(text, files) {
  return files
    .filter((path) => /^(?:packages\/[^/]+\/README|docs\/[^/]+)\.md$/.test(path))
    .filter((path) => !text.includes(`](${path})`))
    .map((path) => `README.md: no link to ${path}`);
}

export function manifestProblems({ dir, manifest }) {
  const place = `${dir}/package.json`;
  return [
    ...fieldProblems(dir, manifest),
    ...dependencyProblems(manifest),
    ...exportProblems(manifest),
  ].map((problem) => `${place}: ${problem}`);
}

function* fieldProblems(dir, manifest) {
  if (manifest.name !== `${SCOPE}${dir.slice('packages/'.length)}`)
    yield `the name is ${manifest.name}; it follows from the folder`;
  if (manifest.license !== 'MIT') yield 'license must be "MIT"';
  if (manifest.repository?.directory !== dir) yield `repository.directory must be "${dir}"`;
  if (manifest.engines?.node !== ENGINES_NODE) yield `engines.node must be "${ENGINES_NODE}"`;
  if (!manifest.files?.includes('!src/**/*.test.ts'))
    yield 'files must list what is published, without "src/**/*.test.ts"';
}

function* dependencyProblems({ name, ...manifest }) {
  const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifest;
  const runtime = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
  const all = [...runtime, ...Object.keys(manifest.devDependencies ?? {})];
  for (const dependency of all)
    if (dependency.startsWith(SCOPE) && dependency !== CORE)
      yield `depends on ${dependency}; a package depends on ${CORE} and its own vendor only`;
  if (name === CORE) {
    for (const dependency of runtime)
      if (dependency !== 'zod') yield `depends on ${dependency}; core depends on zod alone`;
  } else if (dependencies[CORE] !== 'workspace:^') {
    yield `dependencies["${CORE}"] must be "workspace:^"`;
  }
}

function* exportProblems({ exports = {}, publishConfig = {} }) {
  const published = publishConfig.exports ?? {};
  if (publishConfig.access !== 'public') yield 'publishConfig.access must be "public"';
  for (const entry of new Set([...Object.keys(exports), ...Object.keys(published)])) {
    const target = exports[entry];
    if (typeof target === 'object' && Object.keys(target)[0] !== SOURCE_CONDITION)
      yield `exports["${entry}"] must begin with the condition ${SOURCE_CONDITION}`;
    if (!isDeepStrictEqual(withoutSource(target), published[entry]))
      yield `exports and publishConfig.exports differ at "${entry}"`;
  }
}

function withoutSource(target) {
  if (typeof target !== 'object') return target;
  const { [SOURCE_CONDITION]: _, ...conditions } = target;
  return conditions;
}
