import { describe, expect, test } from 'vitest';
import { CHECK_TIMEOUT_MS, type Files, manifest, plant } from './planted-tree.ts';

interface Fault {
  readonly rule: string;
  readonly files: Files;
  readonly problem: string;
}

const CORE_PACKAGE = 'packages/core/package.json';
const JSONL_PACKAGE = 'packages/exporter-jsonl/package.json';
const SOURCE = 'packages/exporter-jsonl/src/exporter.ts';
const TEST = 'packages/core/src/answer.test.ts';
const homePath = ['', 'home', 'ann', 'run.jsonl'].join('/');
const registry = ['https://registry', 'npmjs', 'org'].join('.');

const BUILT = { types: './dist/index.d.ts', default: './dist/index.js' };

function fault(rule: string, files: Files, problem: string): Fault {
  return { rule, files, problem };
}

const FAULTS: readonly Fault[] = [
  fault(
    'a package without a README',
    { 'packages/core/README.md': undefined },
    'packages/core: no README.md',
  ),
  fault(
    'a package that the front page does not lead to',
    { 'README.md': '# planted\n\n[core](packages/core/README.md)\n' },
    'README.md: no link to packages/exporter-jsonl/README.md',
  ),
  fault(
    'a page of docs that the front page does not lead to',
    { 'docs/replay.md': '# Replay\n' },
    'README.md: no link to docs/replay.md',
  ),
  fault(
    'a package without a build configuration',
    { 'packages/core/tsconfig.build.json': undefined },
    'packages/core: no tsconfig.build.json',
  ),
  fault(
    'a package whose name is not its folder',
    { [JSONL_PACKAGE]: manifest('exporter-jsonl', { name: '@pyagent-trace/jsonl' }) },
    `${JSONL_PACKAGE}: the name is @pyagent-trace/jsonl; it follows from the folder`,
  ),
  fault(
    'a package without a license',
    { [JSONL_PACKAGE]: manifest('exporter-jsonl', { license: undefined }) },
    `${JSONL_PACKAGE}: license must be "MIT"`,
  ),
  fault(
    'a package that does not say where its source is',
    { [JSONL_PACKAGE]: manifest('exporter-jsonl', { repository: undefined }) },
    `${JSONL_PACKAGE}: repository.directory must be "packages/exporter-jsonl"`,
  ),
  fault(
    'a package that publishes whatever lies in its folder',
    { [JSONL_PACKAGE]: manifest('exporter-jsonl', { files: undefined }) },
    `${JSONL_PACKAGE}: files must list what is published, without "src/**/*.test.ts"`,
  ),
  fault(
    'a package with an engine of its own',
    { [JSONL_PACKAGE]: manifest('exporter-jsonl', { engines: { node: '>=20' } }) },
    `${JSONL_PACKAGE}: engines.node must be ">=22.15"`,
  ),
  fault(
    'a package that does not say where it was built',
    {
      [JSONL_PACKAGE]: manifest('exporter-jsonl', {
        publishConfig: { access: 'public', exports: { '.': BUILT } },
      }),
    },
    `${JSONL_PACKAGE}: publishConfig.provenance must be true`,
  ),
  fault(
    'a package that depends on a sibling',
    {
      [JSONL_PACKAGE]: manifest('exporter-jsonl', {
        dependencies: { '@pyagent-trace/core': 'workspace:^' },
        devDependencies: { '@pyagent-trace/cost': 'workspace:^' },
      }),
    },
    `${JSONL_PACKAGE}: depends on @pyagent-trace/cost; a package depends on @pyagent-trace/core and its own vendor only`,
  ),
  fault(
    'a package that asks for one version of core',
    {
      [JSONL_PACKAGE]: manifest('exporter-jsonl', {
        dependencies: { '@pyagent-trace/core': '^0.1.0' },
      }),
    },
    `${JSONL_PACKAGE}: dependencies["@pyagent-trace/core"] must be "workspace:^"`,
  ),
  fault(
    'core with a second dependency',
    { [CORE_PACKAGE]: manifest('core', { dependencies: { zod: '^4.0.0', ms: '^2.0.0' } }) },
    `${CORE_PACKAGE}: depends on ms; core depends on zod alone`,
  ),
  fault(
    'an entry that is not published',
    {
      [CORE_PACKAGE]: manifest('core', {
        publishConfig: { access: 'public', provenance: true, exports: {} },
      }),
    },
    `${CORE_PACKAGE}: exports and publishConfig.exports differ at "."`,
  ),
  fault(
    'an entry that needs a build before tests',
    {
      [CORE_PACKAGE]: manifest('core', {
        exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      }),
    },
    `${CORE_PACKAGE}: exports["."] must begin with the condition @pyagent-trace/source`,
  ),
  fault(
    'a release group in the changeset configuration',
    { '.changeset/config.json': '{ "fixed": [["@pyagent-trace/*"]], "linked": [] }' },
    '.changeset/config.json: fixed must be []; versions are independent',
  ),
  fault(
    'an import of an application',
    { [SOURCE]: "import '@pyagent-trace/demo';\n" },
    `${SOURCE}: imports @pyagent-trace/demo; nothing may import apps, bench or tests`,
  ),
  fault(
    'an import from outside the package',
    { [SOURCE]: "import '../../core/src/answer.ts';\n" },
    `${SOURCE}: imports ../../core/src/answer.ts, which is outside the package`,
  ),
  fault(
    'an import that package.json does not declare',
    { [SOURCE]: "import 'zod';\n" },
    `${SOURCE}: imports zod, which packages/exporter-jsonl/package.json does not declare`,
  ),
  fault(
    'a Node built-in behind the main entry of core',
    { 'packages/core/src/answer.ts': "export { cwd as answer } from 'node:process';\n" },
    "packages/core/src/answer.ts: imports node:process; core's main entry must not (index.ts > answer.ts)",
  ),
  fault(
    'zod behind the main entry of core',
    {
      [CORE_PACKAGE]: manifest('core', { dependencies: { zod: '^4.0.0' } }),
      'packages/core/src/answer.ts': "export { z as answer } from 'zod/mini';\n",
    },
    "packages/core/src/answer.ts: imports zod/mini; core's main entry must not (index.ts > answer.ts)",
  ),
  fault(
    'a source file of 301 lines',
    { [SOURCE]: `${'\n'.repeat(300)}export const last = 301;\n` },
    `${SOURCE}: 301 lines; split it at 300`,
  ),
  fault(
    'a file name in camelCase',
    { 'packages/core/src/spanAssembler.ts': 'export const a = 1;\n' },
    'packages/core/src/spanAssembler.ts: file names are kebab-case',
  ),
  fault(
    'export *',
    { [SOURCE]: "export * from './index.ts';\n" },
    `${SOURCE}:1: name what you export; no export *`,
  ),
  fault(
    'a default export',
    { [SOURCE]: 'export default 42;\n' },
    `${SOURCE}:1: no default exports`,
  ),
  fault('an enum', { [SOURCE]: 'export enum Level {\n  Low,\n}\n' }, `${SOURCE}:1: no enums`),
  fault(
    'a namespace',
    { [SOURCE]: 'export namespace levels {\n  export const low = 1;\n}\n' },
    `${SOURCE}:1: no namespaces`,
  ),
  fault(
    'code in index.ts',
    { 'packages/exporter-jsonl/src/index.ts': 'export const level = 1;\n' },
    'packages/exporter-jsonl/src/index.ts:1: index.ts only lists exports',
  ),
  fault(
    'a signal handler in a library',
    { [SOURCE]: "process.once('SIGTERM', () => {});\n" },
    `${SOURCE}:1: only process.ts may install signal handlers`,
  ),
  fault(
    'a signal handler whose signal is a variable',
    { [SOURCE]: "for (const signal of ['SIGINT']) process.on(signal, () => {});\n" },
    `${SOURCE}:1: only process.ts may install signal handlers`,
  ),
  fault(
    'a second reader of the clock in core',
    { 'packages/core/src/ids.ts': '// Date.now()\nexport const id = Date.now();\n' },
    'packages/core/src/ids.ts:2: only clock.ts reads the clock',
  ),
  fault(
    'new Date() in core',
    { 'packages/core/src/ids.ts': 'export const id = [new Date(0), new Date()];\n' },
    'packages/core/src/ids.ts:1: only clock.ts reads the clock',
  ),
  fault(
    'a focused test',
    { [TEST]: "import { test } from 'vitest';\ntest.only('works', () => {});\n" },
    // a message of the check, no focused test
    `${TEST}:2: test.only leaves every other test unrun`,
  ),
  fault(
    'a skipped test that does not say why',
    {
      [TEST]:
        "import { test } from 'vitest';\n// Windows has no such signal.\ntest.skip('a', () => {});\n\ntest.skip('b', () => {});\n",
    },
    // a message of the check, no skipped test
    `${TEST}:5: test.skip needs a comment above it that says why`,
  ),
  fault(
    'a path of one machine',
    { 'packages/core/REPLAY.md': `# Replay\n\nSee ${homePath}.\n` },
    `packages/core/REPLAY.md:3: names a path of one machine: ${homePath.slice(0, 7)}`,
  ),
  fault(
    'a package registry',
    { 'packages/core/INSTALL.md': `npm install --registry ${registry}\n` },
    `packages/core/INSTALL.md:1: names a package registry: ${registry.slice('https://'.length)}`,
  ),
  fault(
    'a workflow that hands secrets to strangers',
    { '.github/workflows/test.yml': 'on:\n  pull_request_target:\n' },
    '.github/workflows/test.yml:2: no workflow runs on: pull_request_target',
  ),
  fault(
    'an action pinned by a tag',
    { '.github/workflows/test.yml': 'steps:\n  - uses: actions/checkout@v6\n' },
    '.github/workflows/test.yml:2: an action is pinned by its full commit: uses: actions/checkout@v6',
  ),
  fault(
    'source that cannot be parsed',
    { [SOURCE]: 'export const = 1;\n' },
    `${SOURCE}: cannot be parsed: Unexpected token`,
  ),
];

describe('check-house', { timeout: CHECK_TIMEOUT_MS }, () => {
  test('accepts a sound tree', async () => {
    using tree = plant();

    expect(await tree.check('check-house')).toEqual({ status: 0, problems: [] });
  });

  test.for(FAULTS)('refuses $rule', async ({ files, problem }) => {
    using tree = plant(files);

    expect(await tree.check('check-house')).toEqual({ status: 1, problems: [problem] });
  });

  test('lets what is not published import what only tests install', async () => {
    using tree = plant({ 'packages/exporter-jsonl/fixtures/run.ts': "import 'zod';\n" });

    expect(await tree.check('check-house')).toEqual({ status: 0, problems: [] });
  });

  test('takes the type of a schema for no import', async () => {
    using tree = plant({
      [CORE_PACKAGE]: manifest('core', { dependencies: { zod: '^4.0.0' } }),
      'packages/core/src/answer.ts':
        "import type * as z from 'zod';\nexport type answer = z.ZodType;\n",
    });

    expect(await tree.check('check-house')).toEqual({ status: 0, problems: [] });
  });
});
