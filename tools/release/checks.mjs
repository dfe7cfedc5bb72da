// What a release must be true of, package by package.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CORE } from '../lib/repo.mjs';

/** The tree after `changeset version`, against what the changesets asked for. */
export function* versionProblems(clone, packages, releases, summaries) {
  for (const { dir, manifest } of packages) {
    const { name, version } = manifest;
    const release = releases.find((one) => one.name === name);
    if (release === undefined) continue;
    if (version !== release.newVersion)
      yield `${name}: is ${version}, the changesets ask for ${release.newVersion}`;
    const path = join(clone, dir, 'CHANGELOG.md');
    const changelog = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const [, section = ''] = changelog.split(`\n## ${version}\n`);
    if (section === '') yield `${name}: CHANGELOG.md has no section "${version}"`;
    for (const id of release.changesets) {
      const [line] = summaries.get(id)?.split('\n') ?? [];
      if (line !== undefined && !section.includes(line))
        yield `${name}: the changelog of ${version} does not say "${line}"`;
    }
  }
}

/** What npm shows of a package, from the `package.json` in its tarball. */
export function* manifestProblems(manifest, versions) {
  const { name, version, publishConfig, repository, license, dependencies = {} } = manifest;
  if (version !== versions.get(name))
    yield `${name}: the registry has ${version}, the tree ${versions.get(name)}`;
  if (publishConfig?.provenance !== true) yield `${name}: publishConfig.provenance is not true`;
  if (publishConfig?.access !== 'public') yield `${name}: publishConfig.access is not public`;
  if (!repository?.url?.startsWith('git+https://')) yield `${name}: repository.url is no address`;
  if (license !== 'MIT') yield `${name}: license is not MIT`;
  const wanted = `^${versions.get(CORE)}`;
  if (name !== CORE && dependencies[CORE] !== wanted)
    yield `${name}: depends on ${CORE} ${dependencies[CORE]}, expected ${wanted}`;
}
