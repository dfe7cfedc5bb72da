import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, platform, release } from 'node:os';
import { dirname, join } from 'node:path';
import type { Result, Row, Spread } from './harness.ts';

/** One comparison as a Markdown table. */
export function table({ title, per, iterations, rounds, rows, note }: Result): string {
  return [
    `### ${title}`,
    '',
    ...(note === undefined ? [] : [note, '']),
    `|  | per ${per} | by its peer | goal |`,
    '| --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.name} | ${time(row.ns)} | ${ratio(row)} | ${goal(row)} |`),
    '',
    `${rounds} rounds of ${iterations.toLocaleString('en')}.`,
    '',
  ].join('\n');
}

/** What the figures were measured on. */
export function environment(peers: readonly string[]): string {
  const { model = 'unknown' } = cpus()[0] ?? {};
  return [
    `- Node ${process.versions.node} (V8 ${process.versions.v8}), ${platform()} ${release()}`,
    `- ${model}, ${cpus().length} cores; load average before the run ${(loadavg()[0] ?? 0).toFixed(2)}`,
    `- ${peers.map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
    '',
  ].join('\n');
}

function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === name) return manifest.version ?? 'unknown';
    } catch {
      // no manifest in this folder
    }
    if (folder === dirname(folder)) return 'unknown';
  }
}

function ratio(row: Row): string {
  if (row.ratio === undefined) return '1 (the peer)';
  const { median, min, max } = row.ratio;
  return `${median.toFixed(2)} × (${min.toFixed(2)} – ${max.toFixed(2)})`;
}

function goal(row: Row): string {
  if (row.goal === undefined || row.ratio === undefined) return '';
  const verdict = row.ratio.median <= row.goal ? 'met' : '**missed**';
  return `at most ${row.goal} ×: ${verdict}`;
}

function time(spread: Spread): string {
  const [unit, divisor] = unitOf(spread.median);
  const figure = (ns: number): string =>
    ns / divisor < 1000 ? (ns / divisor).toPrecision(3) : (ns / divisor).toFixed(0);
  return `${figure(spread.median)} ${unit} (${figure(spread.min)} – ${figure(spread.max)})`;
}

function unitOf(ns: number): [unit: string, divisor: number] {
  if (ns < 1e3) return ['ns', 1];
  return ns < 1e6 ? ['µs', 1e3] : ['ms', 1e6];
}
