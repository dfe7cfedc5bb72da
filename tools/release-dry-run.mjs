// A release from the first step to the last, on this machine alone: the changesets applied in a clone, the
// packages built, packed, published to a registry of our own, installed from there and used.
// Run: npm run release:dry. Takes the last commit; nothing in the tree changes.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CORE, readArgs, readPackages, report } from './lib/repo.mjs';
import { must } from './lib/run.mjs';
import { manifestProblems, versionProblems } from './release/checks.mjs';
import {
  addChangeset,
  applyChangesets,
  cloneOf,
  plannedReleases,
  undoLastCommit,
  versionsOf,
} from './release/clone.mjs';
import { exampleProblems, installProblems } from './release/install.mjs';
import { startRegistry } from './release/registry.mjs';

const { root } = readArgs();
const folder = mkdtempSync(join(tmpdir(), 'release-'));
const clone = join(folder, 'clone');
const problems = [];
/** Name to what was seen of it: a row of the table. */
const rows = {};

try {
  step('clone');
  await cloneOf(root, clone);
  step('registry');
  mkdirSync(join(folder, 'registry'));
  const { npmrc, stop } = await startRegistry(join(folder, 'registry'));
  try {
    await firstRelease(npmrc);
    await nextRelease(npmrc);
  } finally {
    await stop();
  }
  console.table(rows);
  report('release-dry-run', problems, `${Object.keys(rows).length} packages`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function firstRelease(npmrc) {
  step('changeset version');
  const releases = await plannedReleases(clone);
  const summaries = readChangesets();
  await applyChangesets(clone);
  const packages = readPackages(clone);
  problems.push(...versionProblems(clone, packages, releases, summaries));
  for (const { manifest } of packages) rows[manifest.name] = { version: manifest.version };

  step('build, pack, publish');
  await publish(npmrc, 'first');

  const versions = versionsOf(clone);
  for (const { manifest } of packages) {
    const { name } = manifest;
    step(`install ${name}`);
    const app = join(folder, `app-${name.split('/')[1]}`);
    note(name, 'alone', await installProblems(app, npmrc, [name]));
    note(name, 'manifest', [...manifestProblems(readManifest(app, name), versions)]);
    note(name, 'example', await exampleProblems(app, manifest));
  }

  step('install all together');
  const names = packages.map(({ manifest }) => manifest.name);
  const together = await installProblems(join(folder, 'app-all'), npmrc, names);
  problems.push(...together);
  for (const name of names) rows[name].together = together.length === 0 ? 'ok' : 'wrong';
}

/** A changeset for one package moves that package, and a breaking one of core what depends on it. */
async function nextRelease(npmrc) {
  const names = [...versionsOf(clone).keys()];
  const leaf = names.find((name) => name !== CORE);

  step('what a next release moves');
  await expectMoved(CORE, 'patch', [CORE]);
  await undoLastCommit(clone);
  await expectMoved(CORE, 'minor', names);
  await undoLastCommit(clone);
  await expectMoved(leaf, 'minor', [leaf]);
  await applyChangesets(clone);

  step(`publish ${leaf} again`);
  const published = await publish(npmrc, 'next');
  note(
    leaf,
    `next, ${versionsOf(clone).get(leaf)}`,
    published.join() === leaf
      ? []
      : [`the next release published ${published.join(', ')}, expected ${leaf}`],
  );
}

async function expectMoved(name, type, expected) {
  await addChangeset(clone, name, type, `A ${type} change.`);
  const planned = (await plannedReleases(clone)).map((release) => release.name);
  if (planned.toSorted().join() !== expected.toSorted().join())
    problems.push(
      `a ${type} of ${name} moves ${planned.join(', ')}, expected ${expected.join(', ')}`,
    );
}

/** Publishes what the registry does not have, as the release workflow does. */
async function publish(npmrc, name) {
  await must('pnpm', ['build'], clone);
  const tarballs = join(folder, `tarballs-${name}`);
  mkdirSync(tarballs);
  await must(
    'pnpm',
    ['-r', '--filter', './packages/*', 'pack', '--pack-destination', tarballs],
    clone,
  );
  const published = [];
  const versions = versionsOf(clone);
  for (const file of readdirSync(tarballs)) {
    // pyagent-trace-core-0.1.0.tgz
    const [id, version] = [...versions].find(
      ([one, number]) => file === `${one.slice(1).replace('/', '-')}-${number}.tgz`,
    );
    const settings = ['--userconfig', npmrc, '--loglevel=error'];
    const known = await tryView(`${id}@${version}`, settings);
    if (known) continue;
    // only a workflow can prove where it runs
    const flags = ['--access', 'public', '--provenance=false', ...settings];
    await must('npm', ['publish', join(tarballs, file), ...flags], folder);
    published.push(id);
  }
  return published;
}

async function tryView(id, settings) {
  try {
    await must('npm', ['view', id, 'version', ...settings], folder);
    return true;
  } catch {
    return false;
  }
}

/** Id to summary. */
function readChangesets() {
  const files = readdirSync(join(clone, '.changeset')).filter(
    (file) => file.endsWith('.md') && file !== 'README.md',
  );
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(clone, '.changeset', file), 'utf8');
      return [file.slice(0, -'.md'.length), text.split('\n---\n')[1]?.trim()];
    }),
  );
}

function readManifest(app, name) {
  return JSON.parse(readFileSync(join(app, 'node_modules', name, 'package.json'), 'utf8'));
}

function note(name, column, found) {
  problems.push(...found);
  rows[name][column] = found.length === 0 ? 'ok' : `${found.length} wrong`;
}

function step(what) {
  console.log(`== ${what}`);
}
