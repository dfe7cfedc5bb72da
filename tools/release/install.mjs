// A package as whoever installs it has it: from the registry, with npm, in an empty folder.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf } from '../docs/compile.mjs';
import { readMarkdown } from '../docs/markdown.mjs';
import { outputProblems } from '../docs/output.mjs';
import { must, runTool } from '../lib/run.mjs';
import { importsOf, packageOf, parse } from '../lib/syntax.mjs';
import { consumerProblems, linkNodeTypes } from '../packages/consumer.mjs';
import { tarballProblems } from '../packages/tarball.mjs';

const INSTALL = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** @returns the problems of an app that has installed these packages alone, and uses every entry */
export async function installProblems(folder, npmrc, names) {
  await createApp(folder, npmrc);
  await must('npm', [...INSTALL, ...names], folder);
  const installed = names.map((name) => join(folder, 'node_modules', name));
  return [
    ...installed.flatMap((dir) => [...tarballProblems(dir)]),
    ...(await consumerProblems(folder, installed)),
  ];
}

/**
 * The first example of the package's README that says what it prints: compiled, run and compared, with
 * the README from the registry. Belongs after `installProblems` of the package alone.
 *
 * @param devDependencies versions of what an example may import besides
 */
export async function exampleProblems(folder, { name, devDependencies = {} }) {
  const readme = readFileSync(join(folder, 'node_modules', name, 'README.md'), 'utf8');
  const { examples } = readMarkdown(`${name.split('/')[1]}-README.md`, readme);
  const example = examples.find(({ expected }) => expected !== undefined);
  if (example === undefined) return [`${name}: no example of the README says what it prints`];
  const { program } = parse('example.ts', example.code);
  const imported = importsOf(program).map(({ specifier }) => packageOf(specifier));
  const missing = [...new Set(imported)].filter((one) => one in devDependencies);
  if (missing.length > 0)
    await must(
      'npm',
      [...INSTALL, ...missing.map((one) => `${one}@${devDependencies[one]}`)],
      folder,
    );
  linkNodeTypes(folder);
  const file = fileOf(example);
  writeFileSync(join(folder, file), `${example.code}\nexport {};\n`);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    noEmit: true,
  };
  const project = join(folder, 'tsconfig.json');
  writeFileSync(project, JSON.stringify({ compilerOptions, files: [file] }));
  const { status, output } = await runTool('typescript', 'tsc', ['-p', project], folder);
  return [
    ...(status === 0 ? [] : [`${name}: the example of the README: ${output.trim()}`]),
    ...(await outputProblems(folder, [example])),
  ];
}

async function createApp(folder, npmrc) {
  mkdirSync(folder);
  cpSync(npmrc, join(folder, '.npmrc'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
}
