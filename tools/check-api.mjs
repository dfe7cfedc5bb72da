// The public API of each package as a file, packages/<name>/api.d.ts: a review sees every change of it.
// Run: pnpm check:api (--write updates the files). Reads the declarations that the build left in dist.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { renderApi } from './api/render.mjs';
import { readArgs, readPackages, report } from './lib/repo.mjs';

const { root, write } = readArgs({ write: { type: 'boolean', default: false } });
const packages = readPackages(root);
const problems = [];

for (const { dir, manifest } of packages) {
  const path = `${dir}/api.d.ts`;
  const file = join(root, path);
  const entries = Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === 'object' ? [[entry, target.types]] : [],
  );
  let api;
  try {
    api = renderApi(manifest.name, join(root, dir), entries);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    problems.push(`${dir}: no ${relative(join(root, dir), error.path)}; run pnpm build`);
    continue;
  }
  if (write) writeFileSync(file, api);
  else if (!existsSync(file)) problems.push(`${path}: missing; run pnpm check:api --write`);
  else problems.push(...differences(path, readFileSync(file, 'utf8'), api));
}

report('check-api', problems, `${packages.length} packages`);

function* differences(path, written, built) {
  if (written === built) return;
  const before = written.split('\n');
  const after = built.split('\n');
  yield `${path}: not the API that was built; run pnpm check:api --write and review the difference`;
  for (const line of before) if (!after.includes(line)) yield `  - ${line}`;
  for (const line of after) if (!before.includes(line)) yield `  + ${line}`;
}
