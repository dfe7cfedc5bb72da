// Documentation that is true: its examples compile, their output is real, its links lead somewhere.
// Run: pnpm check:docs. CONTRIBUTING.md, "Documentation", has the conventions.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readMarkdown } from './docs/markdown.mjs';
import { compileProblems, writeExamples } from './docs/compile.mjs';
import { linkProblems } from './docs/links.mjs';
import { outputProblems } from './docs/output.mjs';
import { listFiles, readArgs, readText, report } from './lib/repo.mjs';

const { root } = readArgs();
const files = listFiles(root);
const pages = files
  .filter((path) => path.endsWith('.md') && !path.endsWith('CHANGELOG.md'))
  .map((path) => readMarkdown(path, readText(root, path)));

const problems = [...pages.flatMap((page) => page.problems), ...linkProblems(pages, files)];
const examples = pages.flatMap((page) => page.examples);
// Ignored by git, and inside the root, so that it sees tsconfig.base.json and node_modules.
const folder = join(root, '.docs');
try {
  writeExamples(root, folder, examples);
  problems.push(...(await compileProblems(folder, examples)));
  problems.push(...(await outputProblems(folder, examples)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const outputs = examples.filter(({ expected }) => expected !== undefined).length;
report(
  'check-docs',
  problems,
  `${pages.length} pages, ${examples.length} examples, ${outputs} outputs`,
);
