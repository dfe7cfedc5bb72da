// The repository as the release workflow gets it: a clone of the last commit, with its own dependencies.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPackages } from '../lib/repo.mjs';
import { must } from '../lib/run.mjs';

export async function cloneOf(root, folder) {
  await must('git', ['clone', '--quiet', root, folder], root);
  // changesets compares with main, whatever branch this is
  await must('git', ['checkout', '--quiet', '-B', 'main'], folder);
  await must('git', ['config', 'user.name', 'release'], folder);
  await must('git', ['config', 'user.email', 'release@localhost'], folder);
  await must('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], folder);
}

/** What the pending changesets ask for, as changesets itself says. */
export async function plannedReleases(clone) {
  await must('pnpm', ['changeset', 'status', '--output', 'status.json'], clone);
  const { releases } = JSON.parse(readFileSync(join(clone, 'status.json'), 'utf8'));
  await must('git', ['clean', '--quiet', '--force', 'status.json'], clone);
  return releases.filter(({ type }) => type !== 'none');
}

/** Applies the pending changesets, and commits what that changed. */
export async function applyChangesets(clone) {
  await must('pnpm', ['version-packages'], clone);
  await commit(clone, 'chore: version packages');
}

/** As a contributor writes one. */
export async function addChangeset(clone, name, type, summary) {
  writeFileSync(
    join(clone, '.changeset/dry-run.md'),
    `---\n'${name}': ${type}\n---\n\n${summary}\n`,
  );
  await commit(clone, `test: ${summary}`);
}

export async function undoLastCommit(clone) {
  await must('git', ['reset', '--quiet', '--hard', 'HEAD~1'], clone);
}

/** Name to version. */
export function versionsOf(clone) {
  return new Map(readPackages(clone).map(({ manifest }) => [manifest.name, manifest.version]));
}

async function commit(clone, message) {
  await must('git', ['add', '--all'], clone);
  await must('git', ['commit', '--quiet', '--no-verify', '--message', message], clone);
}
