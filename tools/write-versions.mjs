// A package that says its version while it runs has it in src/version.ts, which `changeset version` does not
// know. Run by pnpm version-packages; a test of the package holds the two together.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArgs, readPackages } from './lib/repo.mjs';

const { root } = readArgs();
for (const { dir, manifest } of readPackages(root)) {
  const file = join(root, dir, 'src/version.ts');
  if (!existsSync(file)) continue;
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(?<=VERSION = ')[^']*/, manifest.version));
}
