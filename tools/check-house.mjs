// The rules of the layout, so that a reviewer never has to repeat them. Run: pnpm check:house
import { frontPageProblems, layoutProblems, manifestProblems } from './house/package-rules.mjs';
import { coreEntryProblems, importProblems } from './house/import-rules.mjs';
import { sourceProblems } from './house/source-rules.mjs';
import { textProblems } from './house/text-rules.mjs';
import { listFiles, readArgs, readJson, readPackages, readText, report } from './lib/repo.mjs';
import { parse } from './lib/syntax.mjs';

const CODE = /^(?:packages|apps|bench|tests|tools)\/.+\.(?:ts|tsx|mts|mjs|js)$/;
/** Written by check-api. */
const GENERATED = /^packages\/[^/]+\/api\.d\.ts$/;

const { root } = readArgs();
const files = listFiles(root);
const packages = readPackages(root, files);
const problems = [];

for (const member of packages)
  problems.push(...layoutProblems(member, new Set(files)), ...manifestProblems(member));

problems.push(...frontPageProblems(readText(root, 'README.md'), files));

const modules = new Map();
for (const path of files.filter((file) => CODE.test(file) && !GENERATED.test(file))) {
  const text = readText(root, path);
  const { program, comments, errors } = parse(path, text);
  if (errors.length > 0) problems.push(`${path}: cannot be parsed: ${errors[0].message}`);
  modules.set(path, { path, text, program, comments });
}
for (const module of modules.values()) problems.push(...sourceProblems(module));
for (const member of packages) problems.push(...importProblems(member, packages, modules));
problems.push(...coreEntryProblems(modules));

for (const path of files) problems.push(...textProblems(path, readText(root, path)));

// One release line per package: a fixed or linked group would move packages that did not change.
const changesets = readJson(root, '.changeset/config.json');
for (const key of ['fixed', 'linked'])
  if (changesets[key]?.length !== 0)
    problems.push(`.changeset/config.json: ${key} must be []; versions are independent`);

report('check-house', problems, `${packages.length} packages and ${files.length} files`);
