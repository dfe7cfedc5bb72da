import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';

/**
 * What figures were measured on, and with which versions of others.
 *
 * @param manifest the package.json of what measured
 * @param names which of its dependencies matter
 */
export function environment(manifest: URL, names: readonly string[] = foreign(manifest)): string {
  const { model = 'unknown' } = cpus()[0] ?? {};
  return [
    `- Node ${process.versions.node} (V8 ${process.versions.v8}), ${platform()} ${release()}`,
    `- ${model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; load average before the run ${(loadavg()[0] ?? 0).toFixed(2)}`,
    `- ${names.map((name) => `${name} ${versionOf(name, manifest)}`).join(', ')}`,
    '',
  ].join('\n');
}

/** What a package depends on and is not ours. */
function foreign(manifest: URL): string[] {
  const { dependencies } = readManifest(manifest);
  return Object.keys(dependencies).filter((name) => !name.startsWith('@pyagent-trace/'));
}

function versionOf(name: string, from: URL): string {
  const manifest = findPackageJSON(name, from);
  return manifest === undefined ? 'unknown' : readManifest(manifest).version;
}

function readManifest(path: string | URL): {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
} {
  return JSON.parse(readFileSync(path, 'utf8'));
}
