// Each example is a module of its own, compiled against the sources of the workspace.
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readPackages } from '../lib/repo.mjs';
import { runTool } from '../lib/run.mjs';

/** Lays the examples out in `folder`, which can import every workspace package and every vendor. */
export function writeExamples(root, folder, examples) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  const packages = readPackages(root);
  for (const { dir, manifest } of packages)
    link(join(root, dir), join(folder, 'node_modules', manifest.name));
  const apps = existsSync(join(root, 'apps')) ? readdirSync(join(root, 'apps')) : [];
  for (const dir of [
    ...packages.map((member) => member.dir),
    ...apps.map((app) => `apps/${app}`),
    '.',
  ])
    linkVendors(join(root, dir, 'node_modules'), join(folder, 'node_modules'));

  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const compilerOptions = { noEmit: true, declaration: false, declarationMap: false };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../tsconfig.base.json', compilerOptions, include: ['*.ts'] }),
  );
  for (const example of examples)
    // a module even when it imports nothing, so that two examples may use one name
    writeFileSync(join(folder, fileOf(example)), `${example.code}\nexport {};\n`);
}

/** `packages/core/README.md`, line 12: `packages_core_README.md_12.ts`. */
export function fileOf({ path, line }) {
  return `${path.replaceAll('/', '_')}_${line}.ts`;
}

export async function compileProblems(folder, examples) {
  if (examples.length === 0) return [];
  const byFile = new Map(examples.map((example) => [fileOf(example), example]));
  const tsc = await runTool('typescript', 'tsc', ['-p', '.', '--pretty', 'false'], folder);
  const problems = [];
  let inSources = 0;
  for (const line of tsc.output.split('\n')) {
    const error = /^(\S+?)\((\d+),\d+\): error (.*)$/.exec(line);
    const example = byFile.get(error?.[1]);
    if (example)
      problems.push(`${example.path}:${example.line + Number(error[2]) - 1}: ${error[3]}`);
    else if (error) inSources += 1;
  }
  if (inSources > 0)
    problems.push(`${inSources} errors in the packages themselves; see pnpm typecheck`);
  if (tsc.status !== 0 && problems.length === 0) problems.push(`tsc: ${tsc.output}`);
  return problems;
}

function linkVendors(from, to) {
  if (!existsSync(from)) return;
  for (const name of readdirSync(from)) {
    if (name.startsWith('.')) continue;
    if (name.startsWith('@')) linkVendors(join(from, name), join(to, name));
    else link(join(from, name), join(to, name));
  }
}

function link(from, to) {
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to, 'junction');
}
