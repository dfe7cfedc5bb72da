// Tests the tarballs, not the tree: packs every package as `pnpm publish` would, lints what came out,
// installs it with npm into an empty folder, uses it from there, and weighs it.
// Run: pnpm check:packages. Reads what the build left in dist.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArgs, readPackages, report } from './lib/repo.mjs';
import { must, runTool } from './lib/run.mjs';
import { consumerProblems } from './packages/consumer.mjs';
import { sizeProblems } from './packages/size.mjs';
import { tarballProblems } from './packages/tarball.mjs';

const { root } = readArgs();
const packages = readPackages(root);
const artifacts = join(root, '.artifacts');
rmSync(artifacts, { recursive: true, force: true });
mkdirSync(artifacts);
const consumer = mkdtempSync(join(tmpdir(), 'consumer-'));
try {
  const problems = [];
  await must(
    'pnpm',
    ['-r', '--filter', './packages/*', 'pack', '--pack-destination', artifacts],
    root,
  );
  const tarballs = readdirSync(artifacts).map((name) => join(artifacts, name));
  for (const tarball of tarballs) problems.push(...(await lintProblems(tarball)));

  await must('npm', ['init', '--yes'], consumer);
  await must(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs],
    consumer,
  );
  const installed = packages.map(({ manifest }) => join(consumer, 'node_modules', manifest.name));
  for (const dir of installed) problems.push(...tarballProblems(dir));
  problems.push(...(await consumerProblems(consumer, installed)));
  for (const dir of installed) problems.push(...(await sizeProblems(dir)));
  report('check-packages', problems, `${tarballs.length} tarballs`);
} finally {
  rmSync(consumer, { recursive: true, force: true });
}

async function lintProblems(tarball) {
  const [publint, attw] = await Promise.all([
    runTool('publint', 'publint', ['run', tarball, '--strict'], root),
    runTool(
      '@arethetypeswrong/cli',
      'attw',
      [tarball, '--profile', 'esm-only', '--format', 'ascii'],
      root,
    ),
  ]);
  return [
    ...(publint.status === 0 ? [] : [`publint: ${publint.output}`]),
    ...(attw.status === 0 ? [] : [`attw: ${attw.output}`]),
  ];
}
