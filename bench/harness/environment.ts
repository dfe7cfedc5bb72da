import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What the figures were measured on, and against which versions. */
export function environment(): string {
  const { model = 'unknown' } = cpus()[0] ?? {};
  return [
    `- Node ${process.versions.node} (V8 ${process.versions.v8}), ${platform()} ${release()}`,
    `- ${model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; load average before the run ${(loadavg()[0] ?? 0).toFixed(2)}`,
    `- ${peers()
      .map((name) => `${name} ${versionOf(name)}`)
      .join(', ')}`,
    '',
  ].join('\n');
}

/** What the benches depend on and is not ours. */
function peers(): string[] {
  const { dependencies } = readManifest(new URL('../package.json', import.meta.url));
  return Object.keys(dependencies).filter((name) => !name.startsWith('@pyagent-trace/'));
}

function versionOf(name: string): string {
  const manifest = findPackageJSON(name, import.meta.url);
  return manifest === undefined ? 'unknown' : readManifest(manifest).version;
}

function readManifest(path: string | URL): {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
} {
  return JSON.parse(readFileSync(path, 'utf8'));
}
